/**
 * Listings and what a ZIP download is made of, each one statement that becomes the caller. Entries come as the insides
 * of JSON arrays, made by PostgreSQL: they are passed on and never parsed here.
 */
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement, StatementRunner } from './database.ts';

export type ListSort = 'name' | 'created_at' | 'updated_at' | 'last_accessed_at';

/** The last entry of a page, and so where the next one begins. */
export interface ListPosition {
  /** The whole name; a folder's with its slash. */
  readonly name: string;
  readonly folder: boolean;
  /** Of an object in a listing that is sorted by a time: that time, to the microsecond. */
  readonly at: string | null;
}

export interface ListQuery {
  readonly bucket: string;
  /** What names begin with. */
  readonly prefix: string;
  /** Whether names are cut at their first slash behind the prefix. */
  readonly delimited: boolean;
  readonly descending: boolean;
  readonly sort: ListSort;
  /** Behind which entry the page begins. */
  readonly after: ListPosition | undefined;
  readonly limit: number;
  readonly offset: number;
  /** Part of the names of entries, in any case; empty for all. */
  readonly search: string;
  /** Whether names are whole and folders apart; otherwise names are relative and folders stand among the objects. */
  readonly fullNames: boolean;
}

export interface ListPage {
  /** Objects as JSON, separated by commas. */
  readonly entries: string;
  /** Folders as JSON, separated by commas; with `fullNames` only. */
  readonly folders: string;
  readonly last: ListPosition | undefined;
  /** Whether another page follows; with `fullNames` or a sort by time only. */
  readonly more: boolean;
}

interface PageRow extends Record<string, unknown> {
  readonly entries: string;
  readonly folders: string;
  readonly last_name: string | null;
  readonly last_folder: boolean | null;
  readonly last_at: string | null;
  readonly more: boolean;
}

export const objectList: Statement = {
  name: 'object_list',
  text: `SELECT * FROM storage_internal.list_objects_as(
           $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
};

/** Run as the caller. */
export const entryCount: Statement = {
  name: 'entry_count',
  text: 'SELECT storage.list_count($1, $2, $3, $4, $5) AS counted',
};

export const zipTotals: Statement = {
  name: 'zip_totals',
  text: 'SELECT * FROM storage_internal.zip_totals_as($1, $2, $3, $4, $5, $6)',
};

export const zipPage: Statement = {
  name: 'zip_page',
  text: 'SELECT * FROM storage_internal.zip_page_as($1, $2, $3, $4, $5, $6, $7)',
};

/** One page of what the caller may see. */
export async function selectPage(db: StatementRunner, caller: Caller, query: ListQuery): Promise<ListPage> {
  const rows = await db.run<PageRow>(objectList, [
    caller.role,
    caller.claims,
    'storage.object.list',
    query.bucket,
    query.prefix,
    query.delimited,
    query.descending,
    query.sort,
    query.after?.name ?? null,
    query.after?.folder ?? false,
    query.after?.at ?? null,
    query.limit,
    query.offset,
    query.search,
    query.fullNames,
  ]);
  const row = rows[0];
  if (row === undefined) {
    throw new TypeError('a listing has one row');
  }
  const { entries, folders, last_name, last_folder, last_at, more } = row;
  const last = last_name === null ? undefined : { name: last_name, folder: last_folder ?? false, at: last_at };
  return { entries, folders, last, more };
}

/** How many entries a listing has for the caller, counted to a limit. */
export async function selectEntryCount(
  db: Database,
  caller: Caller,
  query: Pick<ListQuery, 'bucket' | 'prefix' | 'delimited' | 'search'>,
  countMax: number,
): Promise<number> {
  const scope = { operation: 'storage.object.list', readOnly: true };
  const values = [query.bucket, query.prefix, query.delimited, query.search, countMax];
  return (await db.asCaller<{ counted: number }>(caller, scope, entryCount, values))[0]?.counted ?? 0;
}

/** Run as the caller. */
export const zipChosenTotals: Statement = {
  name: 'zip_chosen_totals',
  text: 'SELECT * FROM storage.zip_chosen_totals($1, $2, $3, $4)',
};

/** Run as the caller. */
export const zipChosenPage: Statement = {
  name: 'zip_chosen_page',
  text: 'SELECT * FROM storage.zip_chosen_page($1, $2, $3, $4, $5)',
};

/** An object on its way into a ZIP. */
export interface ZipObject {
  readonly name: string;
  readonly object_id: string;
  readonly key: string;
  readonly backend: string;
  readonly size: string;
  readonly content_type: string | null;
  readonly detected_type: string | null;
  readonly updated_at: Date;
  /** Whether names below this one exist, so that a folder of its name does. */
  readonly is_prefix: boolean;
}

/** What names have in common that are downloaded together. */
export interface ZipPlace {
  readonly bucket: string;
  readonly prefix: string;
  /** Only these below the prefix: whole names, and folders with their slashes. */
  readonly chosen?: { readonly names: readonly string[]; readonly folders: readonly string[] } | undefined;
}

const zipOperation = 'storage.object.zip';
const zipScope = { operation: zipOperation, readOnly: true };

/** How many objects and bytes the caller may read below a prefix, counted to one object beyond `countMax`. */
export async function selectZipTotals(
  db: Database,
  caller: Caller,
  { bucket, prefix, chosen }: ZipPlace,
  countMax: number,
): Promise<{ readonly count: number; readonly bytes: number }> {
  type Totals = { object_count: string; bytes: string };
  const [row] =
    chosen === undefined
      ? await db.run<Totals>(zipTotals, [caller.role, caller.claims, zipOperation, bucket, prefix, countMax])
      : await db.asCaller<Totals>(caller, zipScope, zipChosenTotals, [bucket, chosen.names, chosen.folders, countMax]);
  return { count: Number(row?.object_count), bytes: Number(row?.bytes) };
}

/** The next objects behind a name, as the caller may read them now. */
export function selectZipPage(
  db: Database,
  caller: Caller,
  { bucket, prefix, chosen }: ZipPlace,
  page: { readonly after: string; readonly limit: number },
): Promise<readonly ZipObject[]> {
  type Row = ZipObject & Record<string, unknown>;
  const { after, limit } = page;
  return chosen === undefined
    ? db.run<Row>(zipPage, [caller.role, caller.claims, zipOperation, bucket, prefix, after, limit])
    : db.asCaller<Row>(caller, zipScope, zipChosenPage, [bucket, chosen.names, chosen.folders, after, limit]);
}
