/**
 * Upload: begin, stream, commit. The intent is written before the first byte, the bytes go under a key that was never
 * used, and one transaction makes the object. No database connection is held while bytes move.
 */
import { randomUUID } from 'node:crypto';
import { RowlockError } from '@rowlock/client/contract';
import { versionKey } from '../backend/keys.ts';
import type { Caller } from '../domain/caller.ts';
import type { SentChecksum } from '../domain/checksum.ts';
import { fault } from '../domain/fault.ts';
import { MeasuredBody } from '../domain/measured-body.ts';
import { detectMediaType, normaliseMediaType } from '../domain/media-type.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { timeOrderedUuid } from '../domain/time-ordered-uuid.ts';
import { abandonUpload, beginUpload, type CommittedObject, commitUpload } from '../metadata/uploads.ts';
import type { OperationContext } from './context.ts';
import { refusalFor } from './refusals.ts';

export interface UploadRequest {
  readonly bucket: string;
  readonly name: string;
  readonly body: AsyncIterable<Uint8Array>;
  /** The declared size in bytes; undefined for a body without a length, which is cut at the limit. */
  readonly size: number | undefined;
  readonly contentType: string | undefined;
  /** True and false as asked, undefined for the bucket's own setting. */
  readonly overwrite: boolean | undefined;
  readonly cacheControl: string | undefined;
  readonly userMetadata: Readonly<Record<string, unknown>> | undefined;
  /** Checksums sent with the body. */
  readonly checksums?: readonly SentChecksum[] | undefined;
  readonly signal?: AbortSignal;
}

/** What may be sent again in a header; a constraint of storage.objects says the same. */
const cacheControl: RegExp = /^[\x20-\x7e]{1,255}$/;

/**
 * Uploads a body. Atomic: the object is there with all of its bytes, durable, or nothing is.
 *
 * @throws RowlockError `invalid_name`, `invalid_request`, `bucket_not_found`, `object_exists`, `not_allowed`, `auth_required`, `too_large`,
 *   `media_type_not_allowed`, `incomplete_body`, `bad_digest`, `upload_gone`, `out_of_space`
 */
export async function uploadObject(
  context: OperationContext,
  caller: Caller,
  request: UploadRequest,
): Promise<CommittedObject> {
  const name = normaliseObjectName(request.name);
  if (request.cacheControl !== undefined && !cacheControl.test(request.cacheControl)) {
    throw new RowlockError('invalid_request', 'Cache-Control has 1 to 255 printable ASCII characters');
  }
  const uploadId = randomUUID();
  const versionId = timeOrderedUuid();
  const key = versionKey(versionId);
  await fault('upload.before_intent');
  const sizeMax = await beginUpload(context.db, caller, {
    upload_id: uploadId,
    version_id: versionId,
    bucket: request.bucket,
    name,
    backend: context.backend.name,
    key,
    content_type: normaliseMediaType(request.contentType),
    declared_size: request.size,
    overwrite: request.overwrite,
    cache_control: request.cacheControl,
    user_metadata: request.userMetadata,
    size_cap: context.uploadBytesMax,
  }).catch((error: unknown) => {
    throw refusalFor(caller, error);
  });
  try {
    await fault('upload.after_intent');
    const body = new MeasuredBody(request.body, {
      sizeMax,
      declaredSize: request.size,
      checksums: request.checksums,
    });
    await context.backend.put(key, body, request.signal === undefined ? {} : { signal: request.signal });
    const detected = await detectMediaType(body.head);
    await fault('upload.before_commit');
    const committed = await commitUpload(context.db, caller, uploadId, {
      size: body.size,
      sha256: body.sha256,
      etag: undefined,
      detected_type: detected,
    });
    await fault('upload.after_commit');
    return committed;
  } catch (error) {
    // Does nothing once the commit went through, so a lost reply cannot remove what is committed. What fails here
    // (the database is away) the sweep does later: the intent is there.
    await abandonUpload(context.db, uploadId, 'the upload failed').catch(() => false);
    throw refusalFor(caller, error);
  }
}

export type { CommittedObject } from '../metadata/uploads.ts';
