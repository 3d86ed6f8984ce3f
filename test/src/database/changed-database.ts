/**
 * The change feed as SQL users read it, for tests: pages for each caller, and objects to change. It waits for older
 * transactions of other tests on the same server, which hold the feed back for everybody.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Change, ChangePage } from '@rowlock/client/contract';
import { createMigratedDatabase, type MigratedDatabase, until } from '@rowlock/test-harness';
import pg from 'pg';

export interface Claims {
  readonly role: string;
  readonly sub?: string;
}

export interface PageRequest {
  readonly bucket?: string;
  readonly prefix?: string;
  readonly rows?: number;
}

export const service: Claims = { role: 'service_role' };
export const anonymous: Claims = { role: 'anon' };

/** The claims of somebody who is signed in. */
export function user(sub: string): Claims {
  return { role: 'authenticated', sub };
}

/** What stays of changes when ids and times are left out: type, bucket, path, revision. */
export function told(changes: readonly Change[]): readonly unknown[] {
  return changes.map(({ type, bucket, path, revision }) => [type.slice('storage.'.length), bucket, path, revision]);
}

/** A database with two private buckets, `vault` of bertha and `annex` of arthur, and a public one, `plaza` of bertha. */
export class ChangedDatabase {
  readonly database: MigratedDatabase;
  readonly #clients: pg.Client[] = [];

  constructor(database: MigratedDatabase) {
    this.database = database;
  }

  static async create(): Promise<ChangedDatabase> {
    const database = await createMigratedDatabase();
    await database.query('ALTER TABLE storage.objects DISABLE TRIGGER objects_10_reference');
    await database.query(`
      INSERT INTO storage.buckets (id, owner_id, policy) VALUES ('vault', 'bertha', 'private'), ('plaza', 'bertha', 'public'),
        ('annex', 'arthur', 'private')`);
    return new ChangedDatabase(database);
  }

  async drop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()));
    await this.database.drop();
  }

  /** A connection of its own, as the server's role unless a URL says otherwise. */
  async connect(url: string = this.database.url): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    this.#clients.push(client);
    return client;
  }

  /** Waits until what is committed now can be read. */
  async settle(): Promise<void> {
    const [row] = await this.database.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid');
    const passed = 'SELECT pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8 AS done';
    await until(async () => (await this.database.query<{ done: boolean }>(passed, [row?.xid]))[0]?.done, {
      what: 'older transactions have ended',
    });
  }

  /** A page with everything that is committed. */
  async page(claims: Claims, since: string | null, request: PageRequest = {}): Promise<ChangePage> {
    await this.settle();
    return this.pageNow(claims, since, request);
  }

  /** A page as PostgREST would read it: with the role and claims of a caller. */
  async pageNow(claims: Claims, since: string | null, request: PageRequest = {}): Promise<ChangePage> {
    const client = await this.connect(this.database.apiUrl);
    await client.query('BEGIN READ ONLY');
    await client.query("SELECT set_config('request.jwt.claims', $1, true), set_config('role', $2, true)", [
      JSON.stringify(claims),
      claims.role,
    ]);
    try {
      const { rows } = await client.query<{ page: ChangePage }>(
        'SELECT public.storage_changes($1, $2, $3, $4) AS page',
        [since, request.rows ?? 1000, request.bucket ?? null, request.prefix ?? null],
      );
      return rows[0]?.page ?? assert.fail('no page');
    } finally {
      await client.query('ROLLBACK');
    }
  }

  /** The changes behind a cursor. */
  async read(claims: Claims, since: string): Promise<readonly Change[]> {
    return (await this.page(claims, since)).changes;
  }

  /** A cursor behind everything that is committed. */
  async now(): Promise<string> {
    return (await this.page(service, null)).cursor;
  }
}

/** Writes an object of an owner, or new bytes over it; answers its id. */
export async function putObject(client: pg.Client, path: string, owner: string): Promise<string> {
  const [bucket, name] = path.split('/', 2);
  const version = randomUUID();
  await client.query(
    `INSERT INTO storage.versions (id, backend, key, state, size, content_type, stored_at)
     VALUES ($1, 'disk', concat('objects/', $1::uuid), 'stored', 10, 'text/plain', now())`,
    [version],
  );
  await client.query("SELECT set_config('request.jwt.claims', $1, false)", [JSON.stringify({ sub: owner })]);
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ($1, $2, $3)
     ON CONFLICT (bucket_id, name) DO UPDATE SET version_id = excluded.version_id RETURNING id`,
    [bucket, name, version],
  );
  return rows[0]?.id ?? assert.fail('no object');
}
