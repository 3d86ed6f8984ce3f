/**
 * The node:http server below the application: its limits, and what it says before there is a request to route. Fastify
 * makes one for each address it listens on. Invariant: whatever a client sends, it gets our errors or is cut off.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { RowlockError } from '@rowlock/client/contract';
import type { Observe } from '../domain/observation.ts';
import { BrokenRequests } from './broken-requests.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { watchPace } from './pace.ts';
import { holdContinue } from './request-body.ts';
import { routeUpgrades } from './upgrades.ts';

type Route = (request: IncomingMessage, response: ServerResponse) => void;

/** Makes a server that does not listen yet. */
export function createHttpServer(limits: ConnectionLimits, observe: Observe, route: Route): Server {
  const server = createServer({
    maxHeaderSize: limits.head_bytes_max,
    headersTimeout: limits.headers_ms,
    requestTimeout: 0, // the pace takes its place
    keepAliveTimeout: limits.keep_alive_ms,
    connectionsCheckingInterval: Math.min(5000, limits.headers_ms),
    requireHostHeader: false, // request-head.ts asks for it, with our error
  });
  server.maxConnections = limits.connections_max;
  server.maxHeadersCount = 0; // Node would leave out what is above it and say nothing; request-head.ts refuses
  server.setTimeout(limits.idle_ms);
  const broken = new BrokenRequests(limits, observe);
  server.on('request', (_request: IncomingMessage, response: ServerResponse) => broken.remember(response));
  server.on('request', route);
  holdContinue(server, (request, response) => {
    broken.remember(response);
    route(request, response);
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    broken.remember(response);
    route(request, response); // request-head.ts refuses it
  });
  routeUpgrades(server, broken, (request, response) => {
    broken.remember(response);
    route(request, response);
  });
  server.on('clientError', (error: Error, socket: Duplex) => broken.answer(error, socket));
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    broken.refuse(socket, new RowlockError('not_implemented', 'This server is no proxy'));
  });
  watchPace(server, limits);
  return server;
}
