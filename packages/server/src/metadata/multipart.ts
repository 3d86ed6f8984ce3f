/** Uploads in parts as rows: begun, found again by whoever began them, given up; and what workers ask and write of them. */
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';
import { type CommittedObject, intentValues, type UploadIntent } from './uploads.ts';

/** What an upload in parts is begun with. */
export interface MultipartIntent extends UploadIntent {
  readonly declared_size: number;
  readonly part_size: number;
  /** In lower-case hex. */
  readonly sha256: string | undefined;
}

/** `pending` until the store has begun it; `completing` while a worker puts it together. */
export type MultipartStatus = 'pending' | 'open' | 'completing' | 'completed' | 'failed';

/** An upload in parts, as its uploader may know it. */
export interface MultipartUpload {
  readonly upload_id: string;
  readonly bucket: string;
  readonly name: string;
  readonly size: number;
  readonly part_size: number;
  readonly part_count: number;
  readonly content_type: string | null;
  readonly status: MultipartStatus;
  /** Why it failed, or why it could not be completed yet. */
  readonly error: string | null;
  readonly backend: string;
  readonly key: string;
  readonly store_id: string | null;
  readonly expires_at: Date;
  /** Whether the caller who asks began it; of a caller's own only. */
  readonly is_requester?: boolean;
}

interface MultipartRow extends Omit<MultipartUpload, 'bucket' | 'size' | 'part_size'>, Record<string, unknown> {
  readonly bucket_id: string;
  readonly size: string;
  readonly part_size: string;
}

export const multipartBegin: Statement = {
  name: 'multipart_begin',
  text: `SELECT storage_internal.begin_multipart($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         AS expires_at`,
};

export const multipartBegun: Statement = {
  name: 'multipart_begun',
  text: 'SELECT storage_internal.multipart_begun($1, $2, $3) AS is_ours',
};

export const multipartToBegin: Statement = {
  name: 'multipart_to_begin',
  text: 'SELECT backend, key, content_type FROM storage_internal.multipart_to_begin($1)',
};

export const multipartFind: Statement = {
  name: 'multipart_find',
  text: 'SELECT * FROM storage_internal.multipart_as($1, $2, $3)',
};

export const multipartState: Statement = {
  name: 'multipart_state',
  text: 'SELECT * FROM storage_internal.multipart_state($1)',
};

export const multipartAbort: Statement = {
  name: 'multipart_abort',
  text: 'SELECT storage_internal.abort_multipart_as($1, $2, $3) AS status',
};

export const multipartObject: Statement = {
  name: 'multipart_object',
  text: `SELECT false AS created, id, bucket_id, name, owner_id, version_id, size, content_type, sha256, created_at, updated_at
         FROM storage_internal.multipart_object($1)`,
};

export const multipartFail: Statement = {
  name: 'multipart_fail',
  text: 'SELECT storage_internal.multipart_failed($1, $2)',
};

export const partExpected: Statement = {
  name: 'part_expected',
  text: 'SELECT bytes FROM storage_internal.part_expected($1, $2, $3, $4)',
};

export const partsListed: Statement = {
  name: 'parts_listed',
  text: 'SELECT storage_internal.parts_listed($1, $2)',
};

export const openStoreUploads: Statement = {
  name: 'open_store_uploads',
  text: 'SELECT open_store_uploads AS store_id FROM storage_internal.open_store_uploads($1)',
};

/**
 * Asks limits and policies, and writes the intent; answers until when it lives.
 *
 * @throws RowlockError as `beginUpload`; `auth_required` for a caller who is nobody, `rate_limited` for one with too many
 */
export async function beginMultipart(db: Database, caller: Caller, intent: MultipartIntent): Promise<Date> {
  const rows = await db.run<{ expires_at: Date }>(multipartBegin, [
    ...intentValues(caller, intent),
    intent.part_size,
    intent.sha256 === undefined ? null : Buffer.from(intent.sha256, 'hex'),
  ]);
  return rows[0]?.expires_at as Date;
}

/** Records what the store calls an upload; false where that is nobody's: the upload is over, or was begun before. */
export async function recordBegun(
  db: Database,
  upload: { readonly upload_id: string; readonly store_id: string; readonly bucket: string },
): Promise<boolean> {
  const rows = await db.run<{ is_ours: boolean }>(multipartBegun, [upload.upload_id, upload.store_id, upload.bucket]);
  return rows[0]?.is_ours === true;
}

/** A caller's own upload; undefined for what is not there or not theirs. */
export async function findMultipart(
  db: Database,
  caller: Caller,
  uploadId: string,
): Promise<MultipartUpload | undefined> {
  const [row] = await db.run<MultipartRow>(multipartFind, [caller.role, caller.claims, uploadId]);
  return row && uploadOf(row);
}

/** Any upload, for workers. */
export async function selectMultipart(db: Database, uploadId: string): Promise<MultipartUpload | undefined> {
  const [row] = await db.run<MultipartRow>(multipartState, [uploadId]);
  return row && uploadOf(row);
}

function uploadOf({ bucket_id: bucket, size, part_size, ...rest }: MultipartRow): MultipartUpload {
  return { ...rest, bucket, size: Number(size), part_size: Number(part_size) };
}

/** Gives a caller's own upload up, and says what it was; undefined for what is not theirs. */
export async function abortMultipart(
  db: Database,
  caller: Caller,
  uploadId: string,
): Promise<MultipartStatus | undefined> {
  const [row] = await db.run<{ status: MultipartStatus | null }>(multipartAbort, [
    caller.role,
    caller.claims,
    uploadId,
  ]);
  return row?.status ?? undefined;
}

/** What a completed upload wrote, while its name still has it. */
export async function selectMultipartObject(db: Database, uploadId: string): Promise<CommittedObject | undefined> {
  const [row] = await db.run<CommittedObject & Record<string, unknown>>(multipartObject, [uploadId]);
  return row;
}

/** How many bytes a part has to have that arrives now; undefined where none may. */
export async function selectPartExpected(
  db: Database,
  part: { readonly key: string; readonly backend: string; readonly store_id: string; readonly part_number: number },
): Promise<number | undefined> {
  const [row] = await db.run<{ bytes: string }>(partExpected, [
    part.key,
    part.backend,
    part.store_id,
    part.part_number,
  ]);
  return row && Number(row.bytes);
}
