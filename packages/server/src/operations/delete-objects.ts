/** Delete objects: their rows go now, their bytes by a job after the commit. */
import { RowlockError } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import { fault } from '../domain/fault.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { deleteObjectRow, deleteObjectRows, selectObject } from '../metadata/objects.ts';
import type { OperationContext } from './context.ts';
import { forbidden, missingObject } from './refusals.ts';

/** Most names of one call. */
export const deleteNamesMax = 1000;

/**
 * Deletes one object. Idempotent: an object that is hidden or not there is deleted already, within a bucket that the
 * caller sees.
 *
 * @throws RowlockError `not_allowed` for one that is visible, `bucket_not_found`, `auth_required`, `invalid_name`
 */
export async function deleteObject(
  context: OperationContext,
  caller: Caller,
  bucket: string,
  rawName: string,
): Promise<void> {
  const name = normaliseObjectName(rawName);
  await fault('delete.before_commit');
  const deleted = await deleteObjectRow(context.db, caller, bucket, name);
  await fault('delete.after_commit');
  if (deleted) {
    return;
  }
  const look = () => selectObject(context.db, caller, { bucket, name }, 'storage.object.delete');
  const kept = await look();
  if (kept !== undefined) {
    // Kept by the policies, or made since the delete looked: the same object still there after another one tells.
    if (!(await deleteObjectRow(context.db, caller, bucket, name)) && (await look())?.object_id === kept.object_id) {
      throw forbidden(caller);
    }
    return;
  }
  const missing = await missingObject(context, caller, bucket);
  if (missing.reason !== 'object_not_found' || caller.anonymous) {
    throw caller.anonymous ? forbidden(caller) : missing;
  }
}

/** Deletes exact names, at most a thousand; answers the rows that went. @throws RowlockError `invalid_request`, `auth_required` */
export async function deleteObjects(
  context: OperationContext,
  caller: Caller,
  bucket: string,
  names: readonly string[],
): Promise<readonly Record<string, unknown>[]> {
  if (names.length > deleteNamesMax) {
    throw new RowlockError('invalid_request', `At most ${deleteNamesMax} names at a time`);
  }
  if (caller.anonymous) {
    throw forbidden(caller);
  }
  return deleteObjectRows(context.db, caller, bucket, names.map(normaliseObjectName));
}
