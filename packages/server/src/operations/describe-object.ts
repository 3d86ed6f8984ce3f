/** Change what is said of an object besides its bytes: user metadata and caching. Neither its version nor its bytes change. */
import { RowlockError } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { type ObjectDescription, type ObjectInfoRow, updateDescription } from '../metadata/objects.ts';
import type { OperationContext } from './context.ts';
import { findObject } from './read-object.ts';
import { forbidden, refusalFor } from './refusals.ts';

/**
 * Changes what is given and leaves the rest; answers the object as it is then. Atomic. With a version, only while the
 * object has that one.
 *
 * @throws RowlockError `object_not_found`, `bucket_not_found`, `auth_required`, `not_allowed`, `precondition_failed`,
 *   `invalid_name`
 */
export async function describeObject(
  context: OperationContext,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string; readonly version: string | undefined },
  description: ObjectDescription,
): Promise<ObjectInfoRow> {
  const name = normaliseObjectName(at.name);
  const isChanged = await updateDescription(context.db, caller, { ...at, name }, description).catch(
    (error: unknown) => {
      throw refusalFor(caller, error);
    },
  );
  const row = await findObject({ ...context, reads: context.db }, caller, { bucket: at.bucket, name });
  if (isChanged) {
    return row;
  }
  throw at.version !== undefined && row.version_id !== at.version
    ? new RowlockError('precondition_failed', 'The object has another version now')
    : forbidden(caller);
}
