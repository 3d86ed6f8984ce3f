/**
 * A running system of the kind that `rowlock adopt` takes over: the fixture's database, its bytes on a disk, callers as
 * PostgREST makes them, and our workers beside it. It asserts nothing.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type AdoptTarget,
  type BackendConfig,
  createWorker,
  type DiskBackendConfig,
  defaultSchemaNames,
  type RunningWorker,
} from '@rowlock/server';
import { createEmptyDatabase, createMigratedDatabase, temporaryFolder, useOwnServer } from '@rowlock/test-harness';
import pg from 'pg';
import sharp from 'sharp';

export const alice = '0a000000-0000-4000-8000-000000000000';
export const bob = '0b000000-0000-4000-8000-000000000000';

/** The id of a file of the fixture. */
export const fileId = (n: number): string => `f0000000-0000-7000-8000-00000000000${n}`;
/** The id of a request of the fixture. */
export const requestId = (n: number): string => `e0000000-0000-4000-8000-00000000000${n}`;

const fixture = fileURLToPath(new URL('../../fixtures/civic-os/', import.meta.url));

export interface CivicOs {
  readonly target: AdoptTarget;
  /** As our worker's login role. */
  readonly workerUrl: string;
  readonly apiUrl: string;
  readonly backend: DiskBackendConfig;
  readonly name: string;
  /** As the server's superuser. */
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** One transaction as PostgREST makes it: the role, the claims, one statement. No subject: `web_anon`. */
  call<Row extends pg.QueryResultRow>(
    sub: string | undefined,
    text: string,
    values?: readonly unknown[],
  ): Promise<Row[]>;
  /** On the fixture's disk, unless another store is given. */
  startWorker(store?: {
    readonly backend: BackendConfig;
    readonly upload_acl?: string | undefined;
  }): Promise<RunningWorker>;
  drop(): Promise<void>;
}

function at(url: string, user?: string, password?: string): string {
  const made = new URL(url);
  if (user !== undefined) made.username = user;
  if (password !== undefined) made.password = password;
  return made.href;
}

/** Fills an empty database and a folder as the fixture says. */
export async function createCivicOs(): Promise<CivicOs> {
  useOwnServer();
  await (await createMigratedDatabase('roles')).drop(); // our roles and their passwords belong to the server
  const database = await createEmptyDatabase({ prefix: 'civic_os' });
  const pool = new pg.Pool({ connectionString: database.url, max: 4 });
  pool.on('error', () => undefined);
  await applyFixture(database.url);
  const callers = new pg.Pool({ connectionString: at(database.url, 'authenticator', 'test-authenticator'), max: 4 });
  callers.on('error', () => undefined);
  const backend: DiskBackendConfig = {
    kind: 'disk',
    root: join(temporaryFolder(), 'blobs'),
    endpoint: 'http://127.0.0.1:9',
    region: 'us-east-1',
    bucket: 'civic-os-files',
    access_key_id: 'TESTKEY',
    secret_access_key: 'test-secret-access-key-of-forty-bytes...',
  };
  await writeBytes(backend.root);
  const workerUrl = at(database.url, 'rowlock_worker', 'test-worker');
  return {
    target: {
      url: at(database.url, 'civic_os_owner', 'test-civic-owner'),
      names: {
        metadata: 'metadata',
        own: 'rowlock_metadata',
        api: 'rowlock',
        anon: 'web_anon',
        authenticated: 'authenticated',
        service_role: 'service_role',
        bucket: 'civic-os-files',
      },
    },
    workerUrl,
    apiUrl: at(database.url, 'rowlock_authenticator', 'test-authenticator'),
    backend,
    name: database.name,
    query: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
      (await pool.query<Row>(text, [...values])).rows,
    call: (sub, text, values = []) => callAs(callers, sub, { text, values }),
    startWorker: (store = { backend, upload_acl: undefined }) =>
      createWorker({
        database: { url: workerUrl, connections_max: 4, statement_timeout_ms: 10_000 },
        ...store,
        names: { ...defaultSchemaNames, metadata: 'rowlock_metadata' },
        queues: { s3_signer: 2, thumbnails: 1, maintenance: 1 },
        adopted: { schema: 'metadata', queues: { fs_presign: 10, fs_thumbnails: 1 }, lead: false },
        sweep_interval_seconds: 3600,
        stop_timeout_ms: 10_000,
      }),
    async drop() {
      await pool.end();
      await callers.end();
      await database.drop();
    },
  };
}

async function applyFixture(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // The owner may create no role that is there, so an administrator has given it ours.
    for (const name of readdirSync(fixture).sort()) {
      if (!name.startsWith('01_')) await client.query('SET ROLE civic_os_owner');
      await client.query('SET search_path = pg_catalog, public, metadata');
      await client.query(readFileSync(join(fixture, name), 'utf8'));
    }
    await client.query('RESET ROLE');
    await client.query(
      'GRANT rowlock_owner, web_anon, authenticated, service_role TO civic_os_owner WITH ADMIN OPTION',
    );
  } finally {
    await client.end();
  }
}

/** Every file has its bytes but the lost one; those that say so have thumbnails. */
async function writeBytes(root: string): Promise<void> {
  const image = await sharp({ create: { width: 90, height: 60, channels: 3, background: '#369' } })
    .jpeg()
    .toBuffer();
  const png = await sharp(image).png().toBuffer();
  const put = (key: string, bytes: Buffer | string): void => {
    const path = join(root, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  };
  put(`issues/1/${fileId(1)}/original.jpg`, image);
  for (const size of ['small', 'medium', 'large']) {
    put(`issues/1/${fileId(1)}/thumb-${size}.jpg`, image);
    put(`issues/1/${fileId(3)}/thumb-${size}.png`, png);
  }
  put(`issues/2/${fileId(2)}/original.png`, png);
  put(`issues/1/${fileId(3)}/original.pdf`, '%PDF-1.4 nothing');
  put(`issues/1/${fileId(4)}/original.txt`, 'notes');
  put(`issues/2/${fileId(5)}/original.jpg`, 'no picture');
  put(`issues/1/${fileId(8)}/original.txt`, 'elsewhere');
  put(`issues/1/${fileId(9)}/original.pdf`, '%PDF-1.4 nothing');
}

async function callAs<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  sub: string | undefined,
  { text, values }: { readonly text: string; readonly values: readonly unknown[] },
): Promise<Row[]> {
  const client = await pool.connect();
  const claims = sub === undefined ? {} : { sub, role: 'authenticated', realm_access: { roles: ['user'] } };
  try {
    await client.query('BEGIN');
    await client.query(
      `SELECT set_config('search_path', 'public, metadata, plugins, postgis', true), set_config('role', $1, true),
         set_config('request.jwt.claims', $2, true)`,
      [sub === undefined ? 'web_anon' : 'authenticated', JSON.stringify(claims)],
    );
    const { rows } = await client.query<Row>(text, [...values]);
    await client.query('COMMIT');
    return rows;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}
