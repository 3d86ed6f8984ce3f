/**
 * The HTTP edge: one list of routes over one server. It reads requests, calls one operation each, and spells answers
 * and errors; it knows neither SQL nor where bytes are.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import cors from '@fastify/cors';
import swagger from '@fastify/swagger';
import { errorBody, RowlockError } from '@rowlock/client/contract';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { AppOptions } from './app-options.ts';
import { auditEnd, originOf } from './audit-requests.ts';
import { clientAddresses } from './client-address.ts';
import { DescriptorRelief } from './descriptor-relief.ts';
import { spellStatus } from './error-status.ts';
import { asRowlockError, errorHeaders, installErrors } from './errors.ts';
import { denialsExplained } from './explain-denial.ts';
import { createHttpServer } from './http-server.ts';
import { parseJsonBody } from './json-body.ts';
import { observeEnd, observePayload } from './observe-request.ts';
import { openapiOptions } from './openapi/document.ts';
import { assertHead } from './request-head.ts';
import { bucketRoutes } from './routes/bucket-routes.ts';
import { consoleRoutes } from './routes/console-routes.ts';
import { deleteRoutes } from './routes/delete-routes.ts';
import { docsRoutes } from './routes/docs-routes.ts';
import { doorRoutes } from './routes/door-routes.ts';
import { eventRoutes } from './routes/event-routes.ts';
import { healthRoutes } from './routes/health-routes.ts';
import { infoRoutes } from './routes/info-routes.ts';
import { listRoutes } from './routes/list-routes.ts';
import { moveRoutes } from './routes/move-routes.ts';
import { quotaRoutes } from './routes/quota-routes.ts';
import { readRoutes } from './routes/read-routes.ts';
import { renderRoutes } from './routes/render-routes.ts';
import { rpcRoutes } from './routes/rpc-routes.ts';
import { signRoutes } from './routes/sign-routes.ts';
import { signUploadRoutes } from './routes/sign-upload-routes.ts';
import { signedUrlRoutes } from './routes/signed-url-routes.ts';
import { uploadRoutes } from './routes/upload-routes.ts';
import { versionRoutes } from './routes/version-routes.ts';
import { zipRoutes } from './routes/zip-routes.ts';
import { answerBeforeBody } from './unread-body.ts';

const prefix = '/storage/v1';

type AddressOf = ReturnType<typeof clientAddresses>;

const exposedHeaders = [
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

/** Builds the application; it does not listen yet. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const addressOf = clientAddresses(options.trustedProxies);
  const servers: Server[] = [];
  const app = fastify({
    logger: false,
    bodyLimit: 1_048_576,
    serverFactory: (route) => {
      const server = createHttpServer(options.limits, options.observe, route);
      servers.push(server);
      return server;
    },
    clientErrorHandler: () => undefined, // each server has its own
    forceCloseConnections: 'idle',
    genReqId: (request: IncomingMessage) => acceptedId(request.headers['x-request-id']) ?? randomUUID(),
    routerOptions: { maxParamLength: options.limits.url_bytes_max },
    ajv: { customOptions: { allowUnionTypes: true, coerceTypes: false } },
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
    origin: options.corsOrigins.includes('*') ? '*' : [...options.corsOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    exposedHeaders,
    strictPreflight: false, // its refusal is no answer of ours
    maxAge: 3600,
  });
  // Behind CORS, so that a script may read why; in front of everything that costs something.
  app.addHook('onRequest', async (request, reply) => {
    options.rateLimits.countAddress(request, reply, originOf(request)?.address ?? '');
  });
  await app.register(swagger, openapiOptions(options.version));
  await app.register(async (scope) => storageRoutes(scope, options), { prefix });
  await app.register(async (scope) => uploadRoutes(scope, options), { prefix });
  await app.register(async (scope) => rpcRoutes(scope, options));
  for (const door of options.doors) {
    await app.register(async (scope) => doorRoutes(scope, options, door));
  }
  const { consoleFolder } = options;
  if (consoleFolder !== undefined) {
    await app.register(async (scope) => consoleRoutes(scope, consoleFolder));
  }
  healthRoutes(app, options);
  await docsRoutes(app, options.apiDocs);
  return app;
}

/** What is below the prefix, but for uploads: their bodies are read in another way. */
function storageRoutes(scope: FastifyInstance, options: AppOptions): void {
  bucketRoutes(scope, options);
  quotaRoutes(scope, options);
  readRoutes(scope, options);
  infoRoutes(scope, options);
  listRoutes(scope, options);
  zipRoutes(scope, options);
  signRoutes(scope, options);
  signedUrlRoutes(scope, options);
  deleteRoutes(scope, options);
  moveRoutes(scope, options);
  signUploadRoutes(scope, options);
  renderRoutes(scope, options);
  eventRoutes(scope, options);
  versionRoutes(scope, options);
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
  options: AppOptions,
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
function begin(request: FastifyRequest, reply: FastifyReply, options: AppOptions, addressOf: AddressOf): void {
  reply.header('x-request-id', request.id);
  observeEnd(request, reply, options.observe);
  auditEnd(request, reply, addressOf(request.raw), options.audit);
}
