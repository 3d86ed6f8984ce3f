/** Uploads as rows: begin, commit and abandon, each one function and one round trip. */
import type { Caller, RequestOrigin } from '../domain/caller.ts';
import { type Database, originOf, type Statement } from './database.ts';

/** What begin records about an upload. */
export interface UploadIntent {
  readonly upload_id: string;
  readonly version_id: string;
  readonly bucket: string;
  readonly name: string;
  readonly backend: string;
  readonly key: string;
  readonly content_type: string | undefined;
  readonly declared_size: number | undefined;
  /** True, false, or undefined for the bucket's own setting. */
  readonly overwrite: boolean | undefined;
  readonly cache_control: string | undefined;
  readonly user_metadata: Readonly<Record<string, unknown>> | undefined;
  /** The server's own limit in bytes. */
  readonly size_cap: number;
  /** Validators without quotes that the object must have, and must not; `*` for any. */
  readonly if_match?: readonly string[] | undefined;
  readonly if_none_match?: readonly string[] | undefined;
}

/** What a form said of its file behind it. */
export interface Amendments {
  readonly content_type?: string | undefined;
  readonly cache_control?: string | undefined;
  readonly user_metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** What was measured while the bytes streamed. */
export interface StoredBytes {
  readonly size: number;
  readonly sha256: Buffer | undefined;
  readonly etag: string | undefined;
  readonly detected_type: string | undefined;
  readonly amended?: Amendments | undefined;
  /** Of the request that brought them; nobody's where a worker commits. */
  readonly origin?: RequestOrigin | undefined;
}

/** The object that a commit wrote. */
export interface CommittedObject {
  readonly created: boolean;
  readonly id: string;
  readonly bucket_id: string;
  readonly name: string;
  readonly owner_id: string | null;
  readonly version_id: string;
  readonly size: string;
  readonly content_type: string;
  readonly sha256: Buffer | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export const uploadBegin: Statement = {
  name: 'upload_begin',
  text: `SELECT storage_internal.begin_upload($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         AS size_max`,
};

/** The columns of `CommittedObject`, of a commit function called `c`. */
export const committedColumns: string = `c.created, (c.object).id, (c.object).bucket_id, (c.object).name, (c.object).owner_id,
  (c.object).version_id, (c.object).size, (c.object).content_type, (c.object).sha256, (c.object).created_at,
  (c.object).updated_at`;

export const uploadCommit: Statement = {
  name: 'upload_commit',
  text: `SELECT ${committedColumns} FROM storage_internal.commit_upload($1, $2, $3, $4, $5, $6, $7, $8, $9) AS c`,
};

export const uploadAbandon: Statement = {
  name: 'upload_abandon',
  text: 'SELECT storage_internal.abandon_upload($1, $2) AS abandoned',
};

export const uploadDirect: Statement = {
  name: 'upload_direct',
  text: 'SELECT upload_id, size_max FROM storage_internal.direct_upload($1, $2)',
};

/** What a begin function is told first, in its order. */
export function intentValues(caller: Caller, intent: UploadIntent): readonly unknown[] {
  return [
    intent.upload_id,
    intent.version_id,
    intent.bucket,
    intent.name,
    caller.role,
    caller.claims,
    intent.content_type ?? null,
    intent.declared_size ?? null,
    intent.cache_control ?? null,
    intent.user_metadata === undefined ? null : JSON.stringify(intent.user_metadata),
    intent.backend,
    intent.key,
    intent.overwrite ?? null,
    intent.size_cap,
    intent.if_match ?? null,
    intent.if_none_match ?? null,
  ];
}

/**
 * Asks limits and policies, and writes the intent. Answers the largest body that is accepted, in bytes.
 *
 * @throws RowlockError `bucket_not_found`, `object_exists`, `precondition_failed`, `not_allowed`, `too_large`,
 *   `media_type_not_allowed`
 */
export async function beginUpload(db: Database, caller: Caller, intent: UploadIntent): Promise<number> {
  const rows = await db.run<{ size_max: string }>(uploadBegin, intentValues(caller, intent));
  return Number(rows[0]?.size_max);
}

/**
 * Commits stored bytes as the caller, or, with `caller` undefined, as the role and claims that the intent stored.
 * Atomic: the object's row, its history and the jobs that follow are there together or not at all.
 *
 * @throws RowlockError `upload_gone`, `object_exists`, `precondition_failed`, `not_allowed`, `too_large`,
 *   `media_type_not_allowed`, `bucket_not_found`, `bad_digest`
 */
export async function commitUpload(
  db: Database,
  caller: Caller | undefined,
  uploadId: string,
  bytes: StoredBytes,
): Promise<CommittedObject> {
  const rows = await db.run<CommittedObject & Record<string, unknown>>(uploadCommit, [
    uploadId,
    caller?.role ?? null,
    caller?.claims ?? null,
    bytes.size,
    bytes.sha256 ?? null,
    bytes.etag ?? null,
    bytes.detected_type ?? null,
    bytes.amended === undefined ? null : JSON.stringify(bytes.amended),
    bytes.origin === undefined ? null : originOf(bytes),
  ]);
  return rows[0] as CommittedObject;
}

/** Gives an upload up, so that its bytes are purged. Idempotent; does nothing to a committed one. */
export async function abandonUpload(db: Database, uploadId: string, reason: string): Promise<boolean> {
  const rows = await db.run<{ abandoned: boolean }>(uploadAbandon, [uploadId, reason]);
  return rows[0]?.abandoned ?? false;
}

/** What may arrive under a key now by a presigned PUT; `undefined` for nothing. */
export async function selectDirectUpload(
  db: Database,
  key: string,
  backend: string,
): Promise<{ readonly upload_id: string; readonly size_max: number } | undefined> {
  const rows = await db.run<{ upload_id: string; size_max: string }>(uploadDirect, [key, backend]);
  return rows[0] && { upload_id: rows[0].upload_id, size_max: Number(rows[0].size_max) };
}
