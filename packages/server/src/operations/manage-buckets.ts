/** Create, list, show, change, empty and delete buckets. Who may, the policies of `storage.buckets` say. */
import { RowlockError } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import { fault } from '../domain/fault.ts';
import { assertBucketName } from '../domain/names.ts';
import {
  type BucketChanges,
  type BucketPage,
  type BucketRow,
  type BucketStats,
  deleteBucketRow,
  deleteObjectsOf,
  insertBucket,
  mayChangeBucket,
  type NewBucket,
  seesNoObject,
  selectBucket,
  selectBucketStats,
  selectBuckets,
  updateBucketRow,
} from '../metadata/buckets.ts';
import type { OperationContext } from './context.ts';
import { purgeHistory } from './purge-object-version.ts';
import { quotasCounted } from './quotas.ts';
import { forbidden, missingBucket, refusalFor } from './refusals.ts';

/** Objects that one transaction of emptying deletes, and transactions of one call. */
const emptyBatch = 10_000;
const emptyBatchesMax = 20;

/** @throws RowlockError `invalid_bucket_name`, `bucket_exists`, `not_allowed`, `auth_required` */
export async function createBucket(context: OperationContext, caller: Caller, bucket: NewBucket): Promise<BucketRow> {
  assertBucketName(bucket.name);
  try {
    return await insertBucket(context.db, caller, bucket);
  } catch (error) {
    throw refusalFor(caller, error);
  }
}

/** The buckets that the caller may see. */
export function listBuckets(
  context: OperationContext,
  caller: Caller,
  page: BucketPage,
): Promise<readonly BucketRow[]> {
  return selectBuckets(context.db, caller, page);
}

/** How many objects the caller sees in buckets, and their bytes. It reads every one of them. */
export function countBuckets(
  context: OperationContext,
  caller: Caller,
  ids: readonly string[],
): Promise<ReadonlyMap<string, BucketStats>> {
  return selectBucketStats(context.db, caller, ids);
}

/** @throws RowlockError `bucket_not_found` where it is hidden or missing, `auth_required` */
export async function getBucket(context: OperationContext, caller: Caller, id: string): Promise<BucketRow> {
  const bucket = await selectBucket(context.db, caller, id);
  if (bucket === undefined) {
    throw missingBucket(caller);
  }
  return bucket;
}

/** Changes what is named and leaves the rest. @throws RowlockError `bucket_not_found`, `not_allowed`, `auth_required` */
export async function updateBucket(
  context: OperationContext,
  caller: Caller,
  id: string,
  changes: BucketChanges,
): Promise<BucketRow> {
  const changed = await updateBucketRow(context.db, caller, id, changes).catch(unlessRefused);
  if (changed === undefined) {
    await getBucket(context, caller, id);
    throw forbidden(caller);
  }
  if (Object.keys(changes).some((name) => name.includes('quota'))) {
    await quotasCounted(context.db);
  }
  return changed;
}

/**
 * Deletes the objects of a bucket that the caller may change, ten thousand in each transaction and 200,000 in one call.
 * `is_empty` is false where some are left: call it again, or they are not the caller's to delete. Idempotent.
 *
 * @throws RowlockError `bucket_not_found`, `not_allowed`, `auth_required`
 */
export async function emptyBucket(
  context: OperationContext,
  caller: Caller,
  id: string,
): Promise<{ readonly deleted: number; readonly is_empty: boolean }> {
  if (!(await mayChangeBucket(context.db, caller, id).catch(unlessRefused))) {
    await getBucket(context, caller, id);
    throw forbidden(caller);
  }
  let deleted = 0;
  for (let batch = 0; batch < emptyBatchesMax; batch += 1) {
    await fault('delete.before_commit');
    const gone = await deleteObjectsOf(context.db, caller, id, emptyBatch);
    await fault('delete.after_commit');
    deleted += gone;
    if (gone === 0) break;
  }
  return { deleted, is_empty: await seesNoObject(context.db, caller, id) };
}

/**
 * Deletes a bucket without objects. What it keeps of deleted ones goes before with `purgesHistory`, as far as the caller
 * may purge it: that is not undone where the bucket then stays.
 *
 * @throws RowlockError `bucket_not_found`, `bucket_not_empty`, `not_allowed`, `auth_required`
 */
export async function deleteBucket(
  context: OperationContext,
  caller: Caller,
  id: string,
  purgesHistory = false,
): Promise<void> {
  try {
    if (purgesHistory && (await mayPurgeForBucket(context, caller, id))) {
      await purgeHistory(context, caller, id);
    }
    await fault('delete.before_commit');
    const deleted = await deleteBucketRow(context.db, caller, id);
    await fault('delete.after_commit');
    if (deleted) {
      return;
    }
  } catch (error) {
    if (error instanceof RowlockError && error.reason === 'bucket_not_found') {
      throw new RowlockError('bucket_not_empty', 'The bucket you tried to delete is not empty', { cause: error.cause });
    }
    throw refusalFor(caller, error);
  }
  await getBucket(context, caller, id);
  throw forbidden(caller);
}

/** Only where the bucket can be deleted then: its caller may change it, and it has no object that the caller sees. */
async function mayPurgeForBucket(context: OperationContext, caller: Caller, id: string): Promise<boolean> {
  return (
    (await mayChangeBucket(context.db, caller, id).catch(unlessRefused)) === true &&
    (await seesNoObject(context.db, caller, id))
  );
}

/** A role without the privilege is told the same as one without a policy. */
function unlessRefused(error: unknown): undefined {
  if (error instanceof RowlockError && error.reason === 'not_allowed') {
    return undefined;
  }
  throw error;
}

export type { BucketChanges, BucketPage, BucketRow, BucketStats, NewBucket } from '../metadata/buckets.ts';
