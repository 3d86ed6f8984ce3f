/**
 * Maps what an S3 store, the SDK and the network say into the errors of the backend interface: one table from code to
 * reason, then one by status. A message has neither key nor credential in it. Invariant: what is in no table stays what
 * it is, and only an answer of the store itself, never a lost connection, says that there are no bytes.
 */
import { type ErrorReason, RowlockError } from '@rowlock/client/contract';

type Meaning = readonly [reason: ErrorReason, message: string];

const missing: Meaning = ['object_not_found', 'There are no bytes under this key.'];
const exists: Meaning = ['object_exists', 'The key has bytes already.'];
const noRange: Meaning = ['range_not_satisfiable', 'The range is not inside of the object.'];
const busy: Meaning = ['unavailable', 'The store asks for fewer requests.'];
const failing: Meaning = ['unavailable', 'The store answers that it fails; try again later.'];
const silent: Meaning = ['unavailable', 'The store did not answer in time.'];
const unreachable: Meaning = ['unavailable', 'The store cannot be reached: check its endpoint and the network.'];
const full: Meaning = ['out_of_space', 'The store is full, or a quota of it is used up.'];
const forbidden: Meaning = ['unavailable', 'The store does not permit this to the server: check its policy.'];
const strangers: Meaning = ['unavailable', 'The store does not know the credentials of the server.'];
const noCredentials: Meaning = ['unavailable', 'The server has no credentials for the store, or they have expired.'];
const noBucket: Meaning = ['unavailable', 'The bucket of the store does not exist.'];
const elsewhere: Meaning = ['unavailable', 'The bucket is in another region, or at another endpoint.'];
const skewed: Meaning = ['unavailable', "The clocks of the server and of the store differ: set the server's."];
const vanished: Meaning = ['unavailable', 'The multipart upload of these bytes was removed meanwhile.'];

/** By the code of the store, the name of an error of the SDK, or an errno. */
const byCode: Readonly<Record<string, Meaning>> = {
  NoSuchKey: missing,
  NotFound: missing,
  NoSuchBucket: noBucket,
  NoSuchUpload: vanished,
  PreconditionFailed: exists,
  ConditionalRequestConflict: exists,
  InvalidRange: noRange,
  SlowDown: busy,
  SlowDownRead: busy,
  SlowDownWrite: busy,
  TooManyRequests: busy,
  Throttling: busy,
  ThrottlingException: busy,
  RequestLimitExceeded: busy,
  InternalError: failing,
  ServiceUnavailable: failing,
  OperationAborted: failing,
  RequestTimeout: silent,
  TimeoutError: silent,
  QuotaExceeded: full,
  InsufficientStorage: full,
  XMinioStorageFull: full,
  XMinioAdminBucketQuotaExceeded: full,
  AccessDenied: forbidden,
  AllAccessDisabled: forbidden,
  AccountProblem: forbidden,
  InvalidAccessKeyId: strangers,
  SignatureDoesNotMatch: strangers,
  InvalidToken: strangers,
  ExpiredToken: noCredentials,
  TokenRefreshRequired: noCredentials,
  CredentialsProviderError: noCredentials,
  TokenProviderError: noCredentials,
  PermanentRedirect: elsewhere,
  TemporaryRedirect: elsewhere,
  AuthorizationHeaderMalformed: elsewhere,
  IllegalLocationConstraintException: elsewhere,
  RequestTimeTooSkewed: skewed,
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  EPIPE: unreachable,
  ETIMEDOUT: silent,
  CERT_HAS_EXPIRED: unreachable,
  DEPTH_ZERO_SELF_SIGNED_CERT: unreachable,
  ERR_TLS_CERT_ALTNAME_INVALID: unreachable,
  SELF_SIGNED_CERT_IN_CHAIN: unreachable,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unreachable,
};

/** Where an answer has no body, as that to a HEAD, its status is all there is. */
const byStatus: Readonly<Record<number, Meaning>> = {
  301: elsewhere,
  307: elsewhere,
  401: strangers,
  403: forbidden,
  404: missing,
  408: silent,
  412: exists,
  416: noRange,
  429: busy,
  500: failing,
  502: failing,
  503: busy,
  504: silent,
  507: full,
};

/** Seconds after which trying again is sensible, where the store does not say. */
const retryAfterDefault = 5;
const retryAfterMax = 300;

/** Returns the RowlockError of what a call to a store threw, or the error itself. */
export function s3Error(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof RowlockError) return error;
  const meaning = meaningOf(error);
  if (meaning === undefined) return error;
  const [reason, message] = meaning;
  const retryAfterSeconds = meaning === busy ? retryAfter(error) : undefined;
  return new RowlockError(reason, message, {
    cause: error,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

/** Whether the store, or the SDK, calls an error by one of these codes. */
export function isCalled(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && codes.includes(error.name);
}

/** The status that the store answered; undefined where no answer came. */
function s3Status(error: unknown): number | undefined {
  const metadata = metadataOf(error);
  return typeof metadata?.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

/** How often the SDK sent the request. */
export function s3Attempts(error: unknown): number {
  const metadata = metadataOf(error);
  return typeof metadata?.attempts === 'number' ? metadata.attempts : 1;
}

/** Whether the store has answered that it did not do it: a request that got no such answer may have been done. */
export function isRefusal(error: unknown): boolean {
  const status = s3Status(error);
  return status !== undefined && status >= 300 && status < 500 && status !== 408;
}

function meaningOf(error: Error): Meaning | undefined {
  const names = [error.name, textOf(error, 'Code'), textOf(error, 'code')];
  const known = names.find((name) => Object.hasOwn(byCode, name));
  if (known !== undefined) return byCode[known];
  const status = s3Status(error);
  if (status !== undefined && status >= 300) return byStatus[status];
  return error.message === 'socket hang up' ? unreachable : undefined;
}

function textOf(error: object, property: string): string {
  const value: unknown = Reflect.get(error, property);
  return typeof value === 'string' ? value : '';
}

function metadataOf(error: unknown): { readonly httpStatusCode?: unknown; readonly attempts?: unknown } | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  return typeof metadata === 'object' && metadata !== null ? metadata : undefined;
}

function retryAfter(error: Error): number {
  const response: unknown = Reflect.get(error, '$response');
  const headers: unknown = typeof response === 'object' && response !== null ? Reflect.get(response, 'headers') : {};
  const header: unknown = typeof headers === 'object' && headers !== null ? Reflect.get(headers, 'retry-after') : '';
  const seconds = typeof header === 'string' && /^\d{1,6}$/.test(header) ? Number(header) : retryAfterDefault;
  return Math.min(Math.max(seconds, 1), retryAfterMax);
}
