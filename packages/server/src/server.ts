/**
 * Composition root of the API: configuration to a listening server. It makes the parts and joins them; what they do is
 * their own.
 */
import type { FastifyInstance } from 'fastify';
import { createUrlSigner } from './auth/signed-url.ts';
import { createTokenVerifier } from './auth/token-verifier.ts';
import { openBackend } from './backend/open-backend.ts';
import type { ServerConfig } from './config.ts';
import type { Observe } from './domain/observation.ts';
import { createApp } from './http/app.ts';
import { defaultConnectionLimits } from './http/connection-limits.ts';
import { Database } from './metadata/database.ts';
import { ping } from './metadata/upkeep.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { version } from './version.ts';

export interface RunningServer {
  /** Where it listens, with the port that was given. */
  readonly url: string;
  /** Stops listening, lets requests end, closes the database. */
  stop(): Promise<void>;
}

export interface ServerParts {
  readonly observe?: Observe;
  readonly metrics?: Metrics;
}

/**
 * Starts the API. Resolves when it can serve.
 *
 * @throws Error with code EADDRINUSE where the port is taken
 */
export async function createServer(config: ServerConfig, parts: ServerParts = {}): Promise<RunningServer> {
  const metrics = parts.metrics ?? createMetrics();
  const observe: Observe = (observation) => {
    metrics.observe(observation);
    parts.observe?.(observation);
  };
  const db = new Database({
    url: config.database.url,
    connectionsMax: config.database.connections_max,
    statementTimeoutMs: config.database.statement_timeout_ms,
    applicationName: 'rowlock api',
  });
  const backend = await openBackend(config.backend);
  const { bucket, region, access_key_id, secret_access_key } = config.backend;
  const app = await createApp({
    context: { db, backend, urls: createUrlSigner(config.signed_urls), uploadBytesMax: config.upload_bytes_max },
    verifier: createTokenVerifier(config.tokens),
    rules: config.rules,
    observe,
    publicUrl: config.public_url,
    corsOrigins: config.cors_origins,
    allowedHosts: config.allowed_hosts,
    consoleFolder: config.console_folder,
    door: { bucket, region, access_key_id, secret_access_key },
    ready: async () => {
      await db.run(ping, []);
      await backend.check();
    },
    metrics: () => metrics.render(db.connections()),
    metricsToken: config.metrics_token,
    limits: { ...defaultConnectionLimits, ...config.connection_limits },
    version,
  });
  const stop = async (): Promise<void> => {
    await closeApp(app);
    await db.close();
    await backend.close();
  };
  try {
    const url = await app.listen({ host: config.host, port: config.port });
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const closeTimeoutMs = 3000;

/** Lets requests end for a while, then closes their connections. */
async function closeApp(app: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), closeTimeoutMs);
  await app.close();
  clearTimeout(timer);
}
