/** The data folder of `rowlock dev`: secrets that are made once, and the file that tells tools how to connect. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';

/** Made on the first start, kept for good. */
export interface DevSecrets {
  readonly jwt_secret: string;
  readonly signed_url_secret: string;
  readonly authenticator_password: string;
  readonly worker_password: string;
  readonly access_key_id: string;
  readonly secret_access_key: string;
  /** Whether the sample photo was uploaded. */
  readonly demo_done: boolean;
}

/** `dev.json`, as tools read it. */
export interface DevFile {
  readonly url: string;
  readonly database_url: string;
  readonly jwt_secret: string;
  readonly anon_key: string;
  readonly authenticated_key: string;
  readonly service_key: string;
  readonly s3: {
    readonly endpoint: string;
    readonly region: string;
    readonly bucket: string;
    readonly access_key_id: string;
    readonly secret_access_key: string;
  };
}

const tenYears = '3650d';

/** Writes a private file at once or not at all. */
export function writePrivate(path: string, value: unknown): void {
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

/** Makes the folder where missing. The server's user must be able to pass through it to its own part. */
export function openDevFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o711 });
}

/** Reads the secrets, making them on the first start. */
export function devSecrets(folder: string): DevSecrets {
  const path = join(folder, 'secrets.json');
  if (existsSync(path)) {
    return JSON.parse(readFileSync(path, 'utf8')) as DevSecrets;
  }
  const random = (bytes: number): string => randomBytes(bytes).toString('base64url');
  const secrets: DevSecrets = {
    jwt_secret: random(36),
    signed_url_secret: random(36),
    authenticator_password: random(24),
    worker_password: random(24),
    access_key_id: `DEV${randomBytes(8).toString('hex').toUpperCase()}`,
    secret_access_key: random(30),
    demo_done: false,
  };
  writePrivate(path, secrets);
  return secrets;
}

/** Remembers that the sample photo was uploaded. */
export function markDemoDone(folder: string, secrets: DevSecrets): void {
  writePrivate(join(folder, 'secrets.json'), { ...secrets, demo_done: true });
}

/** A key for development: a token that lives for ten years unless told otherwise. */
export function devKey(
  secret: string,
  claims: Readonly<Record<string, unknown>>,
  lifetime: string = tenYears,
): Promise<string> {
  return new SignJWT({ ...claims, iss: 'rowlock dev' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setExpirationTime(lifetime)
    .sign(new TextEncoder().encode(secret));
}
