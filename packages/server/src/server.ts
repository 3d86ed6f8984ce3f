/**
 * Composition root of the API: configuration to a listening server. It makes the parts and joins them; what they do is
 * their own.
 */
import type { FastifyInstance } from 'fastify';
import { createUrlSigner } from './auth/signed-url.ts';
import { createTokenVerifier } from './auth/token-verifier.ts';
import { createUploadTokens } from './auth/upload-token.ts';
import { ChangeFeed } from './changes/change-feed.ts';
import type { ServerConfig } from './config.ts';
import { loadDetection } from './domain/media-type.ts';
import type { Observe } from './domain/observation.ts';
import type { AppOptions } from './http/app-options.ts';
import { defaultConnectionLimits, listenBacklog } from './http/connection-limits.ts';
import { RateLimits } from './http/rate-limit.ts';
import { Database, type StatementRunner } from './metadata/database.ts';
import { StandbyReads } from './metadata/standby.ts';
import { ping } from './metadata/upkeep.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { doorsOf, openBackends } from './open-backends.ts';
import { openRenders } from './open-renders.ts';
import { announceBytes } from './operations/announce-bytes.ts';
import { AuditTrail } from './operations/audit.ts';
import { type HealthFinding, HealthWatch } from './operations/check-health.ts';
import type { OperationContext } from './operations/context.ts';
import { RefusalExplainer } from './operations/explain-refusal.ts';
import { Placement } from './operations/placement.ts';
import { PreparedVersions } from './operations/prepared-versions.ts';
import { version } from './version.ts';

export interface RunningServer {
  /** Where it listens, with the port that was given. */
  readonly url: string;
  /** Where the gateway listens, where it has a listener of its own. */
  readonly gateway_url: string | undefined;
  /** Looks at database and store, and reports what it finds; `/readyz` tells of it from then on. Takes seconds at most. */
  health(): Promise<readonly HealthFinding[]>;
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
  // The edge is half of what there is to load, and most commands do not serve.
  const [{ createApp }, { assertGateway, openGateway }] = await Promise.all([
    import('./http/app.ts'),
    import('./http/gateway.ts'),
  ]);
  assertGateway(config.gateway);
  const metrics = parts.metrics ?? createMetrics();
  const observe: Observe = (observation) => {
    metrics.observe(observation);
    parts.observe?.(observation);
    if (observation.type === 'request' && isWrite(observation)) feed.hint();
  };
  const db = openPrimary(config.database);
  const standby = openStandby(config, db, observe);
  const reads: StatementRunner = standby ?? db;
  const feed = new ChangeFeed(db, observe, config.change_feed);
  const backends = await openBackends(config, observe);
  const backend = backends.default;
  const prepared = new PreparedVersions(db, { backend: backend.name, busyFrom: config.uploads_prepared_from });
  const renders = openRenders(config.renders, { db, backends, observe });
  const context: OperationContext = {
    db,
    reads,
    backend,
    backends,
    placement: new Placement(db, backends),
    prepared,
    urls: createUrlSigner(config.signed_urls),
    uploadTokens: createUploadTokens(config.signed_urls),
    renders,
    uploadBytesMax: config.upload_bytes_max,
  };
  const audit = new AuditTrail(db, observe);
  const health = new HealthWatch({ db, backends }, observe);
  const edge = { ...configuredEdge(config), context, audit, explainer: new RefusalExplainer(context), observe };
  const filesBuckets = [config.backend, ...(config.other_backends ?? [])].map(({ bucket }) => bucket);
  const gateway = await openGateway(config.gateway, { host: config.host, filesBuckets }, edge);
  const app = await createApp({
    ...edge,
    hosts: gateway?.hosts,
    feed,
    storeEvents: storeEventsOf(config, context),
    ready: async () => {
      await db.run(ping, []);
      for (const each of backends) await each.check();
    },
    health: () => health.last,
    metrics: () => metrics.render(db.connections()),
  });
  const stop = async (): Promise<void> => {
    health.stop();
    feed.close();
    await Promise.all([closeApp(app), gateway && closeApp(gateway.app)]);
    await audit.flush();
    await renders.close();
    await prepared.close();
    await standby?.close();
    await db.close();
    await backends.close();
  };
  try {
    await loadDetection();
    const url = await app.listen({ host: config.host, port: config.port, backlog: listenBacklog });
    return { url, gateway_url: await gateway?.listen(), health: () => health.look(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What the configuration alone says of the HTTP edge. */
function configuredEdge(
  config: ServerConfig,
): Omit<
  AppOptions,
  'context' | 'audit' | 'explainer' | 'observe' | 'hosts' | 'feed' | 'storeEvents' | 'ready' | 'health' | 'metrics'
> {
  return {
    rateLimits: new RateLimits(config.rate_limits ?? {}),
    verifier: createTokenVerifier(config.tokens),
    rules: config.rules,
    publicUrl: config.public_url,
    corsOrigins: config.cors_origins,
    allowedHosts: config.allowed_hosts,
    trustedProxies: config.trusted_proxies ?? [],
    prices: config.prices,
    consoleFolder: config.console_folder,
    consoleSignIn: config.console_sign_in,
    apiDocs: config.api_docs ?? true,
    doors: doorsOf(config),
    errorStatus: config.errors_status,
    metricsToken: config.metrics_token,
    limits: { ...defaultConnectionLimits, ...config.connection_limits },
    version,
  };
}

function storeEventsOf(
  { events_s3_secret: secret }: ServerConfig,
  context: OperationContext,
): AppOptions['storeEvents'] {
  return secret === undefined ? undefined : { secret, announce: (events) => announceBytes(context, events) };
}

function openPrimary({ url, connections_max, statement_timeout_ms }: ServerConfig['database']): Database {
  return new Database({
    url,
    connectionsMax: connections_max,
    statementTimeoutMs: statement_timeout_ms,
    applicationName: 'rowlock api',
  });
}

/** How long a statement may take on the standby: the primary has its whole time after it. */
const standbyTimeoutMs = 3000;
const standbyProbeMs = 1000;

function openStandby(config: ServerConfig, primary: Database, observe: Observe): StandbyReads | undefined {
  const { standby, database } = config;
  if (standby === undefined) {
    return undefined;
  }
  const db = new Database({
    url: standby.url,
    connectionsMax: database.connections_max,
    statementTimeoutMs: Math.min(database.statement_timeout_ms, standbyTimeoutMs),
    applicationName: 'rowlock api reads',
  });
  return new StandbyReads(primary, db, {
    lagMaxMs: standby.lag_ms_max,
    probeIntervalMs: Math.min(standbyProbeMs, standby.lag_ms_max / 3),
    onChange: (used, why) =>
      observe({ type: 'lifecycle', message: `reads go to the ${used ? 'standby' : 'primary'}: ${why}` }),
  });
}

/** Whether a request probably left a change behind. */
function isWrite({ method, status }: { readonly method: string; readonly status: number }): boolean {
  return status < 300 && method !== 'GET' && method !== 'HEAD';
}

const closeTimeoutMs = 3000;

/** Lets requests end for a while, then closes their connections. */
async function closeApp(app: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), closeTimeoutMs);
  await app.close();
  clearTimeout(timer);
}
