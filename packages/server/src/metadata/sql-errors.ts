/**
 * Maps what PostgreSQL and its driver say to reasons of our contract. Text of the database never leaves the process:
 * it may name hidden rows. What is not listed is ours to fix, and stays as it came.
 */
import { type ErrorReason, errorSpellings, RowlockError } from '@rowlock/client/contract';

/** The fields of node-postgres' DatabaseError that are looked at. */
interface SqlError extends Error {
  readonly code: string;
  readonly detail?: string;
  readonly constraint?: string;
  readonly table?: string;
  readonly schema?: string;
  /** The function of PostgreSQL's source that raised it. */
  readonly routine?: string;
}

function isSqlError(error: unknown): error is SqlError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

const byConstraint: Readonly<Record<string, readonly [ErrorReason, string]>> = {
  buckets_pkey: ['bucket_exists', 'The resource already exists'],
  buckets_name_key: ['bucket_exists', 'The resource already exists'],
  objects_bucket_id_name_key: ['object_exists', 'The resource already exists'],
  blobs_key_used_once: ['object_exists', 'The key has bytes already'],
  object_history_bucket_id_fkey: [
    'bucket_not_empty',
    'The bucket keeps versions or deleted objects; purge them, or delete it with ?force=true',
  ],
  buckets_name_valid: ['invalid_bucket_name', 'Bucket name invalid'],
  buckets_id_is_name: ['invalid_bucket_name', 'A bucket has the same id and name'],
  objects_name_length: ['name_too_long', 'A name has 1 to 1024 bytes'],
  objects_name_segments: ['invalid_name', 'Invalid key: empty, "." and ".." segments are not allowed'],
  objects_name_no_control: ['invalid_name', 'Invalid key: control characters are not allowed'],
};

const unavailableCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  '25006',
  '40001',
  '40P01',
  '55P03',
  '57014',
  '57P01',
  '57P02',
  '57P03',
]);

const unavailableMessages: RegExp =
  /connection terminated|timeout exceeded when trying to connect|Connection ended|not queryable|Query read timeout/i;

/** Tells whether an error means that the database cannot be reached or used now, so that trying again is sensible. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError) {
    return error.errors.some(isUnavailable);
  }
  if (isSqlError(error)) {
    return unavailableCodes.has(error.code) || error.code.startsWith('08') || error.code.startsWith('53');
  }
  return error instanceof Error && unavailableMessages.test(error.message);
}

/** Tells whether a statement was refused for a value in it, as it would be again: data, a constraint, a limit of PostgreSQL. */
export function isRefusedValue(error: unknown): boolean {
  const said = error instanceof RowlockError ? error.cause : error;
  return isSqlError(said) && /^(22|23|54)[0-9A-Z]{3}$/.test(said.code);
}

/** Turns an error of a statement into the reason that it means; an error without one is returned as it came. */
export function fromSql(error: unknown): unknown {
  if (isUnavailable(error)) {
    return new RowlockError('unavailable', 'The database cannot be used now; try again', {
      cause: error,
      retryAfterSeconds: 5,
    });
  }
  if (!isSqlError(error)) {
    return error;
  }
  const known = error.constraint === undefined ? undefined : byConstraint[error.constraint];
  if (known !== undefined) {
    return new RowlockError(known[0], known[1], { cause: error });
  }
  return byState(error) ?? error;
}

function byState(error: SqlError): RowlockError | undefined {
  const because = { cause: error };
  switch (error.code) {
    case 'RWLCK':
      return error.message in errorSpellings
        ? new RowlockError(error.message as ErrorReason, error.detail ?? error.message, because)
        : undefined;
    case 'PT429':
      return new RowlockError('rate_limited', error.message, {
        cause: error,
        retryAfterSeconds: Number(/^retry_after=(\d+)$/.exec(error.detail ?? '')?.[1] ?? 60),
      });
    case '42501':
      return new RowlockError('not_allowed', 'The policies do not allow this', because);
    case '22023':
      // The only setting of ours that PostgreSQL checks is the role: it is on the list and not in the database.
      return error.routine === 'call_string_check_hook'
        ? new RowlockError('role_not_allowed', 'The token names a role that is not allowed here', because)
        : undefined;
    case '23503':
      if (error.schema !== undefined && error.schema !== 'storage') {
        // A table of the application refers to the file of what was to be deleted.
        return new RowlockError('object_in_use', 'Something of the application still refers to it', because);
      }
      return error.table === 'objects' ? new RowlockError('bucket_not_found', 'Bucket not found', because) : undefined;
    case '23514':
    case '22P02':
    case '22P05':
    case '22021':
    case '22003':
      return new RowlockError('invalid_request', 'A value is not valid', because);
    default:
      return undefined;
  }
}
