/** Delete objects: their rows go now, their bytes by a job after the commit. */
import { RowlockError } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import { fault } from '../domain/fault.ts';
import { normaliseObjectName } from '../domain/names.ts';
import {
  type CallersObject,
  type Conditions,
  deleteObjectRow,
  deleteObjectRows,
  selectObject,
} from '../metadata/objects.ts';
import type { OperationContext } from './context.ts';
import { forbidden, missingObject } from './refusals.ts';

/** Most names of one call. */
export const deleteNamesMax = 1000;

/**
 * Deletes one object. Idempotent: an object that is hidden or not there is deleted already, within a bucket that the
 * caller sees.
 *
 * @throws RowlockError `not_allowed` for one that is visible, `precondition_failed`, `bucket_not_found`,
 *   `auth_required`, `invalid_name`
 */
export async function deleteObject(
  context: OperationContext,
  caller: Caller,
  request: { readonly bucket: string; readonly name: string } & Conditions,
): Promise<void> {
  const at = { bucket: request.bucket, name: normaliseObjectName(request.name) };
  await fault('delete.before_commit');
  const deleted = await deleteObjectRow(context.db, caller, at, request);
  await fault('delete.after_commit');
  if (deleted) {
    return;
  }
  const look = () => selectObject(context.db, caller, at, 'storage.object.delete');
  const kept = await look();
  if (kept !== undefined) {
    assertConditions(request, etagOf(kept));
    // Kept by the policies, or made since the delete looked: the same object still there after another one tells.
    const again = (await deleteObjectRow(context.db, caller, at, request)) ? undefined : await look();
    if (again?.object_id === kept.object_id) {
      assertConditions(request, etagOf(again));
      throw forbidden(caller);
    }
    return;
  }
  const missing = await missingObject(context, caller, at.bucket);
  if (missing.reason !== 'object_not_found' || caller.anonymous) {
    throw caller.anonymous ? forbidden(caller) : missing;
  }
  assertConditions(request, undefined);
}

/** @throws RowlockError `precondition_failed` where the conditions do not hold for what is there */
function assertConditions({ ifMatch, ifNoneMatch }: Conditions, etag: string | undefined): void {
  const matches = (tags: readonly string[]): boolean =>
    etag !== undefined && (tags.includes('*') || tags.includes(etag));
  if ((ifMatch !== undefined && !matches(ifMatch)) || (ifNoneMatch !== undefined && matches(ifNoneMatch))) {
    throw new RowlockError('precondition_failed', 'The object is not the one that the conditions name');
  }
}

function etagOf(object: CallersObject): string {
  return object.sha256?.toString('hex') ?? object.version_id;
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
