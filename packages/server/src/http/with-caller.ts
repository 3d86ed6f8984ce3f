/** The one authentication step: a handler is given the verified caller as its first argument, or is not reached. */
import type { FastifyReply, FastifyRequest, RouteGenericInterface } from 'fastify';
import { authenticate } from '../auth/authenticate.ts';
import type { Caller } from '../domain/caller.ts';
import type { AppOptions } from './app-options.ts';

export type CallerHandler<Route extends RouteGenericInterface> = (
  caller: Caller,
  request: FastifyRequest<Route>,
  reply: FastifyReply,
) => Promise<unknown>;

/** Wraps a handler so that it runs with the verified caller of the request. */
export function withCaller<Route extends RouteGenericInterface>(
  options: Pick<AppOptions, 'verifier' | 'rules'>,
  handler: CallerHandler<Route>,
): (request: FastifyRequest<Route>, reply: FastifyReply) => Promise<unknown> {
  return async (request, reply) =>
    handler(await authenticate(request.headers.authorization, options.verifier, options.rules), request, reply);
}
