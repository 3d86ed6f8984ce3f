/**
 * Signed uploads: a caller signs the right to upload one object once, and whoever holds the URL uses it. The right is
 * the signer's, asked when it is signed, when the bytes begin and when they are there; of several uses one commits.
 */
import { randomUUID } from 'node:crypto';
import { RowlockError } from '@rowlock/client/contract';
import { assertUploadExpiry } from '../auth/upload-token.ts';
import type { Caller } from '../domain/caller.ts';
import { normaliseMediaType } from '../domain/media-type.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { beginTicketUpload, signTicket } from '../metadata/tickets.ts';
import type { OperationContext } from './context.ts';
import { refusalFor } from './refusals.ts';
import { type CommittedObject, streamUpload, type UploadBody } from './upload-object.ts';

export interface SignUploadRequest {
  readonly bucket: string;
  readonly name: string;
  readonly overwrite: boolean;
  readonly expirySeconds: number;
  /** Bound: the upload must declare this type, and its bytes must not be another. */
  readonly contentType?: string | undefined;
  /** Bound: most bytes. */
  readonly sizeMax?: number | undefined;
  /** Bound: SHA-256 of the bytes, in lower-case hex. */
  readonly sha256?: string | undefined;
  readonly userMetadata?: Readonly<Record<string, unknown>> | undefined;
  readonly ifMatch?: readonly string[] | undefined;
  readonly ifNoneMatch?: readonly string[] | undefined;
}

export interface SignedUpload {
  readonly token: string;
  readonly name: string;
  readonly expires_at: Date;
}

/**
 * Signs an upload.
 *
 * @throws RowlockError `invalid_name`, `invalid_expiry`, `bucket_not_found`, `object_exists`, `precondition_failed`,
 *   `not_allowed`, `auth_required`, `media_type_not_allowed`
 */
export async function signUpload(
  context: OperationContext,
  caller: Caller,
  request: SignUploadRequest,
): Promise<SignedUpload> {
  assertUploadExpiry(request.expirySeconds);
  const { bucket } = request;
  const name = normaliseObjectName(request.name);
  const ticket_id = randomUUID();
  const expires_at = await signTicket(context.db, caller, {
    ticket_id,
    bucket,
    name,
    overwrite: request.overwrite,
    expiry_seconds: request.expirySeconds,
    size_cap: context.uploadBytesMax,
    terms: {
      content_type: normaliseMediaType(request.contentType),
      size_max: request.sizeMax,
      sha256: request.sha256,
      user_metadata: request.userMetadata,
      if_match: request.ifMatch,
      if_none_match: request.ifNoneMatch,
    },
  }).catch((error: unknown) => {
    throw refusalFor(caller, error);
  });
  return { token: context.uploadTokens.sign({ ticket_id, bucket, name }, expires_at), name, expires_at };
}

/**
 * Uploads by a signed URL, as who signed it. Works once; an upload that failed may be tried again until the URL expires.
 * The body is asked for when the signature is right.
 *
 * @throws RowlockError `invalid_signature`, `url_expired`, `upload_gone` where it was used, and what an upload throws
 */
export async function uploadBySignature(
  context: OperationContext,
  request: { readonly bucket: string; readonly name: string; readonly token: string },
  body: () => Promise<UploadBody>,
): Promise<CommittedObject> {
  const name = normaliseObjectName(request.name);
  const { ticket_id } = context.uploadTokens.verify(request.token, request.bucket, name);
  try {
    const backend = await context.placement.backendFor(request.bucket);
    return await streamUpload(context, undefined, await body(), {
      backend,
      begin: async (parts) => {
        const { size_max, sha256 } = await beginTicketUpload(context.db, ticket_id, parts);
        return {
          sizeMax: size_max,
          ...(sha256 === undefined ? {} : { checksums: [{ algorithm: 'sha256', value: sha256 }] }),
        };
      },
    });
  } catch (error) {
    throw hideBucket(error);
  }
}

/** What became of a bucket that its signer no longer sees is not for whoever holds the URL. */
function hideBucket(error: unknown): unknown {
  return error instanceof RowlockError && error.reason === 'bucket_not_found'
    ? new RowlockError('upload_gone', 'The signed upload is over', { cause: error })
    : error;
}
