/**
 * The closed union of error codes that the HTTP API can answer, with the status and the dialect
 * spellings of each. This table is the only place where a code is given a status; it never maps
 * what comes in (SQLSTATE, errno, S3 codes): the edges that meet those do.
 */

export interface ErrorSpelling {
  /** HTTP status. */
  readonly status: number;
  /** The stable `code` of the body (storage-js and the requirements spell them so). */
  readonly code: string;
  /** The `error` of the body; what Supabase clients compare with. */
  readonly error: string;
}

const spelling = (status: number, code: string, error: string): ErrorSpelling => ({ status, code, error });

/** Every reason, in snake_case. Reasons are never reused. */
export type ErrorReason =
  | 'invalid_request'
  | 'invalid_name'
  | 'name_too_long'
  | 'invalid_bucket_name'
  | 'invalid_expiry'
  | 'incomplete_body'
  | 'bad_digest'
  | 'invalid_part'
  | 'auth_required'
  | 'invalid_token'
  | 'role_not_allowed'
  | 'not_allowed'
  | 'invalid_signature'
  | 'not_scanned'
  | 'quarantined'
  | 'bucket_not_found'
  | 'object_not_found'
  | 'variant_not_found'
  | 'job_not_found'
  | 'queue_not_found'
  | 'route_not_found'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'bucket_exists'
  | 'object_exists'
  | 'bucket_not_empty'
  | 'different_backend'
  | 'object_in_use'
  | 'url_expired'
  | 'url_revoked'
  | 'url_used_up'
  | 'upload_gone'
  | 'cursor_expired'
  | 'precondition_failed'
  | 'too_large'
  | 'quota_exceeded'
  | 'uri_too_long'
  | 'media_type_not_allowed'
  | 'range_not_satisfiable'
  | 'render_failed'
  | 'too_many_streams'
  | 'rate_limited'
  | 'headers_too_large'
  | 'client_closed'
  | 'internal'
  | 'not_implemented'
  | 'unavailable'
  | 'out_of_space';

/** What HTTP says for every reason. */
export const errorSpellings: Readonly<Record<ErrorReason, ErrorSpelling>> = {
  invalid_request: spelling(400, 'InvalidRequest', 'Bad Request'),
  invalid_name: spelling(400, 'InvalidKey', 'InvalidKey'),
  name_too_long: spelling(400, 'KeyTooLong', 'InvalidKey'),
  invalid_bucket_name: spelling(400, 'InvalidBucketName', 'Invalid Input'),
  invalid_expiry: spelling(400, 'InvalidExpiry', 'Invalid Input'),
  incomplete_body: spelling(400, 'IncompleteBody', 'IncompleteBody'),
  bad_digest: spelling(400, 'BadDigest', 'BadDigest'),
  invalid_part: spelling(400, 'InvalidPart', 'InvalidPart'),
  auth_required: spelling(401, 'AUTH_REQUIRED', 'Unauthorized'),
  invalid_token: spelling(401, 'InvalidJWT', 'Unauthorized'),
  role_not_allowed: spelling(403, 'RoleNotAllowed', 'Unauthorized'),
  not_allowed: spelling(403, 'STORAGE_UNAUTHORIZED', 'Unauthorized'),
  invalid_signature: spelling(403, 'INVALID_SIGNATURE', 'Unauthorized'),
  not_scanned: spelling(403, 'NotScanned', 'not_scanned'),
  quarantined: spelling(403, 'Quarantined', 'quarantined'),
  bucket_not_found: spelling(404, 'NoSuchBucket', 'Bucket not found'),
  object_not_found: spelling(404, 'NoSuchKey', 'not_found'),
  variant_not_found: spelling(404, 'NoSuchVariant', 'not_found'),
  job_not_found: spelling(404, 'NoSuchJob', 'not_found'),
  queue_not_found: spelling(404, 'NoSuchQueue', 'not_found'),
  route_not_found: spelling(404, 'NoSuchRoute', 'not_found'),
  method_not_allowed: spelling(405, 'MethodNotAllowed', 'MethodNotAllowed'),
  request_timeout: spelling(408, 'RequestTimeout', 'RequestTimeout'),
  bucket_exists: spelling(409, 'BucketAlreadyExists', 'Duplicate'),
  object_exists: spelling(409, 'KeyAlreadyExists', 'Duplicate'),
  bucket_not_empty: spelling(409, 'BUCKET_NOT_EMPTY', 'ResourceNotEmpty'),
  different_backend: spelling(409, 'DifferentBackend', 'DifferentBackend'),
  object_in_use: spelling(409, 'ObjectInUse', 'ObjectInUse'),
  url_expired: spelling(410, 'URL_EXPIRED', 'ExpiredToken'),
  url_revoked: spelling(410, 'URL_REVOKED', 'ExpiredToken'),
  url_used_up: spelling(410, 'URL_USED_UP', 'ExpiredToken'),
  upload_gone: spelling(410, 'UploadGone', 'UploadGone'),
  cursor_expired: spelling(410, 'CursorExpired', 'CursorExpired'),
  precondition_failed: spelling(412, 'PreconditionFailed', 'PreconditionFailed'),
  too_large: spelling(413, 'EntityTooLarge', 'Payload too large'),
  quota_exceeded: spelling(413, 'QUOTA_EXCEEDED', 'Payload too large'),
  uri_too_long: spelling(414, 'URITooLong', 'InvalidKey'),
  media_type_not_allowed: spelling(415, 'InvalidMimeType', 'invalid_mime_type'),
  range_not_satisfiable: spelling(416, 'InvalidRange', 'invalid_range'),
  render_failed: spelling(422, 'RenderFailed', 'RenderFailed'),
  too_many_streams: spelling(429, 'TooManyStreams', 'TooManyStreams'),
  rate_limited: spelling(429, 'TooManyRequests', 'too_many_requests'),
  headers_too_large: spelling(431, 'RequestHeaderSectionTooLarge', 'RequestHeaderSectionTooLarge'),
  client_closed: spelling(499, 'ClientClosedRequest', 'ClientClosedRequest'),
  internal: spelling(500, 'InternalError', 'Internal'),
  not_implemented: spelling(501, 'NotImplemented', 'NotImplemented'),
  unavailable: spelling(503, 'SlowDown', 'Unavailable'),
  out_of_space: spelling(507, 'InsufficientStorage', 'InsufficientStorage'),
};

export interface RowlockErrorOptions {
  /** What went wrong underneath; goes to the log, never to the caller. */
  readonly cause?: unknown;
  /** Seconds after which trying again is sensible; sent as `Retry-After`. */
  readonly retryAfterSeconds?: number | undefined;
}

/** The one error class: a reason from the closed union and a sentence for the person who reads it. */
export class RowlockError extends Error {
  readonly reason: ErrorReason;
  readonly retryAfterSeconds: number | undefined;

  constructor(reason: ErrorReason, message: string, options: RowlockErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RowlockError';
    this.reason = reason;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return errorSpellings[this.reason].status;
  }

  get code(): string {
    return errorSpellings[this.reason].code;
  }
}

/** Tells whether a value is a RowlockError with one of the given reasons (any reason when none is given). */
export function isRowlockError(value: unknown, ...reasons: readonly ErrorReason[]): value is RowlockError {
  return value instanceof RowlockError && (reasons.length === 0 || reasons.includes(value.reason));
}

/** The JSON body of every error answer under `/storage/v1`. */
export interface ErrorBody {
  /** The HTTP status as a string, as storage-js expects. */
  readonly statusCode: string;
  readonly error: string;
  readonly message: string;
  readonly code: string;
  readonly reason: ErrorReason;
}

/** Spells an error as the JSON body of an answer. */
export function errorBody(reason: ErrorReason, message: string): ErrorBody {
  const { status, code, error } = errorSpellings[reason];
  return { statusCode: String(status), error, message, code, reason };
}
