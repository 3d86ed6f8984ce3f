/** From an answer that is no success to the error that it means: the service's reason, or the nearest to its status. */
import { answered } from './answered.ts';
import { type ErrorReason, errorSpellings, RowlockError } from './contract/errors.ts';

/** Of statuses that several reasons have, which it is when nobody says; of others the first that has it. */
const byStatus: Readonly<Record<string, ErrorReason>> = {
  403: 'not_allowed',
  404: 'object_not_found',
  409: 'object_exists',
  429: 'rate_limited',
  502: 'unavailable',
  504: 'unavailable',
};

function reasonOfStatus(status: number): ErrorReason {
  const reasons = Object.keys(errorSpellings) as ErrorReason[];
  return byStatus[status] ?? reasons.find((reason) => errorSpellings[reason].status === status) ?? 'internal';
}

/** What PostgreSQL says through PostgREST, whose status is not always the nearest. */
const bySqlState: Readonly<Record<string, ErrorReason>> = {
  P0002: 'object_not_found',
  22023: 'invalid_request',
  23505: 'object_exists',
  23514: 'invalid_request',
  40001: 'unavailable',
  55000: 'unavailable',
  PT429: 'rate_limited',
};

const isReason = (text: unknown): text is ErrorReason =>
  typeof text === 'string' && Object.hasOwn(errorSpellings, text);

interface Body {
  readonly reason?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
}

/** Reads the body, which is ours, PostgREST's, or nothing that we know. @throws RowlockError `unavailable` where it breaks off */
export async function errorOfAnswer(answer: Response, signal?: AbortSignal): Promise<RowlockError> {
  const retryAfter = Number(answer.headers.get('retry-after') ?? Number.NaN);
  const retryAfterSeconds = Number.isFinite(retryAfter) ? retryAfter : undefined;
  const { reason, code, message } = bodyOf(await answered(answer.text(), signal));
  const told = [reason, code === 'RWLCK' ? message : bySqlState[String(code)], answer.headers.get('x-rowlock-reason')];
  const text = typeof message === 'string' ? message : `${answer.status} ${answer.statusText}`;
  return new RowlockError(told.find(isReason) ?? reasonOfStatus(answer.status), text, { retryAfterSeconds });
}

function bodyOf(text: string): Body {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Body) : {};
  } catch (error) {
    if (error instanceof SyntaxError) {
      return {}; // a proxy's page, or nothing: the status has to do
    }
    throw error;
  }
}
