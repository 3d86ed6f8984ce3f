/**
 * The dialect of old clients of Supabase Storage: HTTP says 400 for almost every error, and the true status stands in the
 * body. It changes no body and no success, and nothing outside of `/storage/v1`.
 */
import type { ErrorReason } from '@rowlock/client/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** `true`: an error has its own status. `legacy`: 400, but for what those clients expect otherwise. */
export type ErrorStatus = 'true' | 'legacy';

const legacyStatuses: Partial<Record<ErrorReason, number>> = {
  role_not_allowed: 403,
  route_not_found: 404,
  method_not_allowed: 404,
  range_not_satisfiable: 416,
  rate_limited: 429,
  too_many_streams: 429,
  client_closed: 499,
  internal: 500,
  out_of_space: 500,
  unavailable: 544,
};

/** The status that an error has for old clients. */
function legacyStatus(reason: string): number {
  return Object.hasOwn(legacyStatuses, reason) ? (legacyStatuses[reason as ErrorReason] ?? 400) : 400;
}

/** Puts the status of the dialect on an answer that is an error; to be called when its head is complete. */
export function spellStatus(request: FastifyRequest, reply: FastifyReply, dialect: ErrorStatus | undefined): void {
  const reason = reply.getHeader('x-rowlock-reason');
  if (dialect === 'legacy' && typeof reason === 'string' && request.url.startsWith('/storage/v1/')) {
    reply.code(legacyStatus(reason));
  }
}
