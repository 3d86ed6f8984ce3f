/** Buckets as rows: statements of `storage.buckets`, each run as the caller. */
import { RowlockError } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';

export type BucketPolicy = 'private' | 'public' | 'authenticated';

/** What the owner of a bucket may set. */
export interface BucketSettings {
  readonly policy: BucketPolicy;
  /** Bytes. */
  readonly file_size_limit: number | null;
  readonly allowed_mime_types: readonly string[] | null;
  readonly overwrite: 'allow' | 'deny';
  /** The set of presets that variants of its images are made in; `none` for no variants. Default `default`. */
  readonly preset_set?: string;
  /** Whether what a browser would run is shown, in a sandbox, instead of saved as a file. Default false. */
  readonly inline?: boolean;
  /** Whether what comes is scanned, and whether it waits for that. Default off. Only the service loosens it. */
  readonly scan?: 'off' | 'async' | 'before_read';
  /** Kinds of jobs that look at what comes, besides. Only the service sets it. */
  readonly checks?: readonly string[];
  /** Whether what is overwritten or deleted is kept as a version. Default off. */
  readonly versioning?: 'off' | 'on' | 'suspended';
  /** How long what is overwritten or deleted can be restored where versioning is off; null for not at all. */
  readonly soft_delete_seconds?: number | null;
  /** Most versions that a name keeps besides the one that it has. */
  readonly history_keep?: number | null;
  /** How long versioning keeps a version that is not current any more; null for ever. */
  readonly noncurrent_days?: number | null;
  /** Bytes and objects that the bucket, and each owner in it, may keep. */
  readonly quota_bytes?: number | null;
  readonly quota_objects?: number | null;
  readonly owner_quota_bytes?: number | null;
  readonly owner_quota_objects?: number | null;
}

type BigSetting = 'file_size_limit' | 'quota_bytes' | 'quota_objects' | 'owner_quota_bytes' | 'owner_quota_objects';

export interface NewBucket extends BucketSettings {
  readonly name: string;
}

/** What is to change; the rest stays. `public` is the other spelling of a policy. */
export type BucketChanges = Partial<BucketSettings> & { readonly public?: boolean };

/** A row of `storage.buckets`. */
export interface BucketRow extends Omit<BucketSettings, BigSetting> {
  readonly id: string;
  readonly name: string;
  readonly owner_id: string | null;
  readonly public: boolean;
  /** Bytes, as text: a bigint. */
  readonly file_size_limit: string | null;
  readonly quota_bytes: string | null;
  readonly quota_objects: string | null;
  readonly owner_quota_bytes: string | null;
  readonly owner_quota_objects: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface BucketStats {
  readonly file_count: number;
  /** Bytes. */
  readonly total_size: number;
}

export interface BucketPage {
  readonly limit: number;
  readonly offset: number;
  readonly sortColumn: 'id' | 'name' | 'created_at' | 'updated_at';
  readonly descending: boolean;
  /** A part of the name, whatever its case; empty for all. */
  readonly search: string;
}

/** Every setting: each is a column of the table, and granted to application roles. */
const settings: readonly (keyof BucketSettings)[] = [
  'policy',
  'file_size_limit',
  'allowed_mime_types',
  'overwrite',
  'inline',
  'scan',
  'checks',
  'preset_set',
  'versioning',
  'soft_delete_seconds',
  'history_keep',
  'noncurrent_days',
  'quota_bytes',
  'quota_objects',
  'owner_quota_bytes',
  'owner_quota_objects',
];

const columns = ['id', 'name', 'owner_id', 'public', ...settings, 'created_at', 'updated_at'].join(', ');

/** The setting of a record `r` of changes to a bucket `b`: `public` says it for the policy where nothing else does. */
const changed = (name: keyof BucketSettings): string =>
  name === 'policy'
    ? `CASE WHEN $2::jsonb ? 'policy' THEN r.policy WHEN r.public THEN 'public'
         WHEN b.policy = 'public' THEN 'private' ELSE b.policy END`
    : `r.${name}`;

export const bucketInsert: Statement = {
  name: 'bucket_insert',
  text: `INSERT INTO storage.buckets (id, name, ${settings.join(', ')})
         SELECT $1, $1, ${settings.map((name) => `r.${name}`).join(', ')}
         FROM jsonb_populate_record(NULL::storage.buckets, $2::jsonb) AS r RETURNING ${columns}`,
};

export const bucketUpdate: Statement = {
  name: 'bucket_update',
  text: `UPDATE storage.buckets AS b SET (${settings.join(', ')}) =
           (SELECT ${settings.map(changed).join(', ')} FROM jsonb_populate_record(b, $2::jsonb) AS r)
         WHERE b.id = $1 RETURNING ${columns}`,
};

/** Sorts up or down: an order that does not apply is a constant. */
const sortedBy = "CASE $3 WHEN 'created_at' THEN created_at WHEN 'updated_at' THEN updated_at END";

export const bucketList: Statement = {
  name: 'bucket_list',
  text: `SELECT ${columns} FROM storage.buckets WHERE $5 = '' OR strpos(lower(name), lower($5)) > 0
         ORDER BY CASE WHEN NOT $4 THEN ${sortedBy} END, CASE WHEN $4 THEN ${sortedBy} END DESC,
           CASE WHEN NOT $4 THEN name END, CASE WHEN $4 THEN name END DESC
         LIMIT $1 OFFSET $2`,
};

export const bucketGet: Statement = {
  name: 'bucket_get',
  text: `SELECT ${columns} FROM storage.buckets WHERE id = $1`,
};

/** What the caller sees in buckets: it reads every object of theirs. */
export const bucketStats: Statement = {
  name: 'bucket_stats',
  text: `SELECT bucket_id AS id, count(*) AS file_count, sum(size) AS total_size FROM storage.objects
         WHERE bucket_id = ANY ($1::text[]) GROUP BY bucket_id`,
};

/** Run as the login role. */
export const bucketInline: Statement = {
  name: 'bucket_inline',
  text: 'SELECT storage_internal.bucket_inline($1) AS inline',
};

export const bucketDelete: Statement = {
  name: 'bucket_delete',
  text: 'DELETE FROM storage.buckets WHERE id = $1 RETURNING id',
};

/** A row only for whoever may change the bucket: PostgreSQL asks the policies for UPDATE of a row that is locked. */
export const bucketChangeable: Statement = {
  name: 'bucket_changeable',
  text: 'SELECT id FROM storage.buckets WHERE id = $1 FOR KEY SHARE',
};

export const bucketEmpty: Statement = {
  name: 'bucket_empty',
  text: `WITH gone AS (
           DELETE FROM storage.objects
           WHERE id = ANY (ARRAY(SELECT o.id FROM storage.objects AS o WHERE o.bucket_id = $1 LIMIT $2)) RETURNING 1
         )
         SELECT count(*) AS deleted FROM gone`,
};

export const bucketAnyObject: Statement = {
  name: 'bucket_any_object',
  text: 'SELECT id FROM storage.objects WHERE bucket_id = $1 LIMIT 1',
};

/** @throws RowlockError `bucket_exists`, `invalid_bucket_name`, `not_allowed` */
export async function insertBucket(db: Database, caller: Caller, { name, ...given }: NewBucket): Promise<BucketRow> {
  const scope = { operation: 'storage.bucket.create' };
  return first(await db.asCaller<BucketRow & Record<string, unknown>>(caller, scope, bucketInsert, [name, given]));
}

/** Changes settings; `undefined` where there is no bucket that the caller may change. */
export async function updateBucketRow(
  db: Database,
  caller: Caller,
  id: string,
  changes: BucketChanges,
): Promise<BucketRow | undefined> {
  const scope = { operation: 'storage.bucket.update' };
  const rows = await db.asCaller<BucketRow & Record<string, unknown>>(caller, scope, bucketUpdate, [id, changes]);
  return rows[0];
}

/** The buckets that the caller may see. */
export function selectBuckets(db: Database, caller: Caller, page: BucketPage): Promise<readonly BucketRow[]> {
  const { limit, offset, sortColumn, descending, search } = page;
  const scope = { operation: 'storage.bucket.list', readOnly: true };
  return db.asCaller<BucketRow & Record<string, unknown>>(caller, scope, bucketList, [
    limit,
    offset,
    sortColumn,
    descending,
    search,
  ]);
}

/** The bucket, or `undefined` where it is hidden or missing. */
export async function selectBucket(db: Database, caller: Caller, id: string): Promise<BucketRow | undefined> {
  const scope = { operation: 'storage.bucket.get', readOnly: true };
  const rows = await db.asCaller<BucketRow & Record<string, unknown>>(caller, scope, bucketGet, [id]);
  return rows[0];
}

/** How many objects the caller sees in each bucket, and how large they are together. */
export async function selectBucketStats(
  db: Database,
  caller: Caller,
  ids: readonly string[],
): Promise<ReadonlyMap<string, BucketStats>> {
  const rows = await db.asCaller<{ id: string; file_count: string; total_size: string }>(
    caller,
    { operation: 'storage.bucket.get', readOnly: true },
    bucketStats,
    [ids],
  );
  return new Map(
    rows.map((row) => [row.id, { file_count: Number(row.file_count), total_size: Number(row.total_size) }]),
  );
}

/** Whether a bucket shows what browsers would run; of whatever bucket, for what was found in it already. */
export async function selectInline(db: Database, id: string): Promise<boolean> {
  const [row] = await db.run<{ inline: boolean }>(bucketInline, [id]);
  return row?.inline ?? false;
}

/** Deletes an empty bucket; false where there is none that the caller may delete. @throws RowlockError `bucket_not_empty` */
export async function deleteBucketRow(db: Database, caller: Caller, id: string): Promise<boolean> {
  const rows = await db.asCaller(caller, { operation: 'storage.bucket.delete' }, bucketDelete, [id]);
  return rows.length === 1;
}

/** Whether the caller may change the bucket. */
export async function mayChangeBucket(db: Database, caller: Caller, id: string): Promise<boolean> {
  const rows = await db.asCaller(caller, { operation: 'storage.bucket.empty' }, bucketChangeable, [id]);
  return rows.length === 1;
}

/** Deletes up to so many objects of a bucket, in a transaction of their own; answers how many. */
export async function deleteObjectsOf(db: Database, caller: Caller, id: string, limit: number): Promise<number> {
  const scope = { operation: 'storage.bucket.empty' };
  const rows = await db.asCaller<{ deleted: string }>(caller, scope, bucketEmpty, [id, limit]);
  return Number(rows[0]?.deleted);
}

/** Whether the caller sees no object in the bucket. */
export async function seesNoObject(db: Database, caller: Caller, id: string): Promise<boolean> {
  const scope = { operation: 'storage.bucket.empty', readOnly: true };
  return (await db.asCaller(caller, scope, bucketAnyObject, [id])).length === 0;
}

function first<Row>(rows: readonly Row[]): Row {
  const row = rows[0];
  if (row === undefined) {
    throw new RowlockError('not_allowed', 'The policies do not allow this');
  }
  return row;
}
