/**
 * Ends requests that wait for a client which hardly moves: a body that does not come, an answer that is not taken. What
 * takes long on our side is never held against a client, and no total time is: a slow phone uploads for days.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionLimits } from './connection-limits.ts';

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** Bytes that had moved on the socket when the period began. */
  moved: number;
  since: number;
}

const tooSlow: WeakSet<IncomingMessage> = new WeakSet();

/** Whether a request ended because its client was too slow. */
export function wasTooSlow(request: IncomingMessage): boolean {
  return tooSlow.has(request);
}

/** Watches every request of a server until the server closes. */
export function watchPace(server: Server, limits: ConnectionLimits): void {
  const exchanges: Set<Exchange> = new Set();
  const watch = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    const exchange = { request, response, socket, moved: movedOn(socket), since: performance.now() };
    exchanges.add(exchange);
    response.once('close', () => {
      if (request.complete || socket.destroyed) exchanges.delete(exchange);
    });
    request.once('close', () => {
      if (response.closed || socket.destroyed) exchanges.delete(exchange);
    });
  };
  server.prependListener('request', watch);
  server.prependListener('checkContinue', watch);
  const timer = setInterval(() => {
    for (const exchange of exchanges) judge(exchange, limits);
  }, limits.pace_ms / 4);
  timer.unref();
  server.once('close', () => clearInterval(timer));
}

function judge(exchange: Exchange, limits: ConnectionLimits): void {
  const { request, socket } = exchange;
  const now = performance.now();
  const moved = movedOn(socket);
  if (!waitsForClient(exchange) || moved - exchange.moved >= limits.pace_bytes_min) {
    exchange.moved = moved;
    exchange.since = now;
  } else if (now - exchange.since >= limits.pace_ms) {
    tooSlow.add(request);
    socket.destroy();
  }
}

/** For its body, while we would take more of it; or to take what we have for it. */
function waitsForClient({ request, response }: Exchange): boolean {
  if (response.writableLength > 0) return true;
  return !request.complete && request.readableLength < request.readableHighWaterMark;
}

function movedOn(socket: Socket): number {
  return socket.bytesRead + socket.bytesWritten;
}
