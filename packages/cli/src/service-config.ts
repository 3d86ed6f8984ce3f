/** From options to the configuration of the API and of the workers. It refuses what would be unsafe to start with. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { siteFolder } from '@rowlock/console';
import type { ServerConfig, WorkerConfig } from '@rowlock/server';
import { defaultSchemaNames, isAddressRange } from '@rowlock/server';
import { checkersOf } from './check-options.ts';
import { readPrices, shippedPrices } from './cost/prices.ts';
import { gatewayConfig } from './gateway-options.ts';
import type { Settings } from './options.ts';
import { rateLimits } from './rate-limit-options.ts';
import { renderConfig } from './render-options.ts';
import { strongSecret, weaknessOf } from './secret-strength.ts';
import { httpSigner, signerSource } from './signer-options.ts';
import { storeConfigs } from './store-configs.ts';
import { UsageError } from './usage-error.ts';

function tokens(settings: Settings): ServerConfig['tokens'] {
  const inline = settings.text('jwt-jwks');
  const text = inline !== undefined && existsSync(inline) ? readFileSync(inline, 'utf8') : inline;
  const secret = settings.text('jwt-secret') === undefined ? undefined : strongSecret(settings, 'jwt-secret');
  const jwks_url = settings.text('jwt-jwks-url');
  if (secret === undefined && text === undefined && jwks_url === undefined) {
    throw new UsageError('no way to verify tokens: set JWT_SECRET, JWT_JWKS or JWT_JWKS_URL');
  }
  return {
    secret,
    jwks: text === undefined ? undefined : JSON.parse(text),
    jwks_url,
    issuer: settings.text('jwt-issuer'),
    audience: settings.text('jwt-audience'),
  };
}

export function serverConfig(settings: Settings): ServerConfig {
  const current = strongSecret(settings, 'signed-url-secret');
  return {
    host: settings.required('host'),
    port: settings.integer('port'),
    database: database(settings, 'api-database-url'),
    standby: standby(settings),
    ...storeConfigs(settings, database(settings, 'api-database-url')),
    tokens: tokens(settings),
    rules: {
      anonymous_role: settings.required('anon-role'),
      default_role: settings.required('default-role'),
      allowed_roles: settings.list('allowed-roles'),
      role_claim: settings.required('jwt-role-claim').split('.'),
    },
    signed_urls: {
      current: { id: keyId(current), secret: current },
      previous: previousSecrets(settings).map((secret) => ({ id: keyId(secret), secret })),
    },
    upload_bytes_max: settings.integer('upload-bytes-max'),
    uploads_prepared_from: settings.integer('uploads-prepared-from'),
    public_url: settings.text('public-url')?.replace(/\/+$/, ''),
    cors_origins: settings.list('cors-origins'),
    allowed_hosts: settings.list('allowed-hosts'),
    trusted_proxies: trustedProxies(settings),
    rate_limits: rateLimits(settings),
    renders: renderConfig(settings),
    errors_status: errorsStatus(settings),
    metrics_token: settings.text('metrics-token') || undefined,
    events_s3_secret: settings.text('events-s3-secret') ? strongSecret(settings, 'events-s3-secret') : undefined,
    change_feed: {
      streams_max: settings.integer('change-streams-max'),
      streams_per_caller_max: settings.integer('change-streams-per-caller-max'),
    },
    gateway: gatewayConfig(settings),
    api_docs: apiDocs(settings),
    prices: readPrices(shippedPrices),
    console_folder: siteFolder,
  };
}

/** @throws UsageError for anything but on and off */
function apiDocs(settings: Settings): boolean {
  const wanted = settings.required('api-docs');
  if (wanted !== 'on' && wanted !== 'off') {
    throw new UsageError(`api-docs is on or off, not "${wanted}"`);
  }
  return wanted === 'on';
}

function standby(settings: Settings): ServerConfig['standby'] {
  const url = settings.text('read-database-url');
  return url === undefined ? undefined : { url, lag_ms_max: settings.integer('read-lag-max-ms') };
}

/** @throws UsageError for one that is too weak: it opens what it could sign */
function previousSecrets(settings: Settings): readonly string[] {
  const secrets = settings.secrets('signed-url-previous-secret');
  const weakness = secrets.map(weaknessOf).find((each) => each !== undefined);
  if (weakness !== undefined) {
    throw new UsageError(`a secret of signed-url-previous-secret ${weakness}`);
  }
  return secrets;
}

/** @throws UsageError */
function trustedProxies(settings: Settings): readonly string[] {
  const ranges = settings.list('trusted-proxies');
  const wrong = ranges.find((range) => !isAddressRange(range));
  if (wrong !== undefined) {
    throw new UsageError(`trusted-proxies: "${wrong}" is no address and no range such as 10.0.0.0/8`);
  }
  return ranges;
}

function errorsStatus(settings: Settings): 'true' | 'legacy' {
  const wanted = settings.required('errors-status');
  if (wanted !== 'true' && wanted !== 'legacy') {
    throw new UsageError(`ERRORS_STATUS is true or legacy, not "${wanted}"`);
  }
  return wanted;
}

export function workerConfig(settings: Settings): WorkerConfig {
  const slots: Readonly<Record<string, number>> = {
    s3_signer: settings.integer('s3-signer-max-workers'),
    thumbnails: settings.integer('thumbnail-max-workers'),
    maintenance: 4,
    checks: settings.integer('check-max-workers'),
  };
  const queues = settings.list('queues');
  const unknown = queues.find((queue) => !(queue in slots));
  if (unknown !== undefined) {
    throw new UsageError(`there is no queue "${unknown}"; there are ${Object.keys(slots).join(', ')}`);
  }
  return {
    database: database(settings, 'worker-database-url'),
    ...storeConfigs(settings, database(settings, 'worker-database-url')),
    names: { ...defaultSchemaNames, metadata: settings.required('metadata-schema') },
    queues: Object.fromEntries(queues.map((queue) => [queue, slots[queue] ?? 1])),
    upload_acl: uploadAcl(settings),
    decoder_memory_bytes: settings.integer('decoder-memory-bytes') || undefined,
    ...checkersOf(settings),
    adopted: adopted(settings),
    http_signer: httpSigner(settings),
    source: signerSource(settings),
    sweep_interval_seconds: settings.integer('sweep-interval-seconds'),
    lease_ttl_ms: settings.integer('lease-seconds') * 1000,
    stop_timeout_ms: 25_000,
  };
}

/** @throws UsageError */
function adopted(settings: Settings): WorkerConfig['adopted'] {
  const schema = settings.text('adopted-schema');
  if (schema === undefined) return undefined;
  if (schema === settings.required('metadata-schema')) {
    throw new UsageError(
      `ADOPTED_SCHEMA and METADATA_SCHEMA are both "${schema}": set METADATA_SCHEMA=rowlock_metadata`,
    );
  }
  const lead = settings.required('adopted-lead');
  if (lead !== 'on' && lead !== 'off') throw new UsageError(`ADOPTED_LEAD is on or off, not "${lead}"`);
  const queues = {
    fs_presign: settings.integer('s3-signer-max-workers'),
    fs_thumbnails: settings.integer('thumbnail-max-workers'),
  };
  return { schema, queues, lead: lead === 'on' };
}

/** @throws UsageError for one that lets others write, or that nobody knows */
function uploadAcl(settings: Settings): string | undefined {
  const wanted = settings.required('s3-upload-acl');
  if (!['none', 'private', 'public-read', 'bucket-owner-full-control'].includes(wanted)) {
    throw new UsageError(`S3_UPLOAD_ACL is none, private, public-read or bucket-owner-full-control, not "${wanted}"`);
  }
  return wanted === 'none' ? undefined : wanted;
}

export function database(settings: Settings, name: string): ServerConfig['database'] {
  return {
    url: settings.required(name),
    connections_max: settings.integer('db-max-conns'),
    statement_timeout_ms: settings.integer('statement-timeout-ms'),
  };
}

/** A short name of a key that tells nothing of it. */
function keyId(secret: string): string {
  return createHash('sha256').update(`rowlock key id:${secret}`).digest('hex').slice(0, 8);
}
