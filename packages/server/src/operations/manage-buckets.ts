/** Create, list, show and delete buckets. Who may, the policies of `storage.buckets` say. */
import { RowlockError } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import { assertBucketName } from '../domain/names.ts';
import {
  type BucketRow,
  deleteBucketRow,
  insertBucket,
  type NewBucket,
  selectBucket,
  selectBuckets,
} from '../metadata/buckets.ts';
import type { OperationContext } from './context.ts';
import { forbidden, missingBucket, refusalFor } from './refusals.ts';

/** @throws RowlockError `invalid_bucket_name`, `bucket_exists`, `not_allowed`, `auth_required` */
export async function createBucket(context: OperationContext, caller: Caller, bucket: NewBucket): Promise<BucketRow> {
  assertBucketName(bucket.name);
  try {
    return await insertBucket(context.db, caller, bucket);
  } catch (error) {
    throw refusalFor(caller, error);
  }
}

/** The buckets that the caller may see, by name. */
export function listBuckets(
  context: OperationContext,
  caller: Caller,
  page: { readonly limit: number; readonly offset: number },
): Promise<readonly BucketRow[]> {
  return selectBuckets(context.db, caller, page.limit, page.offset);
}

/** @throws RowlockError `bucket_not_found` where it is hidden or missing, `auth_required` */
export async function getBucket(context: OperationContext, caller: Caller, id: string): Promise<BucketRow> {
  const bucket = await selectBucket(context.db, caller, id);
  if (bucket === undefined) {
    throw missingBucket(caller);
  }
  return bucket;
}

/** Deletes an empty bucket. @throws RowlockError `bucket_not_found`, `bucket_not_empty`, `not_allowed`, `auth_required` */
export async function deleteBucket(context: OperationContext, caller: Caller, id: string): Promise<void> {
  try {
    if (await deleteBucketRow(context.db, caller, id)) {
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

export type { BucketRow, NewBucket } from '../metadata/buckets.ts';
