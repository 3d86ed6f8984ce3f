/** What was found in an object by scanners and other jobs. Who may know, the policies of `storage.version_checks` say. */
import type { Caller } from '../domain/caller.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { type CheckRow, selectChecks } from '../metadata/file-checks.ts';
import type { OperationContext } from './context.ts';
import { missingObject } from './refusals.ts';

/**
 * By kind; empty where nothing looks at it, and for who may read the object and not what was found in it.
 *
 * @throws RowlockError `object_not_found`, `bucket_not_found`, `auth_required`, `invalid_name`
 */
export async function listChecks(
  context: OperationContext,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string },
): Promise<readonly CheckRow[]> {
  const name = normaliseObjectName(at.name);
  const found = await selectChecks(context.db, caller, { bucket: at.bucket, name });
  if (found === undefined) {
    throw await missingObject(context, caller, at.bucket);
  }
  return found;
}

export type { CheckRow } from '../metadata/file-checks.ts';
