/** Moves and copies as statements, each one function that runs as the caller and is atomic. No byte is touched. */
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';

/** From where, to where, and on which conditions. */
export interface Relocation {
  readonly source_bucket: string;
  readonly source_name: string;
  readonly target_bucket: string;
  readonly target_name: string;
  readonly overwrite: boolean;
  /** The version that the source must have. */
  readonly source_version: string | undefined;
  /** Validators that the source must have, and what has the target's name must not. */
  readonly if_match: readonly string[] | undefined;
  readonly if_none_match: readonly string[] | undefined;
}

/** A folder and where its objects go. Prefixes are empty or end in a slash. */
export interface FolderRelocation {
  readonly source_bucket: string;
  readonly source_prefix: string;
  readonly target_bucket: string;
  readonly target_prefix: string;
}

/** The object as it is now; its id is null where the caller may not read it there. */
export interface RelocatedObject {
  readonly id: string | null;
  readonly bucket_id: string;
  readonly name: string;
  readonly owner_id: string | null;
  readonly version: string | null;
  readonly sha256: Buffer | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly user_metadata: Readonly<Record<string, unknown>> | null;
  readonly created_at: Date | null;
  readonly updated_at: Date | null;
  readonly last_accessed_at: Date | null;
}

const columns =
  'id, bucket_id, name, owner_id, version, sha256, metadata, user_metadata, created_at, updated_at, last_accessed_at';

export const objectMove: Statement = {
  name: 'object_move',
  text: `SELECT ${columns} FROM storage.move_object($1, $2, $3, $4, $5, $6, $7, $8)`,
};

export const objectCopy: Statement = {
  name: 'object_copy',
  text: `SELECT c.created, ${columns
    .split(', ')
    .map((column) => `(c.object).${column}`)
    .join(', ')}
         FROM storage.copy_object($1, $2, $3, $4, $5, $6, $7, $8, $9) AS c`,
};

export const prefixMove: Statement = {
  name: 'prefix_move',
  text: 'SELECT moved, withheld FROM storage.move_prefix($1, $2, $3, $4)',
};

export const prefixCopy: Statement = {
  name: 'prefix_copy',
  text: 'SELECT storage.copy_prefix($1, $2, $3, $4) AS copied',
};

export const prefixDelete: Statement = {
  name: 'prefix_delete',
  text: 'SELECT deleted, withheld FROM storage.delete_prefix($1, $2)',
};

const valuesOf = (at: Relocation): readonly unknown[] => [
  at.source_bucket,
  at.source_name,
  at.target_bucket,
  at.target_name,
  at.overwrite,
  at.source_version ?? null,
  at.if_match ?? null,
  at.if_none_match ?? null,
];

const foldersOf = (at: FolderRelocation): readonly unknown[] => [
  at.source_bucket,
  at.source_prefix,
  at.target_bucket,
  at.target_prefix,
];

/** @throws RowlockError `object_not_found`, `bucket_not_found`, `object_exists`, `precondition_failed`, `not_allowed`, `too_large`, `media_type_not_allowed` */
export async function moveObjectRow(db: Database, caller: Caller, at: Relocation): Promise<RelocatedObject> {
  const scope = { operation: 'storage.object.move' };
  const rows = await db.asCaller<RelocatedObject & Record<string, unknown>>(caller, scope, objectMove, valuesOf(at));
  return rows[0] as RelocatedObject;
}

/** `given` replaces the metadata of the source. @throws RowlockError as a move does */
export async function copyObjectRow(
  db: Database,
  caller: Caller,
  at: Relocation,
  given: { readonly cache_control?: string; readonly user_metadata?: Readonly<Record<string, unknown>> } | undefined,
): Promise<RelocatedObject & { readonly created: boolean }> {
  const rows = await db.asCaller<RelocatedObject & { created: boolean } & Record<string, unknown>>(
    caller,
    { operation: 'storage.object.copy' },
    objectCopy,
    [...valuesOf(at), given === undefined ? null : JSON.stringify(given)],
  );
  return rows[0] as RelocatedObject & { readonly created: boolean };
}

/** Counts what moved, and what the caller sees and may not move. @throws RowlockError `bucket_not_found`, `object_exists`, `not_allowed`, `invalid_request` */
export async function movePrefixRows(
  db: Database,
  caller: Caller,
  at: FolderRelocation,
): Promise<{ readonly moved: number; readonly withheld: number }> {
  const scope = { operation: 'storage.object.move_many' };
  const rows = await db.asCaller<{ moved: string; withheld: string }>(caller, scope, prefixMove, foldersOf(at));
  return { moved: Number(rows[0]?.moved), withheld: Number(rows[0]?.withheld) };
}

/** Counts the copies. @throws RowlockError as a move does */
export async function copyPrefixRows(db: Database, caller: Caller, at: FolderRelocation): Promise<number> {
  const scope = { operation: 'storage.object.copy_many' };
  const rows = await db.asCaller<{ copied: string }>(caller, scope, prefixCopy, foldersOf(at));
  return Number(rows[0]?.copied);
}

/** Counts what went, and what the caller sees and may not delete. @throws RowlockError `bucket_not_found`, `invalid_request` */
export async function deletePrefixRows(
  db: Database,
  caller: Caller,
  bucket: string,
  prefix: string,
): Promise<{ readonly deleted: number; readonly withheld: number }> {
  const scope = { operation: 'storage.object.delete_many' };
  const rows = await db.asCaller<{ deleted: string; withheld: string }>(caller, scope, prefixDelete, [bucket, prefix]);
  return { deleted: Number(rows[0]?.deleted), withheld: Number(rows[0]?.withheld) };
}
