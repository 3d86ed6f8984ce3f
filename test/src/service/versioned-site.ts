/**
 * What tests of versions share: buckets with a history, and each operation on versions once over HTTP and once in SQL. It
 * asserts nothing. Invariant: SQL runs as the caller's role with the caller's claims, as PostgREST runs it.
 */
import type { TestService } from '@rowlock/test-harness';
import pg from 'pg';

/** One entry of a list of versions, as the route answers it. */
export interface ListedVersion {
  readonly version: string;
  readonly is_latest: boolean;
  readonly is_current: boolean;
  readonly delete_marker: boolean;
  readonly sha256: string | null;
  readonly size: number | null;
  readonly reason: string | null;
  readonly owner_id: string | null;
  readonly name: string;
  readonly purge_after: string | null;
}

export interface VersionPage {
  readonly versions: readonly ListedVersion[];
  readonly next_cursor: string | null;
}

export interface BucketSettings {
  readonly owner?: string;
  readonly policy?: 'private' | 'public' | 'authenticated';
  readonly versioning?: 'off' | 'on' | 'suspended';
  readonly soft_delete_seconds?: number;
  readonly history_keep?: number;
  readonly noncurrent_days?: number;
}

const v1 = '/storage/v1/object';

/** Makes a bucket, by the database's owner. */
export async function makeBucket(
  { database }: TestService,
  name: string,
  settings: BucketSettings = {},
): Promise<void> {
  const { owner = 'bertha', policy = 'private', versioning = 'off' } = settings;
  const { soft_delete_seconds = null, history_keep = null, noncurrent_days = null } = settings;
  await database.query(
    `INSERT INTO storage.buckets (id, owner_id, policy, versioning, soft_delete_seconds, history_keep, noncurrent_days)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [name, owner, policy, versioning, soft_delete_seconds, history_keep, noncurrent_days],
  );
}

/** Writes an object, replacing what has the name; answers the status. */
export async function put(service: TestService, path: string, body: string, as: string): Promise<number> {
  const answer = await service.fetch(`${v1}/${path}`, { as, method: 'PUT', body });
  await answer.arrayBuffer();
  return answer.status;
}

/** What can be read: the text, or the status where nothing can. */
export async function read(
  service: TestService,
  path: string,
  as?: string,
  version?: string,
): Promise<string | number> {
  const query = version === undefined ? '' : `?version=${version}`;
  const answer = await service.fetch(`${v1}/${path}${query}`, { as });
  const text = await answer.text();
  return answer.status === 200 ? text : answer.status;
}

/** Deletes an object, or purges one of its versions; answers the status. */
export async function remove(service: TestService, path: string, as: string, version?: string): Promise<number> {
  const query = version === undefined ? '' : `?version=${version}`;
  const answer = await service.fetch(`${v1}/${path}${query}`, { as, method: 'DELETE' });
  await answer.arrayBuffer();
  return answer.status;
}

/** Restores; answers the status. */
export async function restore(service: TestService, path: string, as: string, version?: string): Promise<number> {
  const answer = await service.fetch(`${v1}/restore/${path}`, {
    as,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(version === undefined ? {} : { version }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** One page of the versions of a name, or of what was deleted where the path is a bucket. */
export async function page(service: TestService, path: string, as: string, query = ''): Promise<VersionPage> {
  const answer = await service.fetch(`${v1}/versions/${path}${query}`, { as });
  if (answer.status !== 200) return { versions: [], next_cursor: `status ${answer.status}` };
  return (await answer.json()) as VersionPage;
}

/** Every version of a name, newest first. */
export async function versions(service: TestService, path: string, as: string): Promise<readonly ListedVersion[]> {
  return (await page(service, path, as, '?limit=1000')).versions;
}

/** Runs one statement in a transaction of its own as an authenticated caller, or as the service; commits or raises. */
export async function sqlAs<Row extends pg.QueryResultRow>(
  { database }: TestService,
  as: string,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: database.apiUrl });
  await client.connect();
  try {
    await client.query('BEGIN');
    const role = as === 'service' ? 'service_role' : 'authenticated';
    await client.query("SELECT set_config('role', $1, true), set_config('request.jwt.claims', $2, true)", [
      role,
      JSON.stringify(as === 'service' ? { role } : { sub: as, role }),
    ]);
    const { rows } = await client.query<Row>(text, values);
    await client.query('COMMIT');
    return rows;
  } finally {
    await client.end();
  }
}

/** The code of the error that a promise is rejected with: an SQLSTATE, or ours in its place. */
export async function sqlErrorOf(statement: Promise<unknown>): Promise<string> {
  try {
    await statement;
    return 'none';
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    return error.code === 'RWLCK' ? error.message : (error.code ?? '');
  }
}
