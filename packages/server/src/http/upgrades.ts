/**
 * Requests that ask for another protocol on their connection. They reach the routes like all others, and are answered as
 * if they had not asked, unless the route takes the connection. Invariant: a connection that was handed over by Node is
 * given to one request and closed behind it.
 */
import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { RowlockError } from '@rowlock/client/contract';
import type { BrokenRequests } from './broken-requests.ts';

/** A connection that waits for its protocol, with what its client has sent behind the head. */
export interface OpenConnection {
  readonly socket: Socket;
  readonly head: Buffer;
}

const waiting: WeakMap<IncomingMessage, OpenConnection> = new WeakMap();

/** Lets requests with an `Upgrade` header through to the routes. */
export function routeUpgrades(
  server: Server,
  broken: BrokenRequests,
  route: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (waiting.has(request)) return; // Fastify tells its first server of the requests of the others
    if (!(socket instanceof Socket)) {
      socket.destroy();
      return;
    }
    waiting.set(request, { socket, head });
    socket.on('error', () => socket.destroy());
    socket.once('timeout', () => socket.destroy());
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    if (encoding !== undefined || (length !== undefined && length !== '0')) {
      // Node has stopped reading HTTP on it, so the body cannot be told from what follows.
      broken.refuse(socket, new RowlockError('invalid_request', 'Send a body without asking for another protocol'));
      return;
    }
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.once('finish', () => {
      response.detachSocket(socket);
      socket.end();
    });
    route(request, response);
  });
}

/** Takes the connection of a request for another protocol; undefined where it did not ask for one. */
export function takeConnection(request: IncomingMessage, response: ServerResponse): OpenConnection | undefined {
  const open = waiting.get(request);
  if (open !== undefined) {
    response.detachSocket(open.socket);
  }
  return open;
}

/** Whether a request can become a WebSocket (RFC 6455, section 4.2.1). */
export function asksForWebSocket(request: IncomingMessage): boolean {
  const { upgrade, 'sec-websocket-version': version, 'sec-websocket-key': key } = request.headers;
  return (
    waiting.has(request) &&
    request.method === 'GET' &&
    upgrade?.toLowerCase() === 'websocket' &&
    version === '13' &&
    typeof key === 'string' &&
    /^[A-Za-z0-9+/]{22}==$/.test(key)
  );
}
