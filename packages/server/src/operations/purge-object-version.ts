/**
 * Purge by hand: one version of a name, or the history of a bucket, goes for ever. Rows go here, and by their trigger the
 * bytes that nothing points at any more; `purge-versions.ts` deletes those bytes.
 */
import type { Caller } from '../domain/caller.ts';
import { fault } from '../domain/fault.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { purgeHistoryRows, purgeVersionRow } from '../metadata/history.ts';
import type { OperationContext } from './context.ts';
import { forbidden, missingObject } from './refusals.ts';

/** Rows of one transaction, and transactions of one call. */
const batchRows = 1000;
const batchesMax = 100;

/**
 * Purges one version of a name; of the current one the next older takes the place. A delete marker goes by its own id.
 * Atomic and idempotent: what is hidden or not there is purged already, within a bucket that the caller sees.
 *
 * @throws RowlockError `not_allowed`, `bucket_not_found`, `auth_required`, `invalid_name`
 */
export async function purgeObjectVersion(
  context: OperationContext,
  caller: Caller,
  request: { readonly bucket: string; readonly name: string; readonly version: string },
): Promise<void> {
  const name = normaliseObjectName(request.name);
  if (caller.anonymous) {
    throw forbidden(caller);
  }
  await fault('purge_version.before_commit');
  const purged = await purgeVersionRow(context.db, caller, { ...request, name });
  await fault('purge_version.after_commit');
  if (purged) {
    return;
  }
  const missing = await missingObject(context, caller, request.bucket);
  if (missing.reason !== 'object_not_found') {
    throw missing;
  }
}

/**
 * Purges what a bucket keeps of deleted and overwritten objects, as far as the caller may. In transactions of a thousand
 * rows; false when there was more than one call takes.
 */
export async function purgeHistory(context: OperationContext, caller: Caller, bucket: string): Promise<boolean> {
  for (let batch = 0; batch < batchesMax; batch += 1) {
    if ((await purgeHistoryRows(context.db, caller, bucket, batchRows)) < batchRows) {
      return true;
    }
  }
  return false;
}
