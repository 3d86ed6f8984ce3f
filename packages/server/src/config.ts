/** What the service is configured with, as values: the library reads no environment. */
import type { AccessRules } from './auth/access-rules.ts';
import type { SignedUrlKeys } from './auth/signed-url.ts';
import type { TokenVerifierOptions } from './auth/token-verifier.ts';
import type { S3BackendConfig } from './backend/s3/s3-config.ts';
import type { FeedLimits } from './changes/feed-limits.ts';
import type { Prices } from './domain/storage-costs.ts';
import type { ConsoleSignIn } from './http/app-options.ts';
import type { ConnectionLimits } from './http/connection-limits.ts';
import type { ErrorStatus } from './http/error-status.ts';
import type { GatewayConfig } from './http/gateway.ts';
import type { RateLimitConfig } from './http/rate-limit.ts';
import type { SchemaNames } from './metadata/migrate.ts';
import type { ScannerOptions } from './scanning/clamd.ts';
import type { ClassifierOptions } from './scanning/http-classifier.ts';

/** Where bytes are. */
export type BackendConfig = DiskBackendConfig | PostgresBackendConfig | S3StoreConfig;

/** An S3 store; its name is `s3`. */
export interface S3StoreConfig extends S3BackendConfig {
  readonly kind: 's3';
}

export interface DiskBackendConfig {
  readonly kind: 'disk';
  /** As in `storage.versions` and `storage.buckets`. Default `disk`. */
  readonly name?: string;
  /** Folder of the bytes. */
  readonly root: string;
  /** How presigned URLs name us: the endpoint clients reach, and the credentials they are signed with. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly access_key_id: string;
  readonly secret_access_key: string;
}

/** Bytes as rows of the database, for small objects. */
export interface PostgresBackendConfig {
  readonly kind: 'postgres';
  /** Default `postgres`; what PostgREST uploads goes to the one that the setting `blob_backend` names. */
  readonly name?: string;
  /** A pool of its own, as a login role of ours. */
  readonly database: DatabaseConfig;
  /** The largest object, in bytes. Default 16 MiB. */
  readonly bytes_max?: number;
  readonly endpoint: string;
  readonly region: string;
  /** In presigned URLs; another one than any other backend's. */
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

/** A hot standby that answers reads. */
export interface StandbyConfig {
  /** Logs in as `rowlock_authenticator`. */
  readonly url: string;
  /** How far behind its answers may be, in milliseconds; beyond it reads go to the primary. */
  readonly lag_ms_max: number;
}

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  readonly database: DatabaseConfig;
  /** Where reads go while it keeps up with `database`; none when undefined. */
  readonly standby?: StandbyConfig | undefined;
  /** Where new bytes go, unless their bucket says otherwise. */
  readonly backend: BackendConfig;
  /** Further stores that versions are on. */
  readonly other_backends?: readonly BackendConfig[];
  readonly tokens: TokenVerifierOptions;
  readonly rules: AccessRules;
  readonly signed_urls: SignedUrlKeys;
  readonly upload_bytes_max: number;
  /** From so many small uploads at once on, their versions are prepared for many in one transaction; 0: always. Default 4. */
  readonly uploads_prepared_from?: number;
  readonly public_url: string | undefined;
  readonly cors_origins: readonly string[];
  readonly allowed_hosts: readonly string[];
  /** Addresses and ranges of proxies whose `X-Forwarded-For` is believed; none unless given. */
  readonly trusted_proxies?: readonly string[];
  /** `legacy`: HTTP says 400 for almost every error, as old clients of Supabase Storage expect. Default `true`. */
  readonly errors_status?: ErrorStatus;
  /** The bearer token that `/metrics` asks for; none when undefined. */
  readonly metrics_token?: string | undefined;
  /** What S3 stores must know to say that bytes came, at `POST /events/s3`; no such route when undefined. */
  readonly events_s3_secret?: string | undefined;
  /** Requests per minute, kept by each process for itself; none are limited unless given. */
  readonly rate_limits?: RateLimitConfig;
  /** Changes to what one connection may cost. */
  readonly connection_limits?: Partial<ConnectionLimits>;
  /** Changes to what following the change feed may cost. */
  readonly change_feed?: Partial<FeedLimits>;
  /** Changes to what rendering pictures on demand may cost. */
  readonly renders?: RenderConfig | undefined;
  /** Private files for pages that can send a cookie only; off when undefined. */
  readonly gateway?: GatewayConfig | undefined;
  /** Whether `/docs` shows the API for browsing; yes unless false. */
  readonly api_docs?: boolean;
  /** What places for bytes cost, for the estimate that operators see; none without. */
  readonly prices?: Prices;
  /** Folder of the console's built site, which is then served at `/console/`; no console when undefined. */
  readonly console_folder: string | undefined;
  /** Links that sign in to the console, for development on one machine; none unless given. */
  readonly console_sign_in?: ConsoleSignIn | undefined;
}

/** Rendering on demand, of one process. */
export interface RenderConfig {
  /** Pictures that are rendered at once. Default 2. */
  readonly at_once?: number;
  /** Pictures that wait for their turn; who comes beyond that is told to come again. Default 64. */
  readonly waiting_max?: number;
  /** The steps that widths and heights are brought to where nobody signed for others; ascending, at most 2,000. */
  readonly sizes?: readonly number[] | undefined;
  /** What one picture may take of the process that decodes it; 30 s and 1 GiB unless given. */
  readonly decoder_limits?: { readonly timeout_ms: number; readonly memory_bytes_max: number };
  /** The compiled module that decodes; tests run one that breaks. */
  readonly decoder_module?: URL;
}

/** Queues of ours in the tables of an adopted system. */
export interface AdoptedQueues {
  /** Where River's tables are. */
  readonly schema: string;
  /** Attempts at once, by queue: `fs_presign`, `fs_thumbnails`. */
  readonly queues: Readonly<Record<string, number>>;
  /** Whether to lead River's maintenance there: only once no old worker is left that has periodic jobs of its own. */
  readonly lead: boolean;
}

export interface WorkerConfig {
  readonly database: DatabaseConfig;
  /** Where new bytes go, unless their bucket says otherwise. */
  readonly backend: BackendConfig;
  /** Further stores that versions are on. */
  readonly other_backends?: readonly BackendConfig[];
  readonly names: SchemaNames;
  /** Attempts at once, by queue; a queue that is not named is not worked. */
  readonly queues: Readonly<Record<string, number>>;
  /** The canned ACL that presigned PUTs must send as `x-amz-acl`; none unless given. */
  readonly upload_acl?: string | undefined;
  /** The jobs of a system that was adopted, in its own tables; none unless given. */
  readonly adopted?: AdoptedQueues | undefined;
  /** Where the signer listens for databases that ask over HTTP; nowhere unless given. */
  readonly http_signer?: { readonly host: string; readonly port: number; readonly secret: string } | undefined;
  /** Who tells of upload requests: their jobs, or `notify` beside them. Default `jobs`. */
  readonly source?: 'jobs' | 'notify';
  /** How often a sweep is asked for, in seconds. */
  readonly sweep_interval_seconds: number;
  /** How long running jobs may take to finish when stopping, in milliseconds. */
  readonly stop_timeout_ms: number;
  /** How long a worker that says nothing counts as alive: 5000 and more, 30,000 unless given. */
  readonly lease_ttl_ms?: number;
  /** What one image may take of the process that decodes it; 30 s and 1 GiB unless given. */
  readonly decoder_limits?: { readonly timeout_ms: number; readonly memory_bytes_max: number };
  /** What all images that are decoded at once may take, by their headers; a quarter of what there is unless given. */
  readonly decoder_memory_bytes?: number | undefined;
  /** The clamd that `file_scan` asks; such jobs wait unless given. */
  readonly scanner?: ScannerOptions | undefined;
  /** The endpoint that `file_classify` asks; such jobs wait unless given. */
  readonly classifier?: ClassifierOptions | undefined;
}

/** The queues of this version and how many attempts run at once. */
export const defaultQueues: Readonly<Record<string, number>> = {
  s3_signer: 50,
  thumbnails: 2,
  maintenance: 4,
  checks: 2,
};
