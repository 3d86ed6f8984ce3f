/** What is known of many objects at once, by their exact names, in one statement as the caller. */
import { RowlockError } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { type ObjectInfoRow, selectObjectInfos } from '../metadata/objects.ts';
import type { OperationContext } from './context.ts';

/** Most names of one call. */
export const infoNamesMax = 1000;

/**
 * Answers every name in the order of the names; a row is undefined where the object is hidden or missing.
 *
 * @throws RowlockError `invalid_request` for too many, `invalid_name`
 */
export async function listInfos(
  context: OperationContext,
  caller: Caller,
  bucket: string,
  names: readonly string[],
): Promise<readonly { readonly name: string; readonly row: ObjectInfoRow | undefined }[]> {
  if (names.length > infoNamesMax) {
    throw new RowlockError('invalid_request', `At most ${infoNamesMax} names at a time`);
  }
  const rows = await selectObjectInfos(context.db, caller, bucket, names.map(normaliseObjectName));
  return rows.map((row) => ({ name: row.name, row: row.object_id === null ? undefined : row }));
}
