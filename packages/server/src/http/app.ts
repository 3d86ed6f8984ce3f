/**
 * The HTTP edge: one list of routes over one server. It reads requests, calls one operation each, and spells answers
 * and errors; it knows neither SQL nor where bytes are.
 */
import { randomUUID } from 'node:crypto';
import cors from '@fastify/cors';
import swagger from '@fastify/swagger';
import { RowlockError } from '@rowlock/client/contract';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import type { AppOptions } from './app-options.ts';
import { asRowlockError, installErrors, sendError } from './errors.ts';
import { holdContinue } from './request-body.ts';
import { bucketRoutes } from './routes/bucket-routes.ts';
import { consoleRoutes } from './routes/console-routes.ts';
import { doorRoutes } from './routes/door-routes.ts';
import { healthRoutes } from './routes/health-routes.ts';
import { objectRoutes } from './routes/object-routes.ts';
import { renderRoutes } from './routes/render-routes.ts';
import { rpcRoutes } from './routes/rpc-routes.ts';
import { uploadRoutes } from './routes/upload-routes.ts';

const prefix = '/storage/v1';

const exposedHeaders = [
  'etag',
  'content-range',
  'content-length',
  'location',
  'accept-ranges',
  'retry-after',
  'x-request-id',
];

/** Builds the application; it does not listen yet. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: 1_048_576,
    connectionTimeout: 120_000,
    keepAliveTimeout: 65_000,
    requestTimeout: 0,
    forceCloseConnections: 'idle',
    genReqId: (request) => acceptedId(request.headers['x-request-id']) ?? randomUUID(),
    routerOptions: { maxParamLength: 8192 },
    ajv: { customOptions: { allowUnionTypes: true, coerceTypes: false } },
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      void sendError(reply, asRowlockError(error));
    },
  });
  installErrors(app, options.observe);
  tolerateEmptyJson(app);
  observeRequests(app, options);
  await app.register(cors, {
    origin: options.corsOrigins.includes('*') ? '*' : [...options.corsOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    exposedHeaders,
    maxAge: 3600,
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Rowlock', version: options.version, license: { name: 'Apache-2.0' } },
    },
  });
  await app.register(
    async (scope) => {
      bucketRoutes(scope, options);
      objectRoutes(scope, options);
      renderRoutes(scope, options);
    },
    { prefix },
  );
  await app.register(async (scope) => uploadRoutes(scope, options), { prefix });
  await app.register(async (scope) => rpcRoutes(scope, options));
  const { door } = options;
  if (door !== undefined) {
    await app.register(async (scope) => doorRoutes(scope, options, door));
  }
  const { consoleFolder } = options;
  if (consoleFolder !== undefined) {
    await app.register(async (scope) => consoleRoutes(scope, consoleFolder));
  }
  healthRoutes(app, options);
  holdContinue(app.server, (request, response) => app.routing(request, response));
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  return app;
}

function acceptedId(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(header) ? header : undefined;
}

/** Clients send `content-type: application/json` with nothing behind it; that is no body, and not an error. */
function tolerateEmptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') {
      done(null, null);
      return;
    }
    void parse(request, body as string, done);
  });
}

function observeRequests(app: FastifyInstance, options: AppOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    if (options.allowedHosts.length > 0 && !options.allowedHosts.includes(request.hostname)) {
      throw new RowlockError('not_allowed', 'This server does not answer to that host name');
    }
  });
  app.addHook('onResponse', async (request, reply) => {
    options.observe({
      type: 'request',
      method: request.method,
      route: request.routeOptions.url ?? 'unknown',
      status: reply.statusCode,
      duration_ms: reply.elapsedTime,
      request_id: request.id,
      reason: reply.getHeader('x-rowlock-reason')?.toString(),
      bytes_in: Number(request.headers['content-length'] ?? 0),
      bytes_out: Number(reply.getHeader('content-length') ?? 0),
    });
  });
}
