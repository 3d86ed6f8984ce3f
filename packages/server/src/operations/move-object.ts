/** Move: another name or bucket for an object, in constant time whatever its size. Its bytes stay where they are. */
import type { Caller } from '../domain/caller.ts';
import { fault } from '../domain/fault.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { moveObjectRow, type RelocatedObject } from '../metadata/moves.ts';
import type { OperationContext } from './context.ts';
import { relocationRefusal } from './refusals.ts';

export interface RelocationRequest {
  readonly bucket: string;
  readonly name: string;
  readonly targetBucket: string;
  readonly targetName: string;
  /** Replace what has the name. */
  readonly overwrite: boolean;
  /** The version that the source must have now. */
  readonly sourceVersion?: string | undefined;
  /** Validators without quotes: the source must have one of them. */
  readonly ifMatch?: readonly string[] | undefined;
  /** What has the target's name must have none of them; `*`: it must be free. */
  readonly ifNoneMatch?: readonly string[] | undefined;
}

/** The row that a request means. @throws RowlockError `invalid_name` */
export function relocationOf(request: RelocationRequest): Parameters<typeof moveObjectRow>[2] {
  return {
    source_bucket: request.bucket,
    source_name: normaliseObjectName(request.name),
    target_bucket: request.targetBucket,
    target_name: normaliseObjectName(request.targetName),
    overwrite: request.overwrite,
    source_version: request.sourceVersion,
    if_match: request.ifMatch,
    if_none_match: request.ifNoneMatch,
  };
}

/**
 * Moves an object. Atomic; an upload that crosses is moved with it or comes to the old name. To its own name it moves
 * without being touched.
 *
 * @throws RowlockError `object_not_found`, `bucket_not_found`, `object_exists`, `precondition_failed`, `not_allowed`,
 *   `auth_required`, `too_large`, `media_type_not_allowed`, `invalid_name`
 */
export async function moveObject(
  context: OperationContext,
  caller: Caller,
  request: RelocationRequest,
): Promise<RelocatedObject> {
  const at = relocationOf(request);
  try {
    await fault('move.before_commit');
    const moved = await moveObjectRow(context.db, caller, at);
    await fault('move.after_commit');
    return moved;
  } catch (error) {
    throw await relocationRefusal(context, caller, error, request);
  }
}

export type { RelocatedObject } from '../metadata/moves.ts';
