/** How many entries a listing has for a caller, so that a view of it knows its length before it has read it. */
import type { Caller } from '../domain/caller.ts';
import { assertPartOfNames } from '../domain/names.ts';
import { selectEntryCount } from '../metadata/listing.ts';
import type { OperationContext } from './context.ts';
import type { ListRequest } from './list-objects.ts';
import { missingObject } from './refusals.ts';

/** Beyond it nobody counts: as far as a listing with offsets goes. */
const countedMax = 1_000_000;

/**
 * Counts what `listObjects` would show, up to a million; `complete` says whether that is all. It reads all that it counts.
 *
 * @throws RowlockError `bucket_not_found`, `auth_required`, `invalid_request`
 */
export async function countEntries(
  context: OperationContext,
  caller: Caller,
  request: Pick<ListRequest, 'bucket' | 'prefix' | 'search' | 'recursive'>,
): Promise<{ readonly count: number; readonly complete: boolean }> {
  assertPartOfNames(request.prefix);
  assertPartOfNames(request.search);
  const folder = request.prefix.replace(/^\/+|\/+$/g, '').normalize('NFC');
  const query = {
    bucket: request.bucket,
    prefix: folder === '' ? '' : `${folder}/`,
    delimited: !request.recursive,
    search: request.search.normalize('NFC'),
  };
  const counted = await selectEntryCount(context.db, caller, query, countedMax + 1);
  if (counted === 0) {
    const missing = await missingObject(context, caller, request.bucket);
    if (missing.reason !== 'object_not_found') {
      throw missing;
    }
  }
  return { count: Math.min(counted, countedMax), complete: counted <= countedMax };
}
