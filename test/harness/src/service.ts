/**
 * The real service for tests: API, workers, disk and database, joined as in production, in the test's own process.
 * Tokens are real ones; requests go over real sockets.
 */

import { join } from 'node:path';
import type {
  DiskBackendConfig,
  ServerConfig,
  WorkerConfig,
  WorkerParts,
} from '../../../packages/server/dist/index.js';
import { freePort } from './free-port.ts';
import { createMigratedDatabase, type MigratedDatabase } from './migrated-database.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { jwtSecret, signToken } from './tokens.ts';

/** The configuration of a service whose new bytes go to a disk. */
export type TestConfig = ServerConfig & { readonly backend: DiskBackendConfig };

export interface ServiceOptions {
  /** Work jobs in this process too. Default true. */
  readonly workers?: boolean;
  /** A second backend, `postgres`, beside the disk. */
  readonly blobs?: boolean;
  /** Changes to the configuration of the API. */
  readonly config?: Partial<TestConfig>;
  readonly database?: MigratedDatabase;
  /** Folder of the bytes; a temporary one unless given. */
  readonly root?: string;
  readonly observe?: (observation: { readonly type: string }) => void;
  /** Who looks at files, and kinds of jobs besides ours. */
  readonly checks?: Pick<WorkerConfig, 'scanner' | 'classifier'> & Pick<WorkerParts, 'kinds'>;
}

export interface TestService {
  readonly url: string;
  /** Where the gateway listens, where the configuration gives it a port. */
  readonly gatewayUrl: string | undefined;
  readonly database: MigratedDatabase;
  /** Folder of the bytes. */
  readonly root: string;
  readonly config: TestConfig;
  /** A request; `as` is a subject, `service` for the service role, undefined for no token. */
  fetch(path: string, init?: RequestInit & { readonly as?: string | undefined }): Promise<Response>;
  stop(): Promise<void>;
}

/** Starts a service on a free port, with a database of its own unless one is given. */
export async function startService(options: ServiceOptions = {}): Promise<TestService> {
  const { createServer, createWorker, defaultQueues, defaultSchemaNames } = await import(
    '../../../packages/server/dist/index.js'
  );
  const database = options.database ?? (await createMigratedDatabase());
  const port = options.config?.port ?? (await freePort());
  const plain = serverConfig(database, port, options);
  // As the workers and the commands have it; the API has a role with fewer rights.
  const config = options.blobs === true ? withBlobs(plain, database.workerUrl) : plain;
  const parts = options.observe === undefined ? {} : { observe: options.observe };
  const { kinds, ...checkers } = options.checks ?? {};
  const server = await createServer(options.blobs === true ? withBlobs(plain, database.apiUrl) : plain, parts);
  const worker =
    options.workers === false
      ? undefined
      : await createWorker(
          {
            database: { ...config.database, url: database.workerUrl },
            backend: config.backend,
            ...(config.other_backends === undefined ? {} : { other_backends: config.other_backends }),
            names: defaultSchemaNames,
            queues: defaultQueues,
            sweep_interval_seconds: 3600,
            stop_timeout_ms: 10_000,
            ...checkers,
          },
          { ...parts, ...(kinds === undefined ? {} : { kinds }) },
        );
  return {
    url: server.url,
    gatewayUrl: server.gateway_url,
    database,
    root: config.backend.root,
    config,
    async fetch(path, { as, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (as !== undefined) {
        headers.set(
          'authorization',
          `Bearer ${await signToken(as === 'service' ? { role: 'service_role' } : { sub: as, role: 'authenticated' })}`,
        );
      }
      return fetch(new URL(path, server.url), { ...init, headers });
    },
    async stop() {
      await worker?.stop();
      await server.stop();
      if (options.database === undefined) {
        await database.drop();
      }
    },
  };
}

/** The same with bytes as rows besides. */
function withBlobs(config: TestConfig, url: string): TestConfig {
  const { endpoint, region, access_key_id, secret_access_key } = config.backend;
  const database = { url, connections_max: 4, statement_timeout_ms: 10_000 };
  const door = { endpoint, region, bucket: 'rowlock-blobs', access_key_id, secret_access_key };
  const others = config.other_backends ?? [];
  return { ...config, other_backends: [...others, { kind: 'postgres', database, ...door }] };
}

function serverConfig(database: MigratedDatabase, port: number, { config, root }: ServiceOptions): TestConfig {
  return {
    host: '127.0.0.1',
    port,
    database: { url: database.apiUrl, connections_max: 8, statement_timeout_ms: 10_000 },
    backend: {
      kind: 'disk',
      root: root ?? join(temporaryFolder(), 'blobs'),
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      bucket: 'civic-os-files',
      access_key_id: 'TESTKEY',
      secret_access_key: 'test-secret-access-key-of-forty-bytes...',
    },
    tokens: { secret: jwtSecret },
    rules: {
      anonymous_role: 'anon',
      default_role: 'authenticated',
      allowed_roles: ['anon', 'authenticated', 'service_role'],
      role_claim: ['role'],
    },
    signed_urls: { current: { id: 'test', secret: 'signed-url-secret-of-at-least-32-bytes' } },
    upload_bytes_max: 5 * 2 ** 30,
    public_url: undefined,
    cors_origins: [],
    allowed_hosts: [],
    console_folder: undefined,
    // Tests that count statements or take the database away are not disturbed by a poll of nobody's.
    change_feed: { idle_poll_ms: 0 },
    ...config,
  };
}
