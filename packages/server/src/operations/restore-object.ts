/**
 * Restore: an older version becomes what its name has now, or a deletion is taken back. In constant time, since bytes
 * stay where they are; what the name had until now stays in history, or the name is taken.
 */
import { isRowlockError } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import { fault } from '../domain/fault.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { type RestoredObject, restoreVersion } from '../metadata/history.ts';
import type { OperationContext } from './context.ts';
import { missingObject, refusalFor } from './refusals.ts';

/**
 * Restores a version, or with none given the one that was deleted last. Atomic. Restoring what is current already
 * changes nothing.
 *
 * @throws RowlockError `object_not_found`, `bucket_not_found`, `object_exists` where the name has an object that would be
 *   lost, `not_allowed`, `auth_required`, `invalid_name`, and what the bucket does not take any more
 */
export async function restoreObject(
  context: OperationContext,
  caller: Caller,
  request: { readonly bucket: string; readonly name: string; readonly version: string | undefined },
): Promise<RestoredObject> {
  const name = normaliseObjectName(request.name);
  await fault('restore.before_commit');
  try {
    const restored = await restoreVersion(context.db, caller, { ...request, name });
    await fault('restore.after_commit');
    return restored;
  } catch (error) {
    throw await explained(context, caller, request.bucket, error);
  }
}

/** Hidden and missing are answered as they are for a download. */
async function explained(context: OperationContext, caller: Caller, bucket: string, error: unknown): Promise<unknown> {
  return isRowlockError(error, 'object_not_found') ? missingObject(context, caller, bucket) : refusalFor(caller, error);
}

export type { RestoredObject } from '../metadata/history.ts';
