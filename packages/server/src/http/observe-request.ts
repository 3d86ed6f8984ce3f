/**
 * Reports how each request ended: with its answer, or without because the client left, was too slow, or we failed in the
 * middle. It changes nothing. Invariant: one observation for each request, whatever becomes of it.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { type ErrorReason, errorSpellings } from '@rowlock/client/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Observe } from '../domain/observation.ts';
import { wasTooSlow } from './pace.ts';

/** Requests whose answer we could not finish. */
const failed: WeakSet<IncomingMessage> = new WeakSet();

/** To be called when a request begins. */
export function observeEnd(request: FastifyRequest, reply: FastifyReply, observe: Observe): void {
  reply.raw.once('close', () => {
    const cut = reply.raw.writableFinished ? undefined : cutOff(request);
    const reason = cut ?? reply.getHeader('x-rowlock-reason')?.toString();
    observe({
      type: 'request',
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: cut === undefined ? reply.statusCode : errorSpellings[cut].status,
      duration_ms: reply.elapsedTime,
      request_id: request.id,
      reason,
      bytes_in: Number(request.headers['content-length'] ?? 0),
      bytes_out: Number(reply.getHeader('content-length') ?? 0),
    });
  });
}

/** To be called with what is about to be sent: bytes that cannot be read to their end are ours to fix. */
export function observePayload(request: FastifyRequest, reply: FastifyReply, payload: unknown, observe: Observe): void {
  if (!(payload instanceof Readable)) {
    return;
  }
  payload.once('error', (error) => {
    if (reply.raw.headersSent) {
      failed.add(request.raw);
      const where = `${request.method} ${request.routeOptions.url ?? '?'}`;
      observe({ type: 'internal_error', where, error, request_id: request.id });
    }
  });
}

/** Why an answer did not go out whole. */
function cutOff(request: FastifyRequest): ErrorReason {
  if (failed.has(request.raw)) return 'internal';
  return wasTooSlow(request.raw) ? 'request_timeout' : 'client_closed';
}
