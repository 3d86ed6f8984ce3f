/**
 * The change feed over a WebSocket: one message for each change, pings while there is none, and a close that says why it
 * ends. It decides nothing about who may follow. Invariant: a client that answers no ping, takes nothing or sends
 * anything is cut off.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { WebSocket, WebSocketServer } from 'ws';
import type { EndReason, FeedEvent } from '../changes/change-feed.ts';
import { takeConnection } from './upgrades.ts';

/** The subprotocol; browsers offer it beside their token, and are told that it was chosen. */
export const changesProtocol = 'rowlock.changes.v1';

/** Closes of ours have the status that HTTP would have, plus 4000; 1001 is the protocol's own. */
const closeCodes: Readonly<Record<EndReason, number>> = {
  token_expired: 4401,
  not_allowed: 4403,
  cursor_expired: 4410,
  time_limit: 4408,
  server_stopping: 1001,
};

/** How long a client may take to say goodbye. */
const goodbyeMs = 2000;

const server: WebSocketServer = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  maxPayload: 1024,
  perMessageDeflate: false,
  handleProtocols: (offered) => (offered.has(changesProtocol) ? changesProtocol : false),
});

export interface SocketLimits {
  readonly heartbeat_ms: number;
  readonly drain_ms: number;
}

/** Turns a request into a WebSocket; undefined where its connection is gone. The reply must not be used any more. */
export function openWebSocket(request: FastifyRequest, reply: FastifyReply): Promise<WebSocket | undefined> {
  reply.hijack();
  const open = takeConnection(request.raw, reply.raw);
  if (open === undefined || open.socket.destroyed) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    open.socket.once('close', () => resolve(undefined));
    server.handleUpgrade(request.raw, open.socket, open.head, (socket) => {
      socket.on('error', () => socket.terminate()); // a client that breaks the protocol ends its connection, not ours
      resolve(socket);
    });
  });
}

/** Sends events until they end or the client is gone. */
export async function sendMessages(
  socket: WebSocket,
  events: AsyncGenerator<FeedEvent, void, undefined>,
  first: FeedEvent,
  limits: SocketLimits,
): Promise<void> {
  const pings = keepAlive(socket, limits.heartbeat_ms);
  socket.on('message', () => socket.close(1003, 'nothing is read here'));
  try {
    for (
      let event: FeedEvent | undefined = first;
      event !== undefined;
      event = (await events.next()).value ?? undefined
    ) {
      if (event.type === 'end') {
        socket.close(closeCodes[event.reason], event.reason);
        break;
      }
      if (!(await sendAll(socket, messagesOf(event), limits.drain_ms))) {
        socket.terminate();
        break;
      }
    }
  } catch (error) {
    socket.close(1011, 'failed');
    throw error;
  } finally {
    clearInterval(pings);
    setTimeout(() => socket.terminate(), goodbyeMs).unref();
    await events.return();
  }
}

/** A change each, and a cursor alone where it moved on without one. */
function messagesOf(event: Exclude<FeedEvent, { readonly type: 'end' }>): readonly string[] {
  if (event.type === 'heartbeat') return [JSON.stringify({ type: 'cursor', cursor: event.cursor })];
  const { changes, cursor } = event.page;
  const moved = changes.at(-1)?.cursor === cursor ? [] : [JSON.stringify({ type: 'cursor', cursor })];
  return [...changes.map((change) => JSON.stringify(change)), ...moved];
}

/** Sends messages, and waits until the last of them has left. False when it did not in time. */
function sendAll(socket: WebSocket, messages: readonly string[], timeoutMs: number): Promise<boolean> {
  const last = messages.at(-1);
  if (last === undefined) return Promise.resolve(true);
  if (socket.readyState !== WebSocket.OPEN) return Promise.resolve(false);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    for (const message of messages.slice(0, -1)) socket.send(message);
    socket.send(last, (error) => {
      clearTimeout(timer);
      resolve(error === undefined || error === null);
    });
  });
}

/** Pings, and terminates a client that did not answer the one before. */
function keepAlive(socket: WebSocket, intervalMs: number): NodeJS.Timeout {
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  return setInterval(() => {
    if (!isAlive) {
      socket.terminate();
      return;
    }
    isAlive = false;
    socket.ping();
  }, intervalMs);
}
