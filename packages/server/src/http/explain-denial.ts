/**
 * What a denied caller is told beyond the one sentence, and what the log is told of it: the commands and the policies.
 * Only the service role hears of policies; for all others the answer stays as it was.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { FastifyRequest } from 'fastify';
import type { AppOptions } from './app-options.ts';
import { callerOf } from './audit-requests.ts';
import { triedActions } from './tried-actions.ts';

export type ExplainDenial = (request: FastifyRequest, error: RowlockError) => Promise<RowlockError>;

/** Makes what turns `not_allowed` into the error to answer with. Other errors and callers nobody verified pass through. */
export function denialsExplained({ explainer, observe }: Pick<AppOptions, 'explainer' | 'observe'>): ExplainDenial {
  return async (request, error) => {
    const caller = callerOf(request);
    if (error.reason !== 'not_allowed' || caller === undefined || caller.anonymous) return error;
    const { text, isForCaller } = await explainer.explain(
      caller,
      triedActions(request.method, request.routeOptions.url),
    );
    const { role, subject } = caller;
    observe({ type: 'denied', request_id: request.id, role, subject, explanation: text });
    return isForCaller ? new RowlockError('not_allowed', `${error.message} (${text})`, { cause: error }) : error;
  };
}
