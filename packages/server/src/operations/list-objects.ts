/** List a folder of a bucket by offsets, as the first version of the protocol does: what the caller may see of it. */
import type { Caller } from '../domain/caller.ts';
import { assertPartOfNames } from '../domain/names.ts';
import { type ListPage, type ListQuery, type ListSort, selectPage } from '../metadata/listing.ts';
import type { OperationContext } from './context.ts';
import { missingObject } from './refusals.ts';

/** Most entries of one page. */
export const listLimitMax = 1000;

export interface ListRequest {
  readonly bucket: string;
  /** A folder, with or without its slash. */
  readonly prefix: string;
  readonly search: string;
  readonly limit: number;
  readonly offset: number;
  readonly sort: ListSort;
  readonly descending: boolean;
  /** Everything below the folder instead of what is directly in it. */
  readonly recursive: boolean;
}

/**
 * Lists objects and folders directly below a prefix, names relative to it, as a JSON array. Names come in the order of
 * their bytes, a folder where its slash puts it; with a sort by time folders come first.
 *
 * @throws RowlockError `bucket_not_found`, `auth_required`, `invalid_request`
 */
export async function listObjects(context: OperationContext, caller: Caller, request: ListRequest): Promise<string> {
  // Before anything else is done with them: what comes here has any length, and trimming slashes goes back and forth.
  assertPartOfNames(request.prefix);
  assertPartOfNames(request.search);
  const { recursive, ...rest } = request;
  const folder = request.prefix.replace(/^\/+|\/+$/g, '').normalize('NFC');
  const page = await visiblePage(context, caller, {
    ...rest,
    prefix: folder === '' ? '' : `${folder}/`,
    search: request.search.normalize('NFC'),
    limit: Math.min(request.limit, listLimitMax),
    delimited: !recursive,
    after: undefined,
    fullNames: false,
  });
  return `[${page.entries}]`;
}

/** A page, or why there is none. What a standby does not know yet is asked of the primary. */
export async function visiblePage(context: OperationContext, caller: Caller, query: ListQuery): Promise<ListPage> {
  const { reads } = context;
  const seen = await selectPage(reads, caller, query);
  const page = seen.last === undefined && reads.mayLag ? await selectPage(context.db, caller, query) : seen;
  if (page.last === undefined) {
    const missing = await missingObject(context, caller, query.bucket);
    if (missing.reason !== 'object_not_found') {
      throw missing;
    }
  }
  return page;
}
