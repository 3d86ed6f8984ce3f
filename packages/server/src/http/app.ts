/**
 * The HTTP edge: one list of routes over one server. It reads requests, calls one operation each, and spells answers
 * and errors; it knows neither SQL nor where bytes are.
 */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import type { AppOptions } from './app-options.ts';
import { createEdge } from './edge.ts';
import { openapiOptions } from './openapi/document.ts';
import { accessRoutes } from './routes/access-routes.ts';
import { bucketRoutes } from './routes/bucket-routes.ts';
import { callerRoutes } from './routes/caller-routes.ts';
import { checkRoutes } from './routes/check-routes.ts';
import { consoleRoutes } from './routes/console-routes.ts';
import { consoleSessionRoutes } from './routes/console-session-routes.ts';
import { deleteRoutes } from './routes/delete-routes.ts';
import { docsRoutes } from './routes/docs-routes.ts';
import { doorRoutes } from './routes/door-routes.ts';
import { eventRoutes } from './routes/event-routes.ts';
import { healthRoutes } from './routes/health-routes.ts';
import { infoRoutes } from './routes/info-routes.ts';
import { jobRoutes } from './routes/job-routes.ts';
import { listRoutes } from './routes/list-routes.ts';
import { moveRoutes } from './routes/move-routes.ts';
import { multipartRoutes } from './routes/multipart-routes.ts';
import { quotaRoutes } from './routes/quota-routes.ts';
import { readRoutes } from './routes/read-routes.ts';
import { renderRoutes } from './routes/render-routes.ts';
import { rpcRoutes } from './routes/rpc-routes.ts';
import { signRoutes } from './routes/sign-routes.ts';
import { signUploadRoutes } from './routes/sign-upload-routes.ts';
import { signedUrlRoutes } from './routes/signed-url-routes.ts';
import { storageHealthRoutes } from './routes/storage-health-routes.ts';
import { storeEventRoutes } from './routes/store-event-routes.ts';
import { uploadRoutes } from './routes/upload-routes.ts';
import { versionRoutes } from './routes/version-routes.ts';
import { zipRoutes } from './routes/zip-routes.ts';

const prefix = '/storage/v1';

/** Builds the application; it does not listen yet. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const app = await createEdge(options, {
    cors: {
      origin: options.corsOrigins.includes('*') ? '*' : [...options.corsOrigins],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    },
    hosts: options.hosts,
  });
  await app.register(swagger, openapiOptions(options.version));
  await app.register(async (scope) => storageRoutes(scope, options), { prefix });
  await app.register(async (scope) => uploadRoutes(scope, options), { prefix });
  await app.register(async (scope) => rpcRoutes(scope, options));
  const { storeEvents, observe } = options;
  if (storeEvents !== undefined) {
    await app.register(async (scope) => storeEventRoutes(scope, { ...storeEvents, observe }));
  }
  for (const door of options.doors) {
    await app.register(async (scope) => doorRoutes(scope, options, door));
  }
  const { consoleFolder, consoleSignIn } = options;
  if (consoleSignIn !== undefined) {
    await app.register(async (scope) => consoleSessionRoutes(scope, options, consoleSignIn), { prefix });
  }
  if (consoleFolder !== undefined) {
    const partOrigins = [...options.context.backends].flatMap(({ parts }) => parts?.origin ?? []);
    await app.register(async (scope) => consoleRoutes(scope, consoleFolder, partOrigins));
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
  checkRoutes(scope, options);
  listRoutes(scope, options);
  zipRoutes(scope, options);
  signRoutes(scope, options);
  signedUrlRoutes(scope, options);
  deleteRoutes(scope, options);
  moveRoutes(scope, options);
  signUploadRoutes(scope, options);
  multipartRoutes(scope, options);
  renderRoutes(scope, options);
  eventRoutes(scope, options);
  versionRoutes(scope, options);
  jobRoutes(scope, options);
  storageHealthRoutes(scope, options);
  accessRoutes(scope, options);
  callerRoutes(scope, options);
}
