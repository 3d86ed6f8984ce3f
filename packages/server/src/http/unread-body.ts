/**
 * Answers that come before the body of their request has: a refusal does not wait for a gigabyte that nobody wants. The
 * connection ends with the answer, after reading a little more, since a reset could take the answer from the client.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ConnectionLimits } from './connection-limits.ts';
import { isHeldBack } from './request-body.ts';

/** The payload to send: the given one, and behind it the end of the connection where more body is coming than is worth it. */
export function answerBeforeBody(
  { raw: request }: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  limits: ConnectionLimits,
): unknown {
  if (!isUnread(request, reply, limits)) {
    return payload;
  }
  reply.header('connection', 'close');
  if (payload !== null && payload !== undefined && typeof payload !== 'string' && !Buffer.isBuffer(payload)) {
    return payload; // a download: by its end the body has had its time
  }
  if (isHeldBack(request)) {
    return payload; // nothing is on its way
  }
  const bytes = Buffer.from(payload ?? '');
  reply.header('content-length', String(bytes.byteLength));
  return Readable.from(thenLinger(bytes, request, limits), { objectMode: false });
}

/** A body that is not here yet, and that we do not read to its end for the sake of the connection. */
function isUnread(request: IncomingMessage, reply: FastifyReply, limits: ConnectionLimits): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (request.complete || (encoding === undefined && (length === undefined || Number(length) === 0))) {
    return false;
  }
  const isClosing = reply.getHeader('connection') === 'close';
  return isClosing || encoding !== undefined || Number(length) > limits.unread_bytes_max || isHeldBack(request);
}

async function* thenLinger(
  bytes: Buffer,
  request: IncomingMessage,
  limits: ConnectionLimits,
): AsyncGenerator<Buffer, void, undefined> {
  yield bytes;
  const ended = finished(request, { signal: AbortSignal.timeout(limits.unread_ms), cleanup: true });
  let read = 0;
  const discard = (chunk: Buffer): void => {
    read += chunk.byteLength;
    if (read > limits.unread_bytes_max) request.pause();
  };
  request.on('data', discard);
  await ended.catch(() => undefined); // the time is over, or the client is gone
  request.off('data', discard);
}
