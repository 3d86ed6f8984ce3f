/**
 * Direct uploads: bytes that arrive under a key by a presigned PUT, and their completion. Our own door takes bytes for
 * open intents only and never twice; completion believes the bytes, not what anybody said of them.
 */
import { createHash } from 'node:crypto';
import { isRowlockError, RowlockError } from '@rowlock/client/contract';
import type { Backend } from '../backend/backend.ts';
import type { Backends } from '../backend/backends.ts';
import type { SentChecksum } from '../domain/checksum.ts';
import { fault } from '../domain/fault.ts';
import { MeasuredBody } from '../domain/measured-body.ts';
import { detectMediaType, sniffBytes } from '../domain/media-type.ts';
import type { Database } from '../metadata/database.ts';
import { one, uploadToComplete } from '../metadata/upkeep.ts';
import { abandonUpload, commitUpload, selectDirectUpload } from '../metadata/uploads.ts';
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

export type Completion = 'committed' | 'waiting' | 'gone' | 'refused';

interface UploadToComplete extends Record<string, unknown> {
  readonly backend: string;
  readonly key: string;
  readonly size_max: string;
  readonly expired: boolean;
  readonly declared_size: string | null;
  readonly sha256: Buffer | null;
  /** Whether the store has compared it, because the URL binds it. */
  readonly sha256_is_signed: boolean;
}

/**
 * Commits a direct upload whose bytes have arrived, as the role and claims that its intent stored. `waiting`: not yet
 * there, and the URL may still be used; `gone`: finished or given up before; `refused`: limits or policies say no,
 * and the bytes are purged. Idempotent.
 */
export async function completeDirectUpload(
  context: { readonly db: Database; readonly backends: Backends },
  uploadId: string,
): Promise<Completion> {
  const upload = await one<UploadToComplete>(context.db, uploadToComplete, [uploadId]);
  if (upload === undefined) {
    return 'gone';
  }
  const backend = context.backends.of(upload.backend);
  const stored = await backend.head(upload.key);
  if (stored === undefined) {
    if (!upload.expired) {
      return 'waiting';
    }
    await abandonUpload(context.db, uploadId, 'the bytes never arrived');
    return 'gone';
  }
  try {
    await assertAsDeclared(backend, upload, stored.size);
    const detected = await detectMediaType(await readHead(backend, upload.key, stored.size));
    await fault('complete.before_commit');
    await commitUpload(context.db, undefined, uploadId, {
      size: stored.size,
      sha256: upload.sha256 ?? undefined,
      etag: stored.etag,
      detected_type: detected,
    });
    await fault('complete.after_commit');
    return 'committed';
  } catch (error) {
    if (isRowlockError(error, 'upload_gone')) {
      return 'gone';
    }
    if (
      isRowlockError(
        error,
        'not_allowed',
        'too_large',
        'quota_exceeded',
        'media_type_not_allowed',
        'object_exists',
        'bucket_not_found',
        'incomplete_body',
        'bad_digest',
      )
    ) {
      await abandonUpload(context.db, uploadId, error.message);
      return 'refused';
    }
    throw error;
  }
}

/** @throws RowlockError `incomplete_body`, `bad_digest`: what is there is not what was asked for */
async function assertAsDeclared(backend: Backend, upload: UploadToComplete, size: number): Promise<void> {
  const { declared_size, sha256 } = upload;
  if (declared_size !== null && size < Number(declared_size)) {
    throw new RowlockError('incomplete_body', `The object has ${size} bytes instead of ${declared_size}`);
  }
  if (sha256 === null || upload.sha256_is_signed) {
    return;
  }
  const hash = createHash('sha256');
  const { stream } = await backend.get(upload.key);
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
