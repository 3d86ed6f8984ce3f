/**
 * Tells the audit log of requests that were refused and of URLs that were signed, after they were answered: it delays and
 * changes none. Reads are not told, nor is what is hidden or missing, since both are spelled alike.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller, RequestOrigin } from '../domain/caller.ts';
import { requestKind } from '../domain/request-kind.ts';
import type { AuditTrail } from '../operations/audit.ts';

/** What of a refusal is somebody's try to reach what is not theirs, or more than is theirs. */
const audited: ReadonlySet<string> = new Set([
  'auth_required',
  'invalid_token',
  'role_not_allowed',
  'not_allowed',
  'invalid_signature',
  'url_expired',
  'url_revoked',
  'url_used_up',
  'quota_exceeded',
  'rate_limited',
]);

const origins: WeakMap<IncomingMessage, RequestOrigin> = new WeakMap();
const callers: WeakMap<IncomingMessage, Caller> = new WeakMap();

/** Where a request comes from, once it has begun. */
export function originOf(request: FastifyRequest): RequestOrigin | undefined {
  return origins.get(request.raw);
}

/** Remembers who a request was verified to be. */
export function callerIs(request: FastifyRequest, caller: Caller): void {
  callers.set(request.raw, caller);
}

/** Who a request was verified to be; undefined before, and where nobody was. */
export function callerOf(request: FastifyRequest): Caller | undefined {
  return callers.get(request.raw);
}

/** To be called when a request begins. */
export function auditEnd(request: FastifyRequest, reply: FastifyReply, address: string, trail: AuditTrail): void {
  origins.set(request.raw, { request_id: request.id, address });
  reply.raw.once('close', () => {
    const reason = reply.getHeader('x-rowlock-reason')?.toString();
    const isSign = reason === undefined && reply.statusCode < 300 && isSigning(request);
    if (!isSign && (reason === undefined || !audited.has(reason))) return;
    const caller = callers.get(request.raw);
    const { bucket, id, '*': name } = params(request);
    trail.tell({
      request_id: request.id,
      address,
      role: caller?.role ?? 'unknown',
      subject: caller?.subject,
      operation: isSign ? signOperation(request) : `${request.method} ${request.routeOptions.url ?? 'unknown'}`,
      bucket_id: bucket ?? id,
      name,
      outcome: isSign ? 'done' : 'refused',
      reason,
      detail: isSign ? signedWhat(request) : undefined,
    });
  });
}

function isSigning(request: FastifyRequest): boolean {
  return request.method === 'POST' && requestKind(request.method, request.routeOptions.url) === 'signs';
}

function signOperation({ routeOptions }: FastifyRequest): string {
  return routeOptions.url === '/session' ? 'storage.session.begin' : 'storage.object.sign';
}

function params(request: FastifyRequest): Readonly<Record<string, string | undefined>> {
  return typeof request.params === 'object' && request.params !== null
    ? (request.params as Readonly<Record<string, string | undefined>>)
    : {};
}

/** What was asked to be signed: for how long, and of a batch how many and the first of them. */
function signedWhat(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const { expiresIn, paths } = (request.body ?? {}) as { readonly expiresIn?: unknown; readonly paths?: unknown };
  return {
    route: request.routeOptions.url,
    ...(typeof expiresIn === 'number' ? { expires_in: expiresIn } : {}),
    ...(Array.isArray(paths)
      ? { count: paths.length, names: paths.slice(0, 10).map((path) => String(path).slice(0, 200)) }
      : {}),
  };
}
