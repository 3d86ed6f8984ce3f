/**
 * What a caller learns when something is not there or not allowed: hidden and missing look the same, and somebody
 * without a token is told to bring one, unless the bucket is public.
 */
import { isRowlockError, RowlockError } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import { selectBucket } from '../metadata/buckets.ts';
import { selectWhyUnread } from '../metadata/file-checks.ts';
import type { OperationContext } from './context.ts';

const tokenNeeded = (): RowlockError => new RowlockError('auth_required', 'A token is needed for this');

/** The error for an object that the caller cannot see. */
export async function missingObject(context: OperationContext, caller: Caller, bucket: string): Promise<RowlockError> {
  const visible = await selectBucket(context.db, caller, bucket);
  if (visible === undefined) {
    return caller.anonymous ? tokenNeeded() : new RowlockError('bucket_not_found', 'Bucket not found');
  }
  return new RowlockError('object_not_found', 'Object not found');
}

/** When trying again is sensible for what waits for its scan. */
const scanSeconds = 2;

/**
 * The error for an object that cannot be read: whoever owns it, or its bucket, learns that it is in quarantine, and why. To
 * everybody else it is missing, as what they cannot see.
 */
export async function unreadObject(
  context: OperationContext,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string; readonly version?: string | undefined },
): Promise<RowlockError> {
  const missing = await missingObject(context, caller, at.bucket);
  if (caller.anonymous || missing.reason !== 'object_not_found') {
    return missing;
  }
  const quarantine = await selectWhyUnread(context.db, caller, at);
  switch (quarantine?.cause) {
    case undefined:
      return missing;
    case 'not_scanned':
      return new RowlockError('not_scanned', 'The file is read when it was found to be clean', {
        retryAfterSeconds: scanSeconds,
      });
    default:
      return new RowlockError('quarantined', `The file is in quarantine: ${quarantine?.reason ?? ''}`);
  }
}

/** The error for a bucket that the caller cannot see. */
export function missingBucket(caller: Caller): RowlockError {
  return caller.anonymous ? tokenNeeded() : new RowlockError('bucket_not_found', 'Bucket not found');
}

/** The error for something visible that the caller may not do. */
export function forbidden(caller: Caller): RowlockError {
  return caller.anonymous ? tokenNeeded() : new RowlockError('not_allowed', 'The policies do not allow this');
}

/** Turns a refusal into "bring a token" for a caller who has none. */
export function refusalFor(caller: Caller, error: unknown): unknown {
  return caller.anonymous && isRowlockError(error, 'not_allowed', 'bucket_not_found', 'object_exists')
    ? tokenNeeded()
    : error;
}

/** The error of a move or a copy: what is missing or hidden is spelled as a read of it spells it. */
export async function relocationRefusal(
  context: OperationContext,
  caller: Caller,
  error: unknown,
  source: { readonly bucket: string },
): Promise<unknown> {
  if (!isRowlockError(error, 'object_not_found')) {
    return refusalFor(caller, error);
  }
  const missing = await missingObject(context, caller, source.bucket);
  return missing.reason === 'object_not_found' ? error : missing;
}
