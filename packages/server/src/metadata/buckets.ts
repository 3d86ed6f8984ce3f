/** Buckets as rows: statements of `storage.buckets`, each run as the caller. */
import { RowlockError } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';

export type BucketPolicy = 'private' | 'public' | 'authenticated';

/** A row of `storage.buckets`. */
export interface BucketRow {
  readonly id: string;
  readonly name: string;
  readonly owner_id: string | null;
  readonly policy: BucketPolicy;
  readonly public: boolean;
  /** Bytes, as text: a bigint. */
  readonly file_size_limit: string | null;
  readonly allowed_mime_types: readonly string[] | null;
  readonly overwrite: 'allow' | 'deny';
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface NewBucket {
  readonly name: string;
  readonly policy: BucketPolicy;
  readonly file_size_limit: number | null;
  readonly allowed_mime_types: readonly string[] | null;
  readonly overwrite: 'allow' | 'deny';
}

const columns = `id, name, owner_id, policy, public, file_size_limit, allowed_mime_types, overwrite, created_at, updated_at`;

export const bucketInsert: Statement = {
  name: 'bucket_insert',
  text: `INSERT INTO storage.buckets (id, name, policy, file_size_limit, allowed_mime_types, overwrite)
         VALUES ($1, $1, $2, $3, $4, $5) RETURNING ${columns}`,
};

export const bucketList: Statement = {
  name: 'bucket_list',
  text: `SELECT ${columns} FROM storage.buckets ORDER BY name LIMIT $1 OFFSET $2`,
};

export const bucketGet: Statement = {
  name: 'bucket_get',
  text: `SELECT ${columns} FROM storage.buckets WHERE id = $1`,
};

export const bucketDelete: Statement = {
  name: 'bucket_delete',
  text: 'DELETE FROM storage.buckets WHERE id = $1 RETURNING id',
};

/** @throws RowlockError `bucket_exists`, `invalid_bucket_name`, `not_allowed` */
export async function insertBucket(db: Database, caller: Caller, bucket: NewBucket): Promise<BucketRow> {
  const { name, policy, file_size_limit, allowed_mime_types, overwrite } = bucket;
  const rows = await db.asCaller<BucketRow>(caller, { operation: 'storage.bucket.create' }, bucketInsert, [
    name,
    policy,
    file_size_limit,
    allowed_mime_types,
    overwrite,
  ]);
  return first(rows);
}

/** The buckets that the caller may see, by name. */
export function selectBuckets(
  db: Database,
  caller: Caller,
  limit: number,
  offset: number,
): Promise<readonly BucketRow[]> {
  return db.asCaller<BucketRow>(caller, { operation: 'storage.bucket.list', readOnly: true }, bucketList, [
    limit,
    offset,
  ]);
}

/** The bucket, or `undefined` where it is hidden or missing. */
export async function selectBucket(db: Database, caller: Caller, id: string): Promise<BucketRow | undefined> {
  const rows = await db.asCaller<BucketRow>(caller, { operation: 'storage.bucket.get', readOnly: true }, bucketGet, [
    id,
  ]);
  return rows[0];
}

/** Deletes an empty bucket; false where there is none that the caller may delete. @throws RowlockError `bucket_not_empty` */
export async function deleteBucketRow(db: Database, caller: Caller, id: string): Promise<boolean> {
  const rows = await db.asCaller(caller, { operation: 'storage.bucket.delete' }, bucketDelete, [id]);
  return rows.length === 1;
}

function first<Row>(rows: readonly Row[]): Row {
  const row = rows[0];
  if (row === undefined) {
    throw new RowlockError('not_allowed', 'The policies do not allow this');
  }
  return row;
}
