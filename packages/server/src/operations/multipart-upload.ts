/**
 * Uploads in parts as callers make them: begin, sign URLs of parts, see what has arrived, complete, give up. Bytes go straight to
 * the store. An upload is its uploader's alone: for everybody else it is not there. Completing asks the policies again, as who
 * completes.
 */
import { randomUUID } from 'node:crypto';
import { isRowlockError, RowlockError } from '@rowlock/client/contract';
import type { Backend } from '../backend/backend.ts';
import { versionKey } from '../backend/keys.ts';
import { isUploadGone, type NamedPart, type PartStore, partNumberMax, type StoredPart } from '../backend/parts.ts';
import type { Caller } from '../domain/caller.ts';
import { fault } from '../domain/fault.ts';
import { normaliseMediaType } from '../domain/media-type.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { timeOrderedUuid } from '../domain/time-ordered-uuid.ts';
import {
  abortMultipart,
  beginMultipart,
  findMultipart,
  type MultipartUpload,
  recordBegun,
  selectMultipartObject,
} from '../metadata/multipart.ts';
import { abandonUpload, type CommittedObject } from '../metadata/uploads.ts';
import { sizeOfPart } from './complete-parts.ts';
import type { OperationContext } from './context.ts';
import { commitParts } from './direct-upload.ts';
import { refusalFor } from './refusals.ts';

export interface MultipartRequest {
  readonly bucket: string;
  readonly name: string;
  /** Bytes of the whole: it must be known. */
  readonly size: number;
  /** Bytes of each part but the last; chosen where undefined. */
  readonly partSize?: number | undefined;
  readonly contentType?: string | undefined;
  /** Of the whole, in hex: the server reads the bytes once more and compares. */
  readonly sha256?: string | undefined;
  readonly cacheControl?: string | undefined;
  readonly userMetadata?: Readonly<Record<string, unknown>> | undefined;
  readonly overwrite?: boolean | undefined;
  readonly ifMatch?: readonly string[] | undefined;
  readonly ifNoneMatch?: readonly string[] | undefined;
}

/** S3's limits; `storage.part_size_for` says the same. */
const partBytesMin: number = 5 * 2 ** 20;
const partBytesMax: number = 5 * 2 ** 30;
const uploadBytesMax: number = 5 * 2 ** 40;
const partBytesDefault: number = 16 * 2 ** 20;
const mebi: number = 2 ** 20;
/** S3's limit of one PUT: whoever sets a lower limit for uploads means parts too. */
const putBytesMax: number = 5 * 2 ** 30;
const urlSecondsMax = 3600;
/** URLs of one answer. */
export const signedPartsMax = 1000;

/** The size of parts for so many bytes. @throws RowlockError `invalid_request`, `too_large` */
function partSizeFor(size: number, wished: number | undefined): number {
  if (size > uploadBytesMax) throw new RowlockError('too_large', `An object has at most ${uploadBytesMax} bytes`);
  const least = Math.ceil(size / partNumberMax);
  if (wished === undefined) return Math.max(partBytesDefault, Math.ceil(least / mebi) * mebi);
  if (wished < partBytesMin || wished > partBytesMax) {
    throw new RowlockError('invalid_request', `A part has ${partBytesMin} to ${partBytesMax} bytes`);
  }
  if (wished < least) {
    throw new RowlockError(
      'invalid_request',
      `There are at most ${partNumberMax} parts: one has ${least} bytes or more`,
    );
  }
  return wished;
}

/** What a backend can do with parts. @throws RowlockError `not_implemented` */
function partsOf({ parts }: Backend): PartStore {
  if (parts === undefined) {
    throw new RowlockError('not_implemented', 'The store of this bucket takes no parts: upload the object as one body');
  }
  return parts;
}

/**
 * Begins an upload in parts, here and at the store.
 *
 * @throws RowlockError as an upload; `auth_required` for a caller without an id, `not_implemented` where the bucket's store
 *   takes no parts, `rate_limited` for one who has too many open
 */
export async function beginMultipartUpload(
  context: OperationContext,
  caller: Caller,
  request: MultipartRequest,
): Promise<MultipartUpload> {
  const name = normaliseObjectName(request.name);
  const part_size = partSizeFor(request.size, request.partSize);
  const backend = await context.placement.backendFor(request.bucket);
  const version_id = timeOrderedUuid();
  const intent = {
    upload_id: randomUUID(),
    version_id,
    bucket: request.bucket,
    name,
    backend: backend.name,
    key: versionKey(version_id),
    content_type: normaliseMediaType(request.contentType),
    declared_size: request.size,
    overwrite: request.overwrite,
    cache_control: request.cacheControl,
    user_metadata: request.userMetadata,
    size_cap: Math.min(
      context.uploadBytesMax < putBytesMax ? context.uploadBytesMax : uploadBytesMax,
      backend.bytesMax ?? Number.POSITIVE_INFINITY,
    ),
    if_match: request.ifMatch,
    if_none_match: request.ifNoneMatch,
    part_size,
    sha256: request.sha256?.toLowerCase(),
  };
  const expires_at = await beginMultipart(context.db, caller, intent).catch((error: unknown) => {
    throw refusalFor(caller, error);
  });
  await fault('parts.after_intent');
  const { upload_id, key, content_type } = intent;
  const store_id = await beginAtStore(context, { upload_id, backend, key, contentType: content_type });
  return {
    upload_id,
    bucket: request.bucket,
    name,
    size: request.size,
    part_size,
    part_count: Math.ceil(request.size / part_size),
    content_type: content_type ?? null,
    status: 'open',
    error: null,
    backend: backend.name,
    key,
    store_id,
    expires_at,
  };
}

/**
 * What the store cannot do is said only now, to who may upload there. Where its answer is lost the store keeps an upload that nothing names: the sweep finds it there.
 */
async function beginAtStore(
  { db }: Pick<OperationContext, 'db'>,
  upload: {
    readonly upload_id: string;
    readonly backend: Backend;
    readonly key: string;
    readonly contentType: string | undefined;
  },
): Promise<string> {
  const { upload_id, backend, key, contentType } = upload;
  try {
    const parts = partsOf(backend);
    const store_id = await parts.create(key, contentType === undefined ? {} : { contentType });
    await fault('parts.after_create');
    if (!(await recordBegun(db, { upload_id, store_id, bucket: backend.bucket }))) {
      await parts.abort({ key, store_id });
      throw over();
    }
    return store_id;
  } catch (error) {
    await abandonUpload(db, upload_id, 'the store did not begin the upload').catch(() => false);
    throw error;
  }
}

/**
 * A caller's own upload.
 *
 * @throws RowlockError `upload_gone` for what is not there, not theirs, or over
 */
async function ownUpload(context: OperationContext, caller: Caller, uploadId: string): Promise<MultipartUpload> {
  const upload = await findMultipart(context.db, caller, uploadId);
  if (upload === undefined || upload.status === 'failed') throw over();
  return upload;
}

const over = (): RowlockError =>
  new RowlockError('upload_gone', 'There is no such upload of yours: it expired, was given up, or never was');

/** Signs URLs of parts. @throws RowlockError `upload_gone`, `invalid_request`, `invalid_expiry` */
export async function signParts(
  context: OperationContext,
  caller: Caller,
  request: { readonly uploadId: string; readonly parts: readonly number[]; readonly expirySeconds: number | undefined },
): Promise<{ readonly expires_at: Date; readonly urls: readonly SignedPart[] }> {
  const upload = await ownUpload(context, caller, request.uploadId);
  const { key, store_id, part_count, expires_at } = upload;
  if (upload.status === 'completed' || store_id === null) throw over();
  const outside = request.parts.find((number) => number > part_count);
  if (outside !== undefined)
    throw new RowlockError('invalid_request', `The upload has ${part_count} parts, and no part ${outside}`);
  const now = new Date();
  const expirySeconds = expiryOf(request.expirySeconds, Math.floor((expires_at.getTime() - now.getTime()) / 1000));
  const store = partsOf(context.backends.of(upload.backend));
  const urls: SignedPart[] = [];
  for (const part_number of request.parts) {
    const size = sizeOfPart(upload, part_number);
    const url = await store.presignPart({ key, store_id }, { part_number, contentLength: size, expirySeconds, now });
    urls.push({ part_number, size, url });
  }
  return { urls, expires_at: new Date((Math.floor(now.getTime() / 1000) + expirySeconds) * 1000) };
}

export interface SignedPart {
  readonly part_number: number;
  /** The PUT must send exactly so many bytes. */
  readonly size: number;
  readonly url: string;
}

function expiryOf(asked: number | undefined, left: number): number {
  if (asked === undefined) return Math.max(1, Math.min(urlSecondsMax, left));
  if (asked < 1 || asked > urlSecondsMax)
    throw new RowlockError('invalid_expiry', `A URL lives 1 to ${urlSecondsMax} seconds`);
  if (asked > left)
    throw new RowlockError('invalid_expiry', `The upload ends before the URL would: in ${left} seconds`);
  return asked;
}

/** What an upload is and which parts have arrived behind a number. @throws RowlockError `upload_gone` */
export async function showMultipartUpload(
  context: OperationContext,
  caller: Caller,
  request: { readonly uploadId: string; readonly after: number; readonly limit: number },
): Promise<{ readonly upload: MultipartUpload; readonly parts: readonly StoredPart[] }> {
  const upload = await ownUpload(context, caller, request.uploadId);
  const { key, store_id } = upload;
  if (upload.status === 'completed' || store_id === null) return { upload, parts: [] };
  const store = partsOf(context.backends.of(upload.backend));
  try {
    const { after, limit } = request;
    return { upload, parts: await store.list({ key, store_id }, { after, limit }) };
  } catch (error) {
    if (!isUploadGone(error)) throw error;
    // It was put together and not committed yet: whoever completes it goes on from there.
    return { upload: { ...upload, status: 'completing' }, parts: [] };
  }
}

/**
 * Completes an upload as its caller: from exactly the parts that are named, or from all that have arrived. What was completed
 * before is answered again while its name has it.
 *
 * @throws RowlockError `upload_gone`, `invalid_part`, and what a commit throws; after a refusal of limits or policies the upload
 *   is given up
 */
export async function completeMultipartUpload(
  context: OperationContext,
  caller: Caller,
  request: { readonly uploadId: string; readonly parts: readonly NamedPart[] | undefined },
): Promise<CommittedObject> {
  const { uploadId, parts } = request;
  const upload = await ownUpload(context, caller, uploadId);
  if (upload.status !== 'completed') {
    // The service completes it for whoever began it: then it is theirs, and their rights count.
    const as = upload.is_requester === true ? caller : undefined;
    const committed = await commitParts(context, uploadId, { caller: as, named: parts }).catch((error: unknown) => {
      if (isRowlockError(error, 'upload_gone')) return undefined; // or somebody was faster
      throw refusalFor(caller, error);
    });
    if (committed !== undefined) return committed;
  }
  const object = await selectMultipartObject(context.db, uploadId);
  if (object === undefined) throw over();
  return object;
}

/** Gives an upload up; idempotent. @throws RowlockError `upload_gone` for what is not the caller's, or completed */
export async function abortMultipartUpload(context: OperationContext, caller: Caller, uploadId: string): Promise<void> {
  const status = await abortMultipart(context.db, caller, uploadId);
  if (status === undefined) throw over();
  if (status === 'completed') throw new RowlockError('upload_gone', 'The upload is complete: delete the object');
}
