/**
 * Starts everything that development needs, in one process and one PostgreSQL beside it, and stops it again in the
 * reverse order. It binds to the loopback and answers to loopback names only.
 */
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { siteFolder } from '@rowlock/console';
import {
  createMetrics,
  createServer,
  createWorker,
  defaultQueues,
  defaultSchemaNames,
  migrate,
  type Observe,
  type ServerConfig,
  type WorkerConfig,
  type WorkerParts,
} from '@rowlock/server';
import { readPrices, shippedPrices } from '../cost/prices.ts';
import { consoleSignIn, consoleUrlOf } from './console-sign-in.ts';
import { type DevFile, type DevSecrets, devKey, devSecrets, openDevFolder, writePrivate } from './dev-folder.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded/embedded-postgres.ts';

export interface DevOptions {
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  /** The gateway, where one is asked for; pages of the usual development servers may begin sessions there. */
  readonly gateway: ServerConfig['gateway'];
  readonly observe: Observe;
  /** Who looks at files. */
  readonly checks: Pick<WorkerConfig, 'scanner' | 'classifier'> & Required<Pick<WorkerParts, 'kinds'>>;
}

export interface RunningDev {
  readonly file: DevFile;
  readonly secrets: DevSecrets;
  /** Where a browser is signed in to the console, once; not where others than this machine reach the service. */
  readonly consoleUrl: string;
  /** Resolves when PostgreSQL ended by itself. */
  readonly databaseEnded: Promise<unknown>;
  stop(): Promise<void>;
}

const uploadBytesMax = 5 * 2 ** 30;
const s3Bucket = 'civic-os-files';

/** Where development servers of applications listen as a rule. */
const devOrigins: readonly string[] = [
  'http://localhost:3000',
  'http://localhost:4200',
  'http://localhost:5173',
  'http://127.0.0.1:5173',
];

/** @throws Error where the port is taken, before anything is started */
async function assertPortFree(host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createTcpServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const text =
        error.code === 'EADDRINUSE'
          ? `port ${port} is taken by another program; choose one: npm start -- --port ${port + 1}`
          : `cannot listen on ${host}:${port}: ${error.message}`;
      reject(new Error(text));
    });
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}

function withLogin(url: string, role: string, password: string): string {
  const login = new URL(url);
  login.username = role;
  login.password = password;
  return login.href;
}

async function writeDevFile(
  options: DevOptions,
  secrets: DevSecrets,
  url: string,
  databaseUrl: string,
): Promise<DevFile> {
  const [anon_key, authenticated_key, service_key] = await Promise.all([
    devKey(secrets.jwt_secret, { role: 'anon' }),
    devKey(secrets.jwt_secret, { role: 'authenticated', sub: 'demo-user' }),
    devKey(secrets.jwt_secret, { role: 'service_role' }),
  ]);
  const file: DevFile = {
    url,
    database_url: databaseUrl,
    jwt_secret: secrets.jwt_secret,
    anon_key,
    authenticated_key,
    service_key,
    s3: {
      endpoint: url,
      region: 'us-east-1',
      bucket: s3Bucket,
      access_key_id: secrets.access_key_id,
      secret_access_key: secrets.secret_access_key,
    },
  };
  writePrivate(join(options.folder, 'dev.json'), file);
  return file;
}

async function startService(
  options: DevOptions,
  secrets: DevSecrets,
  postgres: EmbeddedPostgres,
  signIn: ReturnType<typeof consoleSignIn>,
) {
  const { host, port, gateway, observe } = options;
  const { kinds, ...checkers } = options.checks;
  const url = `http://${host}:${port}`;
  const metrics = await createMetrics();
  const limits = { connections_max: 10, statement_timeout_ms: 30_000 };
  const backend = {
    kind: 'disk',
    root: join(options.folder, 'blobs'),
    endpoint: url,
    region: 'us-east-1',
    bucket: s3Bucket,
    access_key_id: secrets.access_key_id,
    secret_access_key: secrets.secret_access_key,
  } as const;
  const server = createServer(
    {
      host,
      port,
      database: { ...limits, url: withLogin(postgres.url, 'rowlock_authenticator', secrets.authenticator_password) },
      backend,
      tokens: { secret: secrets.jwt_secret },
      rules: {
        anonymous_role: 'anon',
        default_role: 'authenticated',
        allowed_roles: ['anon', 'authenticated', 'service_role'],
        role_claim: ['role'],
      },
      signed_urls: { current: { id: 'dev', secret: secrets.signed_url_secret } },
      upload_bytes_max: uploadBytesMax,
      public_url: url,
      cors_origins: devOrigins,
      gateway: gateway && { ...gateway, origins: [...devOrigins, ...gateway.origins] },
      allowed_hosts: ['127.0.0.1', 'localhost', host],
      prices: readPrices(shippedPrices),
      console_folder: siteFolder,
      console_sign_in: signIn,
    },
    { observe, metrics },
  );
  const worker = createWorker(
    {
      database: {
        ...limits,
        connections_max: 4,
        url: withLogin(postgres.url, 'rowlock_worker', secrets.worker_password),
      },
      backend,
      names: defaultSchemaNames,
      queues: defaultQueues,
      sweep_interval_seconds: 900,
      stop_timeout_ms: 2000,
      ...checkers,
    },
    { observe, metrics, kinds },
  );
  return { server, worker };
}

/** Starts PostgreSQL, migrates, starts API and workers, and writes `dev.json`. What started is stopped when a step fails. */
export async function startDev(options: DevOptions): Promise<RunningDev> {
  openDevFolder(options.folder);
  await assertPortFree(options.host, options.port);
  const secrets = devSecrets(options.folder);
  const postgres = await startEmbeddedPostgres({ dataDir: join(options.folder, 'postgres') });
  try {
    await migrate({
      url: postgres.url,
      passwords: { rowlock_authenticator: secrets.authenticator_password, rowlock_worker: secrets.worker_password },
    });
    const signIn = consoleSignIn(options, secrets);
    const { server, worker } = await startService(options, secrets, postgres, signIn);
    const started = await Promise.all([server, worker]);
    void Promise.all(started.map((part) => part.health()));
    const file = await writeDevFile(options, secrets, started[0].url, postgres.url);
    const stop = async (): Promise<void> => {
      await Promise.all(started.map((part) => part.stop()));
      await postgres.stop();
    };
    const token = signIn?.links.issue(() => signIn.keyOf('service'));
    const consoleUrl = consoleUrlOf(file.url, token);
    return { file, secrets, consoleUrl, databaseEnded: postgres.exited, stop };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}
