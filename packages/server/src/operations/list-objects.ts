/** List a folder of a bucket: what the caller may see of it. */
import type { Caller } from '../domain/caller.ts';
import { assertPartOfNames } from '../domain/names.ts';
import { type ListEntry, type ListQuery, selectEntries } from '../metadata/objects.ts';
import type { OperationContext } from './context.ts';
import { missingObject } from './refusals.ts';

/** Most entries of one page. */
const listLimitMax = 1000;

export interface ListRequest extends Omit<ListQuery, 'prefix'> {
  /** A folder, with or without its slash. */
  readonly prefix: string;
}

/**
 * Lists objects and folders directly below a prefix, names relative to it.
 *
 * @throws RowlockError `bucket_not_found`, `auth_required`, `invalid_request`
 */
export async function listObjects(
  context: OperationContext,
  caller: Caller,
  request: ListRequest,
): Promise<readonly ListEntry[]> {
  // Before anything else is done with them: what comes here has any length, and trimming slashes goes back and forth.
  assertPartOfNames(request.prefix);
  assertPartOfNames(request.search);
  const folder = request.prefix.replace(/^\/+|\/+$/g, '').normalize('NFC');
  const entries = await selectEntries(context.db, caller, {
    ...request,
    prefix: folder === '' ? '' : `${folder}/`,
    limit: Math.min(request.limit, listLimitMax),
  });
  if (entries.length === 0) {
    const missing = await missingObject(context, caller, request.bucket);
    if (missing.reason !== 'object_not_found') {
      throw missing;
    }
  }
  return entries;
}
