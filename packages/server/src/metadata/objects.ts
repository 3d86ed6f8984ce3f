/** Objects as rows: statements of `storage.objects`, each run as the caller. */
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement, StatementRunner } from './database.ts';

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

/** What is known of an object, without where its bytes are. */
export interface ObjectInfoRow {
  readonly object_id: string;
  readonly version_id: string;
  readonly owner_id: string | null;
  readonly size: string;
  readonly content_type: string;
  readonly detected_type: string | null;
  readonly sha256: Buffer | null;
  readonly cache_control: string | null;
  readonly user_metadata: Readonly<Record<string, unknown>> | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export const objectRead: Statement = {
  name: 'object_read',
  text: 'SELECT * FROM storage_internal.read_object_as($1, $2, $3, $4, $5, $6)',
};

export const objectInfo: Statement = {
  name: 'object_info',
  text: 'SELECT * FROM storage_internal.object_info_as($1, $2, $3, $4, $5, $6)',
};

/** Every name that was asked for, in that order, with what the caller may see of it. */
export const objectInfoMany: Statement = {
  name: 'object_info_many',
  text: `SELECT n.name, o.id AS object_id, o.version_id, o.owner_id, o.size, o.content_type, o.detected_type, o.sha256,
           o.cache_control, o.user_metadata, o.created_at, o.updated_at
         FROM unnest($2::text[]) WITH ORDINALITY AS n (name, place)
           LEFT JOIN storage.objects AS o ON o.bucket_id = $1 AND o.name = n.name
         ORDER BY n.place`,
};

export const objectDelete: Statement = {
  name: 'object_delete',
  text: 'DELETE FROM storage.objects WHERE bucket_id = $1 AND name = $2 RETURNING id',
};

export const objectDeleteIf: Statement = {
  name: 'object_delete_if',
  text: `DELETE FROM storage.objects WHERE bucket_id = $1 AND name = $2
           AND storage.conditions_hold($3, $4, storage.etag_of(sha256, version_id)) RETURNING id`,
};

export const objectDeleteMany: Statement = {
  name: 'object_delete_many',
  text: `DELETE FROM storage.objects WHERE bucket_id = $1 AND name = ANY ($2::text[])
         RETURNING id, bucket_id, name, owner_id, version, metadata, user_metadata, created_at, updated_at, last_accessed_at`,
};

/** The object as the caller sees it, with the bytes of a variant when a preset is given; `undefined` when hidden or missing. */
export async function selectObject(
  db: StatementRunner,
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

/** What is known of an object that the caller may see; of a public bucket only where `onlyPublic` says so. */
export async function selectInfo(
  db: StatementRunner,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string; readonly onlyPublic: boolean },
  operation: string,
): Promise<ObjectInfoRow | undefined> {
  const rows = await db.run<ObjectInfoRow & Record<string, unknown>>(objectInfo, [
    caller.role,
    caller.claims,
    operation,
    at.bucket,
    at.name,
    at.onlyPublic,
  ]);
  return rows[0];
}

/** What an object must be for something to be done to it: validators without quotes, `*` for any. */
export interface Conditions {
  readonly ifMatch?: readonly string[] | undefined;
  readonly ifNoneMatch?: readonly string[] | undefined;
}

/**
 * Deletes the row; its trigger enqueues the purge of the bytes in the same transaction. False where there is none to
 * delete that is what the conditions say.
 */
export async function deleteObjectRow(
  db: Database,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string },
  { ifMatch, ifNoneMatch }: Conditions = {},
): Promise<boolean> {
  const scope = { operation: 'storage.object.delete' };
  const rows =
    ifMatch === undefined && ifNoneMatch === undefined
      ? await db.asCaller(caller, scope, objectDelete, [at.bucket, at.name])
      : await db.asCaller(caller, scope, objectDeleteIf, [at.bucket, at.name, ifMatch ?? null, ifNoneMatch ?? null]);
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

/** What the caller may see of each name, in their order; ids are null where an object is hidden or missing. */
export function selectObjectInfos(
  db: Database,
  caller: Caller,
  bucket: string,
  names: readonly string[],
): Promise<readonly ({ readonly name: string } & (ObjectInfoRow | { readonly object_id: null }))[]> {
  return db.asCaller(caller, { operation: 'storage.object.info_many', readOnly: true }, objectInfoMany, [
    bucket,
    names,
  ]);
}

/** What is said of an object besides its bytes. What is undefined stays. */
export interface ObjectDescription {
  readonly user_metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly cache_control?: string | undefined;
}

/** Run as the caller. */
export const objectDescribe: Statement = {
  name: 'object_describe',
  text: `UPDATE storage.objects AS o
         SET user_metadata = coalesce($4::jsonb, o.user_metadata), cache_control = coalesce($5, o.cache_control)
         WHERE o.bucket_id = $1 AND o.name = $2 AND ($3::uuid IS NULL OR o.version_id = $3) RETURNING o.id`,
};

/** Whether a row was changed: it was there, had the version, and was the caller's to change. @throws RowlockError `not_allowed` */
export async function updateDescription(
  db: Database,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string; readonly version: string | undefined },
  description: ObjectDescription,
): Promise<boolean> {
  const { user_metadata, cache_control } = description;
  const said = user_metadata === undefined ? null : JSON.stringify(user_metadata);
  const values = [at.bucket, at.name, at.version ?? null, said, cache_control ?? null];
  return (await db.asCaller(caller, { operation: 'storage.object.update' }, objectDescribe, values)).length > 0;
}
