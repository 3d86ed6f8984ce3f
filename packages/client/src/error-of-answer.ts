/** From an answer that is no success to the error that it means: the service's reason, or the nearest to its status. */
import { type ErrorReason, errorSpellings, RowlockError } from './contract/errors.ts';

const byStatus: Readonly<Record<number, ErrorReason>> = {
  400: 'invalid_request',
  401: 'auth_required',
  403: 'not_allowed',
  404: 'object_not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  409: 'object_exists',
  410: 'url_expired',
  412: 'precondition_failed',
  413: 'too_large',
  414: 'uri_too_long',
  416: 'range_not_satisfiable',
  429: 'rate_limited',
  431: 'headers_too_large',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
  507: 'out_of_space',
};

/** Reads the body, which is ours, PostgREST's, or nothing that we know. */
export async function errorOfAnswer(answer: Response): Promise<RowlockError> {
  const retryAfter = Number(answer.headers.get('retry-after') ?? Number.NaN);
  const options = Number.isFinite(retryAfter) ? { retryAfterSeconds: retryAfter } : {};
  const body = await bodyOf(answer);
  const reason = body['reason'] ?? answer.headers.get('x-rowlock-reason');
  const known =
    typeof reason === 'string' && Object.hasOwn(errorSpellings, reason) ? (reason as ErrorReason) : undefined;
  const message = typeof body['message'] === 'string' ? body['message'] : `${answer.status} ${answer.statusText}`;
  return new RowlockError(known ?? byStatus[answer.status] ?? 'internal', message, options);
}

async function bodyOf(answer: Response): Promise<Readonly<Record<string, unknown>>> {
  const text = await answer.text();
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : {};
  } catch (error) {
    if (error instanceof SyntaxError) {
      return {}; // a proxy's page, or nothing: the status has to do
    }
    throw error;
  }
}
