/**
 * Direct uploads: bytes that arrive under a key by a presigned PUT, and their completion. Our own door takes bytes for
 * open intents only and never twice; completion believes the bytes, not what anybody said of them.
 */
import { createHash } from 'node:crypto';
import { isRowlockError, RowlockError } from '@rowlock/client/contract';
import type { Backend, HeadResult, PutGuard } from '../backend/backend.ts';
import type { Backends } from '../backend/backends.ts';
import { versionKey } from '../backend/keys.ts';
import type { NamedPart } from '../backend/parts.ts';
import type { Caller } from '../domain/caller.ts';
import type { SentChecksum } from '../domain/checksum.ts';
import { fault } from '../domain/fault.ts';
import { MeasuredBody } from '../domain/measured-body.ts';
import { detectMediaType, sniffBytes } from '../domain/media-type.ts';
import { timeOrderedUuid } from '../domain/time-ordered-uuid.ts';
import type { Database } from '../metadata/database.ts';
import { multipartFail } from '../metadata/multipart.ts';
import { claimIncoming, commitIncoming } from '../metadata/put-guards.ts';
import { one, uploadToComplete } from '../metadata/upkeep.ts';
import { abandonUpload, type CommittedObject, commitUpload, selectDirectUpload } from '../metadata/uploads.ts';
import { completeParts } from './complete-parts.ts';
import type { OperationContext } from './context.ts';

/**
 * Takes the body of a PUT whose signature was verified.
 *
 * @throws RowlockError `precondition_failed` where the key has bytes, `upload_gone` without an open intent, `too_large`,
 *   `incomplete_body`, `bad_digest`
 */
export async function receiveDirectUpload(
  context: Pick<OperationContext, 'db' | 'backend'>,
  request: {
    readonly key: string;
    readonly body: AsyncIterable<Uint8Array>;
    readonly size: number | undefined;
    readonly checksums?: readonly SentChecksum[];
    readonly signal?: AbortSignal;
  },
): Promise<{ readonly etag: string }> {
  const { key, size } = request;
  const upload = await selectDirectUpload(context.db, key, context.backend.name);
  if ((await context.backend.head(key)) !== undefined) {
    throw usedAlready();
  }
  if (upload === undefined) {
    throw new RowlockError('upload_gone', 'The upload expired or was given up; ask for a new URL');
  }
  if (size !== undefined && size > upload.size_max) {
    throw new RowlockError('too_large', `At most ${upload.size_max} bytes are accepted`);
  }
  const { checksums } = request;
  const body = new MeasuredBody(request.body, { sizeMax: upload.size_max, declaredSize: size, checksums });
  try {
    await context.backend.put(key, body, request.signal === undefined ? {} : { signal: request.signal });
  } catch (error) {
    throw isRowlockError(error, 'object_exists') ? usedAlready() : error;
  }
  return { etag: body.sha256.toString('hex') };
}

const usedAlready = (): RowlockError =>
  new RowlockError('precondition_failed', 'These bytes were uploaded already; a presigned PUT works once');

export type Completion = 'committed' | 'waiting' | 'gone' | 'refused' | 'incomplete';

interface UploadToComplete extends Record<string, unknown> {
  readonly backend: string;
  /** Of the version; `put_key`: where the PUT goes. */
  readonly key: string;
  readonly put_key: string;
  readonly put_guard: PutGuard | null;
  readonly size_max: string;
  readonly expired: boolean;
  /** Within half an hour: at least one more sweep comes before. */
  readonly ends_soon: boolean;
  readonly declared_size: string | null;
  readonly sha256: Buffer | null;
  /** Whether the store has compared it, because the URL binds it. */
  readonly sha256_is_signed: boolean;
  /** Of an upload in parts; null until the store has begun it. */
  readonly store_id: string | null;
  readonly part_size: string | null;
  readonly part_count: number | null;
  /** What its client said of its parts. */
  readonly named_parts: readonly NamedPart[] | null;
  /** Whether it becomes a file of an entity, which whoever began it must still be allowed to attach. */
  readonly is_for_entity: boolean;
  /** Whether its client waits for its completion. */
  readonly is_asked_for: boolean;
}

export interface CompletionContext {
  readonly db: Database;
  readonly backends: Backends;
  /** The canned ACL of what is copied to its key. */
  readonly upload_acl?: string | undefined;
}

/**
 * Commits a direct upload whose bytes have arrived, as the role and claims that its intent stored. `waiting`: not yet
 * there, and the URL may still be used, or somebody else is at it; `gone`: finished or given up before; `refused`: limits or policies say no,
 * and the bytes are purged; `incomplete`: its parts are not whole, and its client was told. Idempotent.
 */
export async function completeDirectUpload(
  context: CompletionContext,
  uploadId: string,
  options: CompletionOptions = {},
): Promise<Completion> {
  const upload = await one<UploadToComplete>(context.db, uploadToComplete, [uploadId]);
  if (upload === undefined) {
    return 'gone';
  }
  const backend = context.backends.of(upload.backend);
  let arrived = await backend.head(upload.put_key);
  if (arrived === undefined && upload.store_id !== null && (upload.ends_soon || options.putsPartsTogether !== 'late')) {
    const together = await partsTogether(context, upload, upload.named_parts ?? undefined).catch(incompleteOf);
    if (together instanceof RowlockError && upload.is_asked_for && !upload.expired) {
      await context.db.run(multipartFail, [uploadId, together.message]);
      return 'incomplete';
    }
    arrived = together instanceof RowlockError ? undefined : together;
  }
  if (arrived === undefined) {
    if (!upload.expired) {
      return 'waiting';
    }
    await abandonUpload(context.db, uploadId, 'the bytes never arrived');
    return 'gone';
  }
  try {
    const committed = await commitArrived(context, { uploadId, upload, arrived });
    return committed === 'waiting' ? 'waiting' : 'committed';
  } catch (error) {
    if (isRowlockError(error, 'upload_gone')) {
      return 'gone';
    }
    if (isRefusal(error)) {
      await abandonUpload(context.db, uploadId, error.message);
      return 'refused';
    }
    throw error;
  }
}

export interface CompletionOptions {
  /** `late`: parts are put together only when the time of their upload is nearly over. */
  readonly putsPartsTogether?: 'now' | 'late';
}

/**
 * Commits an upload in parts as its caller, or as the role and claims that its intent stored, from exactly the parts that are named, or from all that have arrived.
 *
 * @throws RowlockError `upload_gone`, `invalid_part`; a refusal of limits or policies, which gives the upload up
 */
export async function commitParts(
  context: CompletionContext,
  uploadId: string,
  { caller, named }: { readonly caller: Caller | undefined; readonly named: readonly NamedPart[] | undefined },
): Promise<CommittedObject> {
  const gone = (): RowlockError => new RowlockError('upload_gone', 'The upload expired, was given up or is complete');
  const upload = await one<UploadToComplete>(context.db, uploadToComplete, [uploadId]);
  if (upload === undefined || upload.store_id === null) throw gone();
  const backend = context.backends.of(upload.backend);
  const arrived = (await backend.head(upload.put_key)) ?? (await partsTogether(context, upload, named));
  if (arrived === undefined) throw gone();
  try {
    const as = upload.is_for_entity ? undefined : caller;
    const committed = await commitArrived(context, { uploadId, upload, arrived, caller: as });
    if (committed === 'waiting' || committed === undefined) throw gone();
    return committed;
  } catch (error) {
    if (isRefusal(error) || isRowlockError(error, 'precondition_failed')) {
      await abandonUpload(context.db, uploadId, error.message);
    }
    throw error;
  }
}

/** What is under the key when the parts of an upload were put together, by us or by somebody faster. @throws RowlockError `invalid_part` */
async function partsTogether(
  { backends }: CompletionContext,
  upload: UploadToComplete,
  named: readonly NamedPart[] | undefined,
): Promise<HeadResult | undefined> {
  const { key, store_id, declared_size, part_size, part_count } = upload;
  const backend = backends.of(upload.backend);
  if (backend.parts === undefined || store_id === null || part_count === null) return undefined;
  const plan = { key, store_id, size: Number(declared_size), part_size: Number(part_size), part_count };
  const failed = await completeParts(backend.parts, plan, named).catch(incompleteOf);
  const arrived = await backend.head(key);
  if (arrived === undefined && failed instanceof RowlockError) throw failed;
  return arrived;
}

function incompleteOf(error: unknown): RowlockError {
  if (isRowlockError(error, 'invalid_part')) return error;
  throw error;
}

/** Whether limits or policies, or what was declared, say no for good. */
function isRefusal(error: unknown): error is RowlockError {
  return isRowlockError(
    error,
    'not_allowed',
    'too_large',
    'quota_exceeded',
    'media_type_not_allowed',
    'object_exists',
    'bucket_not_found',
    'incomplete_body',
    'bad_digest',
  );
}

/** Verifies what is there and commits it; `waiting` while somebody else does so. */
async function commitArrived(
  context: CompletionContext,
  { uploadId, upload, arrived, caller }: ArrivedUpload,
): Promise<CommittedObject | 'waiting' | undefined> {
  const backend = context.backends.of(upload.backend);
  assertSize(upload, arrived.size);
  const stored =
    upload.put_guard === 'incoming'
      ? await copied(context, uploadId, upload, arrived)
      : { ...arrived, key: upload.key };
  if (stored === undefined) return 'waiting';
  await assertAsDeclared(backend, upload, stored);
  const detected = await detectMediaType(await readHead(backend, stored.key, stored.size));
  await fault('complete.before_commit');
  const bytes = {
    size: stored.size,
    sha256: upload.sha256 ?? undefined,
    etag: stored.etag,
    detected_type: detected,
    origin: caller?.origin,
  };
  if (upload.put_guard === 'incoming') {
    await commitIncoming(context.db, uploadId, stored.key, bytes);
    await fault('complete.after_commit');
    return undefined;
  }
  const committed = await commitUpload(context.db, caller, uploadId, bytes);
  await fault('complete.after_commit');
  return committed;
}

interface ArrivedUpload {
  readonly uploadId: string;
  readonly upload: UploadToComplete;
  readonly arrived: HeadResult;
  /** As whom; as the role and claims that its intent stored where undefined. */
  readonly caller?: Caller | undefined;
}

interface StoredObject extends HeadResult {
  readonly key: string;
}

/**
 * Copies what came under the key of a URL to one that no URL was ever signed for: from here on nobody can change it, so what
 * is checked there is what is committed. Undefined while somebody else does so.
 */
async function copied(
  { db, backends, upload_acl: acl }: CompletionContext,
  uploadId: string,
  upload: UploadToComplete,
  arrived: HeadResult,
): Promise<StoredObject | undefined> {
  const backend = backends.of(upload.backend);
  const freshKey = versionKey(timeOrderedUuid());
  const key = await claimIncoming(db, uploadId, { size: arrived.size, freshKey });
  if (key === undefined) return undefined;
  await fault('complete.before_copy');
  await backend.copyWithin?.(upload.put_key, key, { etag: arrived.etag, acl });
  await fault('complete.after_copy');
  const stored = await backend.head(key);
  if (stored === undefined) throw new RowlockError('unavailable', 'The store does not have what it copied');
  return { ...stored, key };
}

/** @throws RowlockError `incomplete_body`, `too_large` */
function assertSize({ declared_size, size_max }: UploadToComplete, size: number): void {
  if (declared_size !== null && size < Number(declared_size)) {
    throw new RowlockError('incomplete_body', `The object has ${size} bytes instead of ${declared_size}`);
  }
  if (size > Number(size_max)) {
    throw new RowlockError('too_large', `The object has ${size} bytes; at most ${size_max} are accepted`);
  }
}

/** @throws RowlockError `incomplete_body`, `too_large`, `bad_digest`: what is there is not what was asked for */
async function assertAsDeclared(
  backend: Backend,
  upload: UploadToComplete,
  { key, size }: StoredObject,
): Promise<void> {
  const { sha256 } = upload;
  assertSize(upload, size);
  if (sha256 === null || upload.sha256_is_signed) {
    return;
  }
  const hash = createHash('sha256');
  const { stream } = await backend.get(key);
  for await (const chunk of stream) {
    hash.update(chunk as Buffer);
  }
  if (!hash.digest().equals(sha256)) {
    throw new RowlockError('bad_digest', 'The object does not have the SHA-256 that was declared');
  }
}

async function readHead(backend: Backend, key: string, size: number): Promise<Uint8Array> {
  if (size === 0) {
    return new Uint8Array();
  }
  const { stream } = await backend.get(key, { start: 0, end: Math.min(size, sniffBytes) - 1 });
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
