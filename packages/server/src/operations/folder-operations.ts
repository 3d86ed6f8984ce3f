/**
 * Move, copy and delete everything below a prefix, one statement each. What the policies withhold stays and is counted;
 * a name that is taken refuses the whole. Folders are only prefixes: there is nothing else to move.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import { fault } from '../domain/fault.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { copyPrefixRows, deletePrefixRows, type FolderRelocation, movePrefixRows } from '../metadata/moves.ts';
import type { OperationContext } from './context.ts';
import { forbidden, relocationRefusal } from './refusals.ts';

export interface FolderRequest {
  readonly bucket: string;
  /** Empty for the whole bucket, or a folder; a slash at its end may be left out. */
  readonly prefix: string;
  readonly targetBucket: string;
  readonly targetPrefix: string;
}

/** @throws RowlockError `object_not_found` where the caller sees nothing below, and what a move throws */
export async function moveFolder(
  context: OperationContext,
  caller: Caller,
  request: FolderRequest,
): Promise<{ readonly moved: number; readonly withheld: number }> {
  const at = relocationOf(request);
  try {
    await fault('move.before_commit');
    const counts = await movePrefixRows(context.db, caller, at);
    await fault('move.after_commit');
    if (counts.moved + counts.withheld === 0) {
      throw new RowlockError('object_not_found', 'There is nothing below that prefix');
    }
    if (counts.moved === 0) {
      throw forbidden(caller);
    }
    return counts;
  } catch (error) {
    throw await relocationRefusal(context, caller, error, request);
  }
}

/** @throws RowlockError `object_not_found` where the caller sees nothing below, and what a copy throws */
export async function copyFolder(context: OperationContext, caller: Caller, request: FolderRequest): Promise<number> {
  const at = relocationOf(request);
  try {
    await fault('copy.before_commit');
    const copied = await copyPrefixRows(context.db, caller, at);
    await fault('copy.after_commit');
    if (copied === 0) {
      throw new RowlockError('object_not_found', 'There is nothing below that prefix');
    }
    return copied;
  } catch (error) {
    throw await relocationRefusal(context, caller, error, request);
  }
}

/** Idempotent. @throws RowlockError `bucket_not_found`, `auth_required`, `invalid_request` */
export async function deleteFolder(
  context: OperationContext,
  caller: Caller,
  bucket: string,
  prefix: string,
): Promise<{ readonly deleted: number; readonly withheld: number }> {
  const folder = folderOf(prefix);
  if (folder === '') {
    throw new RowlockError('invalid_request', 'Name a folder; a whole bucket is emptied by POST /bucket/{id}/empty');
  }
  if (caller.anonymous) {
    throw forbidden(caller);
  }
  await fault('delete.before_commit');
  const counts = await deletePrefixRows(context.db, caller, bucket, folder);
  await fault('delete.after_commit');
  return counts;
}

function relocationOf(request: FolderRequest): FolderRelocation {
  return {
    source_bucket: request.bucket,
    source_prefix: folderOf(request.prefix),
    target_bucket: request.targetBucket,
    target_prefix: folderOf(request.targetPrefix),
  };
}

/** A prefix as names have it. @throws RowlockError `invalid_name` */
function folderOf(prefix: string): string {
  const bare = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  return bare === '' && prefix === '' ? '' : `${normaliseObjectName(bare)}/`;
}
