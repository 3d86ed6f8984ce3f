/** Objects as rows: statements of `storage.objects`, each run as the caller, and the lookup of signed URLs. */
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';

/** What a read needs to know: the object, where its bytes (or a variant's) are, and how to serve them. */
export interface ReadableObject {
  readonly object_id: string;
  /** Null when the variant that was asked for is not there. */
  readonly key: string | null;
  readonly backend: string | null;
  readonly size: string | null;
  readonly content_type: string | null;
  readonly detected_type: string | null;
  readonly sha256: Buffer | null;
  readonly cache_control: string | null;
  readonly updated_at: Date;
  readonly variant_status: string | null;
}

/** The same, with what only a caller who may select the object learns. */
export interface CallersObject extends ReadableObject {
  readonly owner_id: string | null;
  readonly version_id: string;
  readonly user_metadata: Readonly<Record<string, unknown>> | null;
  readonly created_at: Date;
  /** Whether the object's bucket is public. */
  readonly public: boolean;
}

/** One entry of a listing: an object, or a folder (id null). Names are relative to the prefix. */
export interface ListEntry {
  readonly name: string;
  readonly id: string | null;
  readonly created_at: Date | null;
  readonly updated_at: Date | null;
  readonly last_accessed_at: Date | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

export interface ListQuery {
  readonly bucket: string;
  /** Folder to list: empty, or ending in a slash. */
  readonly prefix: string;
  readonly search: string;
  readonly limit: number;
  readonly offset: number;
  readonly sortColumn: 'name' | 'created_at' | 'updated_at' | 'last_accessed_at';
  readonly descending: boolean;
}

export const objectRead: Statement = {
  name: 'object_read',
  text: 'SELECT * FROM storage_internal.read_object_as($1, $2, $3, $4, $5, $6)',
};

export const objectReadSigned: Statement = {
  name: 'object_read_signed',
  text: 'SELECT * FROM storage_internal.signed_object($1, $2, $3, $4)',
};

export const objectDelete: Statement = {
  name: 'object_delete',
  text: 'DELETE FROM storage.objects WHERE bucket_id = $1 AND name = $2 RETURNING id',
};

export const objectDeleteMany: Statement = {
  name: 'object_delete_many',
  text: `DELETE FROM storage.objects WHERE bucket_id = $1 AND name = ANY ($2::text[])
         RETURNING id, bucket_id, name, owner_id, version, metadata, user_metadata, created_at, updated_at, last_accessed_at`,
};

/** Sorts one column up or down: an order that does not apply is a constant. */
const times =
  "CASE $6 WHEN 'created_at' THEN created_at WHEN 'updated_at' THEN updated_at WHEN 'last_accessed_at' THEN last_accessed_at END";

/** The page is cut before anything wide is read: metadata is joined for its rows only. */
export const objectList: Statement = {
  name: 'object_list',
  text: `WITH below AS (
           SELECT o.id, o.created_at, o.updated_at, o.last_accessed_at, substr(o.name, length($2::text) + 1) AS rest
           FROM storage.objects AS o
           WHERE o.bucket_id = $1 AND o.name >= $2::text AND starts_with(o.name, $2::text)
         ), entries AS (
           SELECT rest AS name, id, created_at, updated_at, last_accessed_at FROM below WHERE strpos(rest, '/') = 0
           UNION ALL
           SELECT DISTINCT split_part(rest, '/', 1), NULL::uuid, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz
           FROM below WHERE strpos(rest, '/') > 0
         ), page AS (
           SELECT * FROM entries
           WHERE $3 = '' OR strpos(lower(name), lower($3)) > 0
           ORDER BY
             CASE WHEN NOT $7 THEN ${times} END ASC NULLS FIRST,
             CASE WHEN $7 THEN ${times} END DESC NULLS LAST,
             CASE WHEN NOT $7 THEN name COLLATE "C" END ASC,
             CASE WHEN $7 THEN name COLLATE "C" END DESC,
             id NULLS FIRST
           LIMIT $4 OFFSET $5
         )
         SELECT p.name, p.id, p.created_at, p.updated_at, p.last_accessed_at, o.metadata
         FROM (SELECT *, row_number() OVER () AS place FROM page) AS p LEFT JOIN storage.objects AS o ON o.id = p.id
         ORDER BY p.place`,
};

/** The object as the caller sees it, with the bytes of a variant when a preset is given; `undefined` when hidden or missing. */
export async function selectObject(
  db: Database,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string; readonly preset?: string | undefined },
  operation: string,
): Promise<CallersObject | undefined> {
  const rows = await db.run<CallersObject & Record<string, unknown>>(objectRead, [
    caller.role,
    caller.claims,
    operation,
    at.bucket,
    at.name,
    at.preset ?? null,
  ]);
  return rows[0];
}

/** The object of a verified signed URL. */
export async function selectSignedObject(
  db: Database,
  grant: {
    readonly bucket: string;
    readonly name: string;
    readonly object_id: string;
    readonly preset: string | undefined;
  },
): Promise<ReadableObject | undefined> {
  const rows = await db.run<ReadableObject & Record<string, unknown>>(objectReadSigned, [
    grant.bucket,
    grant.name,
    grant.object_id,
    grant.preset ?? null,
  ]);
  return rows[0];
}

/** Deletes the row; its trigger enqueues the purge of the bytes in the same transaction. False where there is none to delete. */
export async function deleteObjectRow(db: Database, caller: Caller, bucket: string, name: string): Promise<boolean> {
  const rows = await db.asCaller(caller, { operation: 'storage.object.delete' }, objectDelete, [bucket, name]);
  return rows.length === 1;
}

/** Deletes the rows of exact names; answers those that were there and the caller's to delete. */
export function deleteObjectRows(
  db: Database,
  caller: Caller,
  bucket: string,
  names: readonly string[],
): Promise<readonly Record<string, unknown>[]> {
  return db.asCaller(caller, { operation: 'storage.object.delete_many' }, objectDeleteMany, [bucket, names]);
}

/** One page of a folder: objects and folders that the caller may see. */
export function selectEntries(db: Database, caller: Caller, query: ListQuery): Promise<readonly ListEntry[]> {
  return db.asCaller<ListEntry & Record<string, unknown>>(
    caller,
    { operation: 'storage.object.list', readOnly: true },
    objectList,
    [query.bucket, query.prefix, query.search, query.limit, query.offset, query.sortColumn, query.descending],
  );
}
