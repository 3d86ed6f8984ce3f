/**
 * Upload: begin, stream, commit. The intent is written before the first byte, the bytes go under a key that was never
 * used, and one transaction makes the object. No database connection is held while bytes move.
 */
import { randomUUID } from 'node:crypto';
import { RowlockError } from '@rowlock/client/contract';
import type { Backend } from '../backend/backend.ts';
import { versionKey } from '../backend/keys.ts';
import type { Caller, RequestOrigin } from '../domain/caller.ts';
import type { SentChecksum } from '../domain/checksum.ts';
import { fault } from '../domain/fault.ts';
import { MeasuredBody } from '../domain/measured-body.ts';
import { detectMediaType, normaliseMediaType } from '../domain/media-type.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { timeOrderedUuid } from '../domain/time-ordered-uuid.ts';
import { abandonPrepared, beginPrepared, commitPrepared, type PreparedVersion } from '../metadata/prepared-uploads.ts';
import {
  type Amendments,
  abandonUpload,
  beginUpload,
  type CommittedObject,
  commitUpload,
  type StoredBytes,
  type UploadIntent,
} from '../metadata/uploads.ts';
import type { OperationContext } from './context.ts';
import { preparedBytesMax } from './prepared-versions.ts';
import { refusalFor } from './refusals.ts';

/** A body and what is said of it. */
export interface UploadBody {
  readonly body: AsyncIterable<Uint8Array>;
  /** The declared size in bytes; undefined for a body without a length, which is cut at the limit. */
  readonly size: number | undefined;
  readonly contentType: string | undefined;
  readonly cacheControl: string | undefined;
  readonly userMetadata: Readonly<Record<string, unknown>> | undefined;
  /** Checksums sent with the body. */
  readonly checksums?: readonly SentChecksum[] | undefined;
  /** What stands behind the body in a form; asked once, when the body has been read to its end. */
  readonly amendments?: (() => Promise<Amendments | undefined>) | undefined;
  /** Where the bytes come from, for the audit log; of an upload as a caller, the caller says it. */
  readonly origin?: RequestOrigin | undefined;
  readonly signal?: AbortSignal;
}

export interface UploadRequest extends UploadBody {
  readonly bucket: string;
  readonly name: string;
  /** True and false as asked, undefined for the bucket's own setting. */
  readonly overwrite: boolean | undefined;
  /** Validators without quotes that the object must have, and must not; `*` for any. Judged at begin and at commit. */
  readonly ifMatch?: readonly string[] | undefined;
  readonly ifNoneMatch?: readonly string[] | undefined;
}

/** What an intent of any kind is written with. */
export interface IntentParts {
  readonly upload_id: string;
  readonly version_id: string;
  readonly backend: string;
  readonly key: string;
  readonly content_type: string | undefined;
  readonly declared_size: number | undefined;
  readonly cache_control: string | undefined;
  readonly user_metadata: Readonly<Record<string, unknown>> | undefined;
  readonly size_cap: number;
}

/** What begin says of the body: the largest that is accepted, and what it must have. */
export interface BegunUpload {
  readonly sizeMax: number;
  readonly checksums?: readonly SentChecksum[];
  /** How it ends, where there is no row of `uploads`. */
  readonly ending?: UploadEnding;
}

/** The two ends of an upload. */
export interface UploadEnding {
  readonly commit: (bytes: StoredBytes) => Promise<CommittedObject>;
  readonly abandon: () => Promise<boolean>;
}

/** How an upload is begun: with parts of its own, or with the version that was prepared for it. */
export interface UploadBeginning {
  /** Where the bytes go. */
  readonly backend: Backend;
  readonly prepared?: PreparedVersion | undefined;
  readonly begin: (parts: IntentParts) => Promise<BegunUpload>;
}

/** What may be sent again in a header; a constraint of storage.objects says the same. */
const cacheControl: RegExp = /^[\x20-\x7e]{1,255}$/;

function assertCacheControl(value: string | undefined): void {
  if (value !== undefined && !cacheControl.test(value)) {
    throw new RowlockError('invalid_request', 'Cache-Control has 1 to 255 printable ASCII characters');
  }
}

/**
 * Uploads a body. Atomic: the object is there with all of its bytes, durable, or nothing is.
 *
 * @throws RowlockError `invalid_name`, `invalid_request`, `bucket_not_found`, `object_exists`, `precondition_failed`,
 *   `not_allowed`, `auth_required`, `too_large`, `media_type_not_allowed`, `incomplete_body`, `bad_digest`,
 *   `upload_gone`, `out_of_space`
 */
export async function uploadObject(
  context: OperationContext,
  caller: Caller,
  request: UploadRequest,
): Promise<CommittedObject> {
  const name = normaliseObjectName(request.name);
  const target = {
    bucket: request.bucket,
    name,
    overwrite: request.overwrite,
    if_match: request.ifMatch,
    if_none_match: request.ifNoneMatch,
  };
  const isSmall = request.size !== undefined && request.size <= preparedBytesMax && request.amendments === undefined;
  const backend = await context.placement.backendFor(request.bucket);
  const begin = async (parts: IntentParts): Promise<BegunUpload> => ({
    sizeMax: await beginUpload(context.db, caller, { ...parts, ...target }),
  });
  const upload = async (prepared?: PreparedVersion): Promise<CommittedObject> => {
    if (prepared === undefined) return await streamUpload(context, caller, request, { backend, begin });
    const beginning = {
      backend,
      prepared,
      begin: (parts: IntentParts) => beginWithPrepared(context, caller, { ...parts, ...target }),
    };
    return await streamUpload(context, caller, request, beginning).catch(async (error: unknown) => {
      if (error instanceof SweptVersionError) return await streamUpload(context, caller, request, { backend, begin });
      throw error;
    });
  };
  try {
    const prepares = isSmall && backend === context.backends.default ? context.prepared : undefined;
    return await (prepares === undefined ? upload() : prepares.during(upload));
  } catch (error) {
    throw refusalFor(caller, error);
  }
}

/** The version that was prepared for an upload is no more; no byte was read. */
class SweptVersionError extends Error {}

/** Begins an upload into a prepared version. Without an intent, its end is told again what its beginning was told. */
async function beginWithPrepared(
  context: OperationContext,
  caller: Caller,
  intent: UploadIntent,
): Promise<BegunUpload> {
  const begun = await beginPrepared(context.db, caller, intent).catch((error: unknown) => {
    // What was refused wrote nothing; of anything else that is not known.
    const isRefusal = error instanceof RowlockError && error.status < 500;
    if (isRefusal) context.prepared?.putBack({ version_id: intent.version_id, key: intent.key });
    throw error;
  });
  if (begun.is_swept) throw new SweptVersionError();
  if (begun.is_open) return { sizeMax: begun.size_max };
  return {
    sizeMax: begun.size_max,
    ending: {
      commit: (bytes) => commitPrepared(context.db, caller, { intent, begun, bytes }),
      abandon: () => abandonPrepared(context.db, intent.version_id),
    },
  };
}

/**
 * The way of every body: an intent by `begin`, the bytes, the commit, as the caller or, without one, as the role and
 * claims that the intent stored. Whatever fails behind begin gives the intent up.
 */
export async function streamUpload(
  context: OperationContext,
  caller: Caller | undefined,
  request: UploadBody,
  { backend, prepared, begin }: UploadBeginning,
): Promise<CommittedObject> {
  assertCacheControl(request.cacheControl);
  const uploadId = randomUUID();
  const versionId = prepared?.version_id ?? timeOrderedUuid();
  const key = prepared?.key ?? versionKey(versionId);
  await fault('upload.before_intent');
  const begun = await begin({
    upload_id: uploadId,
    version_id: versionId,
    backend: backend.name,
    key,
    content_type: normaliseMediaType(request.contentType),
    declared_size: request.size,
    cache_control: request.cacheControl,
    user_metadata: request.userMetadata,
    size_cap: Math.min(context.uploadBytesMax, backend.bytesMax ?? Number.POSITIVE_INFINITY),
  });
  const ending = begun.ending ?? {
    commit: (bytes) => commitUpload(context.db, caller, uploadId, bytes),
    abandon: () => abandonUpload(context.db, uploadId, 'the upload failed'),
  };
  try {
    await fault('upload.after_intent');
    const body = new MeasuredBody(request.body, {
      sizeMax: begun.sizeMax,
      declaredSize: request.size,
      checksums: [...(request.checksums ?? []), ...(begun.checksums ?? [])],
    });
    await backend.put(key, body, request.signal === undefined ? {} : { signal: request.signal });
    const amended = await request.amendments?.();
    assertCacheControl(amended?.cache_control);
    const detected = await detectMediaType(body.head);
    await fault('upload.before_commit');
    const committed = await ending.commit({
      size: body.size,
      sha256: body.sha256,
      etag: undefined,
      detected_type: detected,
      origin: caller?.origin ?? request.origin,
      amended: amended && { ...amended, content_type: normaliseMediaType(amended.content_type) },
    });
    await fault('upload.after_commit');
    return committed;
  } catch (error) {
    // Does nothing once the commit went through, so a lost reply cannot remove what is committed. What fails here
    // (the database is away) the sweep does later: the intent is there.
    await ending.abandon().catch(() => false);
    throw error;
  }
}

export type { Amendments, CommittedObject } from '../metadata/uploads.ts';
