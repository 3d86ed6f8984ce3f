/** What the service is configured with, as values: the library reads no environment. */
import type { AccessRules } from './auth/access-rules.ts';
import type { SignedUrlKeys } from './auth/signed-url.ts';
import type { TokenVerifierOptions } from './auth/token-verifier.ts';
import type { ConnectionLimits } from './http/connection-limits.ts';
import type { SchemaNames } from './metadata/migrate.ts';

/** Where bytes are. */
export interface DiskBackendConfig {
  readonly kind: 'disk';
  /** Folder of the bytes. */
  readonly root: string;
  /** How presigned URLs name us: the endpoint clients reach, and the credentials they are signed with. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly access_key_id: string;
  readonly secret_access_key: string;
}

export interface DatabaseConfig {
  /** Logs in as `rowlock_authenticator` for the API, as `rowlock_worker` for workers. */
  readonly url: string;
  readonly connections_max: number;
  readonly statement_timeout_ms: number;
}

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  readonly database: DatabaseConfig;
  readonly backend: DiskBackendConfig;
  readonly tokens: TokenVerifierOptions;
  readonly rules: AccessRules;
  readonly signed_urls: SignedUrlKeys;
  readonly upload_bytes_max: number;
  readonly public_url: string | undefined;
  readonly cors_origins: readonly string[];
  readonly allowed_hosts: readonly string[];
  /** The bearer token that `/metrics` asks for; none when undefined. */
  readonly metrics_token?: string | undefined;
  /** Changes to what one connection may cost. */
  readonly connection_limits?: Partial<ConnectionLimits>;
  /** Folder of the console's built site, which is then served at `/console/`; no console when undefined. */
  readonly console_folder: string | undefined;
}

export interface WorkerConfig {
  readonly database: DatabaseConfig;
  readonly backend: DiskBackendConfig;
  readonly names: SchemaNames;
  /** Attempts at once, by queue; a queue that is not named is not worked. */
  readonly queues: Readonly<Record<string, number>>;
  /** How often a sweep is asked for, in seconds. */
  readonly sweep_interval_seconds: number;
  /** How long running jobs may take to finish when stopping, in milliseconds. */
  readonly stop_timeout_ms: number;
  /** What one image may take of the process that decodes it; 30 s and 1 GiB unless given. */
  readonly decoder_limits?: { readonly timeout_ms: number; readonly memory_bytes_max: number };
}

/** The queues of this version and how many attempts run at once. */
export const defaultQueues: Readonly<Record<string, number>> = { s3_signer: 50, thumbnails: 2, maintenance: 4 };
