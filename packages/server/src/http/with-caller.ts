/** The one authentication step: a handler is given the verified caller as its first argument, or is not reached. */
import type { IncomingMessage } from 'node:http';
import { RowlockError } from '@rowlock/client/contract';
import type { FastifyReply, FastifyRequest, RouteGenericInterface } from 'fastify';
import { authenticate } from '../auth/authenticate.ts';
import type { Caller } from '../domain/caller.ts';
import type { AppOptions } from './app-options.ts';
import { callerIs, originOf } from './audit-requests.ts';

export type CallerHandler<Route extends RouteGenericInterface> = (
  caller: Caller,
  request: FastifyRequest<Route>,
  reply: FastifyReply,
) => Promise<unknown>;

/**
 * Wraps a handler so that it runs with the verified caller of the request. What it answers is the caller's own, unless
 * it says otherwise: no cache keeps it.
 */
export function withCaller<Route extends RouteGenericInterface>(
  options: Pick<AppOptions, 'verifier' | 'rules' | 'rateLimits'>,
  handler: CallerHandler<Route>,
  credentialOf: (request: IncomingMessage) => string | undefined = oneAuthorization,
): (request: FastifyRequest<Route>, reply: FastifyReply) => Promise<unknown> {
  return async (request, reply) => {
    const caller = await authenticate(credentialOf(request.raw), options.verifier, options.rules, originOf(request));
    callerIs(request, caller);
    options.rateLimits.countSubject(request, reply, caller);
    reply.header('cache-control', 'private, no-store');
    return handler(caller, request, reply);
  };
}

/**
 * The one `Authorization` header. Node keeps the first of several, and what stands before us may have checked another.
 *
 * @throws RowlockError `invalid_token` for more than one
 */
export function oneAuthorization({ headers, rawHeaders }: IncomingMessage): string | undefined {
  const credential = headers.authorization;
  if (credential !== undefined && rawHeaders.filter(isAuthorization).length > 1) {
    throw new RowlockError('invalid_token', 'A request has one Authorization header');
  }
  return credential;
}

/** Names stand at even places. */
function isAuthorization(text: string, place: number): boolean {
  return place % 2 === 0 && text.length === 13 && text.toLowerCase() === 'authorization';
}
