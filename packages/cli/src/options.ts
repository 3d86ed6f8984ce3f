/**
 * Every option of the service, declared once: name, variables, type, default, bounds, help, secret. From this table come
 * the parser, `--help`, `rowlock config` and the reference page. Only the command line reads the environment.
 */
import { existsSync, readFileSync } from 'node:fs';
import { backendOptions } from './backend-options.ts';
import { checkOptions } from './check-options.ts';
import { gatewayOptions } from './gateway-options.ts';
import { queueOptions } from './queue-options.ts';
import { rateLimitOptions } from './rate-limit-options.ts';
import { renderOptions } from './render-options.ts';
import { signerOptions } from './signer-options.ts';
import { UsageError } from './usage-error.ts';

export interface Option {
  /** The flag, without its dashes, and the key in `rowlock config`. */
  readonly name: string;
  /** Variables, the first that is set wins. `X_FILE` beside a secret `X` names a file that holds it. */
  readonly env: readonly string[];
  readonly type: 'text' | 'integer' | 'list';
  readonly default?: string;
  readonly min?: number;
  readonly max?: number;
  readonly secret?: boolean;
  readonly help: string;
}

const gib = 2 ** 30;

export const options: readonly Option[] = [
  {
    name: 'database-url',
    env: ['DATABASE_URL'],
    type: 'text',
    secret: true,
    help: 'PostgreSQL, for everything that has no URL of its own',
  },
  {
    name: 'api-database-url',
    env: ['API_DATABASE_URL', 'DATABASE_URL'],
    type: 'text',
    secret: true,
    help: 'PostgreSQL as rowlock_authenticator, for the API',
  },
  {
    name: 'worker-database-url',
    env: ['WORKER_DATABASE_URL', 'DATABASE_URL'],
    type: 'text',
    secret: true,
    help: 'PostgreSQL as rowlock_worker, for workers, fsck and sweep',
  },
  {
    name: 'migrate-database-url',
    env: ['MIGRATE_DATABASE_URL', 'DATABASE_URL'],
    type: 'text',
    secret: true,
    help: 'PostgreSQL as the owner of the database, for migrate',
  },
  {
    name: 'read-database-url',
    env: ['READ_DATABASE_URL'],
    type: 'text',
    secret: true,
    help: 'a hot standby as rowlock_authenticator, for reads while it keeps up',
  },
  {
    name: 'read-lag-max-ms',
    env: ['READ_LAG_MAX_MS'],
    type: 'integer',
    default: '5000',
    min: 100,
    max: 600_000,
    help: 'how far behind what the standby answers may be',
  },
  {
    name: 'db-max-conns',
    env: ['DB_MAX_CONNS'],
    type: 'integer',
    default: '10',
    min: 1,
    max: 1000,
    help: 'connections of one process',
  },
  {
    name: 'statement-timeout-ms',
    env: ['STATEMENT_TIMEOUT_MS'],
    type: 'integer',
    default: '30000',
    min: 100,
    max: 3_600_000,
    help: 'how long one statement may run',
  },
  {
    name: 'metadata-schema',
    env: ['METADATA_SCHEMA'],
    type: 'text',
    default: 'metadata',
    help: 'schema of files, upload requests and jobs',
  },
  { name: 'host', env: ['HOST'], type: 'text', default: '127.0.0.1', help: 'address to listen on' },
  { name: 'port', env: ['PORT'], type: 'integer', default: '8000', min: 0, max: 65_535, help: 'port to listen on' },
  {
    name: 'public-url',
    env: ['PUBLIC_URL'],
    type: 'text',
    help: 'how clients reach the service; base of signed and presigned URLs',
  },
  {
    name: 'cors-origins',
    env: ['CORS_ORIGINS'],
    type: 'list',
    default: '',
    help: 'origins that browsers may call from, or *',
  },
  {
    name: 'allowed-hosts',
    env: ['ALLOWED_HOSTS'],
    type: 'list',
    default: '',
    help: 'host names that are answered; any when empty',
  },
  {
    name: 'trusted-proxies',
    env: ['TRUSTED_PROXIES'],
    type: 'list',
    default: '',
    help: 'addresses and ranges of proxies whose X-Forwarded-For is believed',
  },
  {
    name: 'jwt-secret',
    env: ['JWT_SECRET'],
    type: 'text',
    secret: true,
    help: 'secret of HS256 tokens, at least 32 characters',
  },
  {
    name: 'jwt-jwks',
    env: ['JWT_JWKS'],
    type: 'text',
    help: 'public keys of RS256, ES256 and EdDSA tokens: JSON, or a file',
  },
  { name: 'jwt-jwks-url', env: ['JWT_JWKS_URL'], type: 'text', help: 'where such keys are published' },
  { name: 'jwt-issuer', env: ['JWT_ISSUER'], type: 'text', help: 'the iss that tokens must have' },
  { name: 'jwt-audience', env: ['JWT_AUDIENCE'], type: 'text', help: 'the aud that tokens must have' },
  {
    name: 'jwt-role-claim',
    env: ['JWT_ROLE_CLAIM'],
    type: 'text',
    default: 'role',
    help: 'where the role stands in the claims: role, or user.role',
  },
  { name: 'anon-role', env: ['ANON_ROLE'], type: 'text', default: 'anon', help: 'role of requests without a token' },
  {
    name: 'default-role',
    env: ['DEFAULT_ROLE'],
    type: 'text',
    default: 'authenticated',
    help: 'role of tokens that name none',
  },
  {
    name: 'allowed-roles',
    env: ['ALLOWED_ROLES'],
    type: 'list',
    default: 'anon,authenticated,service_role',
    help: 'roles that tokens may name',
  },
  {
    name: 'signed-url-secret',
    env: ['SIGNED_URL_SECRET'],
    type: 'text',
    secret: true,
    help: 'secret of signed URLs, at least 32 characters',
  },
  {
    name: 'signed-url-previous-secret',
    env: ['SIGNED_URL_PREVIOUS_SECRET'],
    type: 'text',
    secret: true,
    help: 'secrets that still, or already, verify signed URLs, separated by commas or lines: for a rotation',
  },
  {
    name: 'upload-bytes-max',
    env: ['UPLOAD_BYTES_MAX'],
    type: 'integer',
    default: String(5 * gib),
    min: 1,
    max: 5 * 2 ** 40,
    help: 'largest upload where the bucket sets no limit',
  },
  {
    name: 'uploads-prepared-from',
    env: ['UPLOADS_PREPARED_FROM'],
    type: 'integer',
    default: '4',
    min: 0,
    max: 1_000_000,
    help: 'from so many small uploads at once on, their versions are prepared for many in one transaction; 0: always',
  },
  ...backendOptions,
  {
    name: 's3-upload-acl',
    env: ['S3_UPLOAD_ACL'],
    type: 'text',
    default: 'none',
    help: 'ACL that presigned PUTs must send as x-amz-acl: none, private, public-read or bucket-owner-full-control',
  },
  ...queueOptions,
  ...checkOptions,
  {
    name: 'adopted-schema',
    env: ['ADOPTED_SCHEMA'],
    type: 'text',
    help: 'schema of a system that was adopted: its jobs are worked too',
  },
  {
    name: 'adopted-lead',
    env: ['ADOPTED_LEAD'],
    type: 'text',
    default: 'off',
    help: "on to lead River's maintenance there, once no old worker is left",
  },
  ...signerOptions,
  {
    name: 'sweep-interval-seconds',
    env: ['SWEEP_INTERVAL_SECONDS'],
    type: 'integer',
    default: '900',
    min: 1,
    max: 86_400,
    help: 'how often a sweep is asked for',
  },
  {
    name: 'errors-status',
    env: ['ERRORS_STATUS'],
    type: 'text',
    default: 'true',
    help: 'legacy for HTTP 400 on almost every error, as old clients of Supabase Storage expect',
  },
  {
    name: 'metrics-token',
    env: ['METRICS_TOKEN'],
    type: 'text',
    secret: true,
    help: 'the bearer token that /metrics asks for; none when empty',
  },
  {
    name: 'events-s3-secret',
    env: ['EVENTS_S3_SECRET'],
    type: 'text',
    secret: true,
    help: 'what S3 stores must send to say at /events/s3 that bytes came, at least 32 characters; no such route when empty',
  },
  {
    name: 'api-docs',
    env: ['API_DOCS'],
    type: 'text',
    default: 'on',
    help: 'off for no page at /docs; /openapi.json stays',
  },
  {
    name: 'change-streams-max',
    env: ['CHANGE_STREAMS_MAX'],
    type: 'integer',
    default: '1000',
    min: 1,
    max: 100_000,
    help: 'followers of the change feed at once, in one process',
  },
  {
    name: 'change-streams-per-caller-max',
    env: ['CHANGE_STREAMS_PER_CALLER_MAX'],
    type: 'integer',
    default: '20',
    min: 1,
    max: 100_000,
    help: 'followers of one subject, or of one address without a token',
  },
  ...gatewayOptions,
  ...rateLimitOptions,
  ...renderOptions,
  { name: 'log-level', env: ['LOG_LEVEL'], type: 'text', default: 'info', help: 'debug, info, warn, error or silent' },
];

/** A value and where it came from. */
export interface Setting {
  readonly option: Option;
  readonly value: string | undefined;
  readonly source: string;
  /** The file that a secret was read from. */
  readonly file?: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

function fromEnvironment(
  option: Option,
  env: Environment,
): { value: string; source: string; file?: string } | undefined {
  for (const name of option.env) {
    const value = env[name];
    if (value !== undefined && value !== '') {
      return { value, source: name };
    }
    const file = option.secret ? env[`${name}_FILE`] : undefined;
    if (file !== undefined && file !== '') {
      if (!existsSync(file)) {
        throw new UsageError(`${name}_FILE names a file that is not there: ${file}`);
      }
      return { value: readFileSync(file, 'utf8').trim(), source: `${name}_FILE`, file };
    }
  }
  return undefined;
}

function check(option: Option, value: string): void {
  if (option.type !== 'integer') {
    return;
  }
  const number = Number(value);
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = option;
  if (!/^-?\d+$/.test(value) || number < min || number > max) {
    throw new UsageError(`${option.name} must be a whole number from ${min} to ${max}, not "${value}"`);
  }
}

/** The options in effect. */
export class Settings {
  readonly all: readonly Setting[];
  readonly #byName: ReadonlyMap<string, Setting>;

  /** Flags before variables before defaults. @throws UsageError for a value that is not allowed */
  constructor(flags: Readonly<Record<string, unknown>>, env: Environment) {
    this.all = options.map((option) => {
      const flag = flags[option.name];
      const found =
        typeof flag === 'string'
          ? { value: flag, source: `--${option.name}` }
          : (fromEnvironment(option, env) ?? {
              value: option.default,
              source: option.default === undefined ? 'not set' : 'default',
            });
      if (found.value !== undefined) {
        check(option, found.value);
      }
      return { option, ...found };
    });
    this.#byName = new Map(this.all.map((setting) => [setting.option.name, setting]));
  }

  text(name: string): string | undefined {
    return this.#byName.get(name)?.value;
  }

  integer(name: string): number {
    return Number(this.text(name));
  }

  list(name: string): readonly string[] {
    return (this.text(name) ?? '')
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== '');
  }

  /** Several secrets, separated by commas, spaces or lines: what generates secrets makes none of these. */
  secrets(name: string): readonly string[] {
    return (this.text(name) ?? '').split(/[,\s]+/).filter((each) => each !== '');
  }

  /** @throws UsageError naming the variable to set */
  required(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === '') {
      const option = options.find((each) => each.name === name);
      throw new UsageError(`${option?.env[0] ?? name} is not set: ${option?.help ?? ''}`);
    }
    return value;
  }
}
