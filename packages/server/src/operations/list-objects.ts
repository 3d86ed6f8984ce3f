/** List a folder of a bucket: what the caller may see of it. */
import { RowlockError } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import { objectNameBytesMax } from '../domain/names.ts';
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
  const folder = request.prefix.replace(/^\/+|\/+$/g, '').normalize('NFC');
  if (Buffer.byteLength(folder) > objectNameBytesMax || request.search.length > objectNameBytesMax) {
    throw new RowlockError('invalid_request', `A prefix has at most ${objectNameBytesMax} bytes`);
  }
  if (`${folder}${request.search}`.includes('\u0000')) {
    throw new RowlockError('invalid_request', 'A prefix has no control characters');
  }
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
