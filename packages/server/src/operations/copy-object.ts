/** Copy: another object of the same bytes, in constant time whatever their size. It belongs to whoever copies. */
import type { Caller } from '../domain/caller.ts';
import { fault } from '../domain/fault.ts';
import { copyObjectRow, type RelocatedObject } from '../metadata/moves.ts';
import type { OperationContext } from './context.ts';
import { type RelocationRequest, relocationOf } from './move-object.ts';
import { relocationRefusal } from './refusals.ts';

/** What a copy has instead of the metadata of its source. */
export interface CopiedMetadata {
  readonly cache_control?: string;
  readonly user_metadata?: Readonly<Record<string, unknown>>;
}

/**
 * Copies an object. Atomic. An object that has the name is refused, or gets the bytes and stays itself.
 *
 * @throws RowlockError `object_not_found`, `bucket_not_found`, `object_exists`, `precondition_failed`, `not_allowed`,
 *   `auth_required`, `too_large`, `media_type_not_allowed`, `invalid_name`
 */
export async function copyObject(
  context: OperationContext,
  caller: Caller,
  request: RelocationRequest & { readonly metadata?: CopiedMetadata | undefined },
): Promise<RelocatedObject & { readonly created: boolean }> {
  const at = relocationOf(request);
  try {
    await fault('copy.before_commit');
    const copied = await copyObjectRow(context.db, caller, at, request.metadata);
    await fault('copy.after_commit');
    return copied;
  } catch (error) {
    throw await relocationRefusal(context, caller, error, request);
  }
}
