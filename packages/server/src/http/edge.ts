/**
 * What every application of ours stands on: the server and its limits, one id and one report for each request, the checks of
 * its head, errors in our words, CORS and the limit of its address. It has no route and knows no caller.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import cors, { type FastifyCorsOptions } from '@fastify/cors';
import { errorBody, RowlockError } from '@rowlock/client/contract';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { AppOptions } from './app-options.ts';
import { auditEnd, originOf } from './audit-requests.ts';
import { byHost, type HostRoutes } from './by-host.ts';
import { clientAddresses } from './client-address.ts';
import { compileOnDemand } from './compile-on-demand.ts';
import { DescriptorRelief } from './descriptor-relief.ts';
import { spellStatus } from './error-status.ts';
import { asRowlockError, errorHeaders, installErrors } from './errors.ts';
import { denialsExplained } from './explain-denial.ts';
import { createHttpServer } from './http-server.ts';
import { parseJsonBody } from './json-body.ts';
import { observeEnd, observePayload } from './observe-request.ts';
import { assertHead } from './request-head.ts';
import { answerBeforeBody } from './unread-body.ts';

type AddressOf = ReturnType<typeof clientAddresses>;

/** What of the options of an application its edge needs. */
export type EdgeOptions = Pick<
  AppOptions,
  | 'context'
  | 'observe'
  | 'audit'
  | 'explainer'
  | 'limits'
  | 'rateLimits'
  | 'errorStatus'
  | 'trustedProxies'
  | 'allowedHosts'
>;

export interface EdgeParts {
  readonly cors: FastifyCorsOptions;
  /** Who answers instead, for requests to these hosts. */
  readonly hosts?: HostRoutes | undefined;
}

/** Headers of answers that scripts of other origins may read. */
const exposedHeaders: readonly string[] = [
  'etag',
  'content-range',
  'content-length',
  'location',
  'accept-ranges',
  'content-disposition',
  'retry-after',
  'ratelimit',
  'ratelimit-policy',
  'x-request-id',
  'x-rowlock-reason',
];

/** Builds an application without routes; it does not listen yet. */
export async function createEdge(options: EdgeOptions, parts: EdgeParts): Promise<FastifyInstance> {
  const addressOf = clientAddresses(options.trustedProxies);
  const servers: Server[] = [];
  const app = fastify({
    logger: false,
    bodyLimit: 1_048_576,
    serverFactory: (route) => {
      const server = createHttpServer(options.limits, options.observe, byHost(parts.hosts, route));
      servers.push(server);
      return server;
    },
    clientErrorHandler: () => undefined, // each server has its own
    forceCloseConnections: 'idle',
    genReqId: (request: IncomingMessage) => acceptedId(request.headers['x-request-id']) ?? randomUUID(),
    routerOptions: { maxParamLength: options.limits.url_bytes_max },
    ajv: { customOptions: { allowUnionTypes: true, coerceTypes: false }, onCreate: compileOnDemand },
    // Errors of the router: no hook has run, and none will.
    frameworkErrors: (error, request: FastifyRequest, reply: FastifyReply) => {
      begin(request, reply, options, addressOf);
      const ours = asRowlockError(error);
      const { reason, message, status } = ours;
      errorHeaders(reply, ours);
      reply.code(status).type('application/json; charset=utf-8');
      spellStatus(request, reply, options.errorStatus);
      void reply.send(answerBeforeBody(request, reply, JSON.stringify(errorBody(reason, message)), options.limits));
    },
  });
  const relief = new DescriptorRelief({
    closeClients: () => {
      for (const server of servers) server.closeIdleConnections();
    },
    closeDatabase: () => options.context.db.closeIdle(),
  });
  installErrors(app, options.observe, { explain: denialsExplained(options), relief });
  readJson(app);
  everyRequest(app, options, { addressOf, relief });
  await app.register(cors, {
    exposedHeaders: [...exposedHeaders],
    strictPreflight: false, // its refusal is no answer of ours
    maxAge: 3600,
    ...parts.cors,
  });
  // Behind CORS, so that a script may read why; in front of everything that costs something.
  app.addHook('onRequest', async (request, reply) => {
    options.rateLimits.countAddress(request, reply, originOf(request)?.address ?? '');
  });
  return app;
}

function acceptedId(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(header) ? header : undefined;
}

/** Clients send `content-type: application/json` with nothing behind it; that is no body, and not an error. */
function readJson(app: FastifyInstance): void {
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (request: FastifyRequest, body: Buffer) =>
    parseJsonBody(body, request.headers['content-type']),
  );
}

function everyRequest(
  app: FastifyInstance,
  options: EdgeOptions,
  { addressOf, relief }: { readonly addressOf: AddressOf; readonly relief: DescriptorRelief },
): void {
  app.addHook('onRequest', async (request, reply) => {
    begin(request, reply, options, addressOf);
    assertHead(request.raw, options.limits);
    if (options.allowedHosts.length > 0 && !options.allowedHosts.includes(request.hostname)) {
      throw new RowlockError('not_allowed', 'This server does not answer to that host name');
    }
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    spellStatus(request, reply, options.errorStatus);
    relief.endConnection(reply);
    observePayload(request, reply, payload, options.observe);
    done(null, answerBeforeBody(request, reply, payload, options.limits));
  });
}

/** What every answer has and what is reported of it, however it ends. */
function begin(request: FastifyRequest, reply: FastifyReply, options: EdgeOptions, addressOf: AddressOf): void {
  reply.header('x-request-id', request.id);
  observeEnd(request, reply, options.observe);
  auditEnd(request, reply, addressOf(request.raw), options.audit);
}
