/**
 * What every attack test stands on: a service to attack, callers with tokens and with SQL, and the assertions that
 * hold after each attack. It is no attack itself. Invariant: what `remember` saw is all that is there afterwards.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Database, type FsckReport, fsck, openBackend } from '@rowlock/server';
import {
  type MigratedDatabase,
  type ServiceOptions,
  signToken,
  startService,
  type TestService,
  until,
} from '@rowlock/test-harness';
import pg from 'pg';

/** Claims of a caller over SQL; `role` becomes the database role, as PostgREST does it. */
export interface SqlCaller extends Readonly<Record<string, unknown>> {
  readonly role: 'anon' | 'authenticated' | 'service_role';
  readonly sub?: string;
}

export interface Attacked {
  readonly service: TestService;
  readonly database: MigratedDatabase;
  /** Tokens of callers; `olivia` owns what tests arrange, `mallory` attacks, `expired` was olivia's. */
  readonly tokens: Readonly<Record<'olivia' | 'mallory' | 'service' | 'expired', string>>;
  /** What the API could not explain: each is an answer 500. Tests that expect one empty it. */
  readonly internalErrors: unknown[];
  /** Runs one statement in a transaction of its own as a caller, as PostgREST would; commits, or raises and rolls back. */
  sql<Row extends pg.QueryResultRow>(caller: SqlCaller, text: string, values?: unknown[]): Promise<Row[]>;
  /** Sends JSON and takes the answer as it comes. */
  send(method: string, path: string, body?: unknown, as?: string): Promise<Response>;
  /** Waits until no job is left to do. */
  settle(): Promise<void>;
  fsck(): Promise<FsckReport>;
  /** Says that what is there now may be there: to be called after arranging, before attacking. */
  remember(): Promise<void>;
  /** The server lives and works, fsck is clean, and rows and bytes are those that were remembered. */
  assertUnharmed(): Promise<void>;
  stop(): Promise<void>;
}

/** What must not change under an attack, and in which order it is shown when it did. */
const remembered: Readonly<Record<string, string>> = {
  buckets: 'SELECT to_jsonb(b) AS row FROM storage.buckets AS b ORDER BY id',
  objects: 'SELECT to_jsonb(o) - $$last_accessed_at$$ AS row FROM storage.objects AS o ORDER BY bucket_id, name',
  // Without those that are prepared for uploads to come: a process writes and removes them when it likes.
  versions: `SELECT to_jsonb(v) AS row FROM storage.versions AS v WHERE state <> 'gone'
    AND (state <> 'writing' OR EXISTS (SELECT FROM storage.uploads WHERE version_id = v.id)) ORDER BY id`,
  uploads: 'SELECT to_jsonb(u) AS row FROM storage.uploads AS u ORDER BY id',
  files: 'SELECT to_jsonb(f) AS row FROM metadata.files AS f ORDER BY id',
  requests: 'SELECT to_jsonb(r) AS row FROM metadata.file_upload_requests AS r ORDER BY id',
};

const workLeft = `SELECT kind, state::text, args FROM metadata.river_job
  WHERE state IN ('available', 'running', 'retryable', 'pending')`;

/** Starts a service with workers and what tests of attacks share. Workers purge, so that nothing refused stays behind. */
export async function attacked(options: ServiceOptions = {}): Promise<Attacked> {
  const internalErrors: unknown[] = [];
  const observe = (observation: { readonly type: string; readonly error?: unknown }): void => {
    if (observation.type === 'internal_error') internalErrors.push(observation.error);
    options.observe?.(observation);
  };
  const service = await startService({ ...options, observe });
  const { database } = service;
  const pool = new pg.Pool({ connectionString: database.apiUrl, max: 4 });
  pool.on('error', () => undefined); // its database is dropped while a connection closes
  const db = new Database({
    url: database.workerUrl,
    connectionsMax: 2,
    statementTimeoutMs: 10_000,
    applicationName: 'attack tests',
  });
  const backend = await openBackend(service.config.backend);
  await database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('standing', 'standing')");
  let before: Record<string, unknown[]> = {};
  const settle = async (): Promise<void> => {
    if (options.workers === false) return;
    await until(async () => (await database.query(workLeft)).length === 0, { what: 'no job is left to do' });
  };
  const remember = async (): Promise<void> => {
    await settle();
    before = await stateOf(database);
  };
  await remember();
  return {
    service,
    database,
    tokens: {
      olivia: await signToken({ sub: 'olivia', role: 'authenticated' }),
      mallory: await signToken({ sub: 'mallory', role: 'authenticated' }),
      service: await signToken({ role: 'service_role' }),
      expired: await signToken({ sub: 'olivia', role: 'authenticated', exp: 1_000_000_000 }),
    },
    internalErrors,
    sql: (caller, text, values = []) => inTransactionAs(pool, caller, text, values),
    send: (method, path, body, as) =>
      service.fetch(path, {
        as,
        method,
        ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      }),
    settle,
    fsck: () => fsck({ db, backend }),
    remember,
    async assertUnharmed() {
      assert.deepEqual(internalErrors, [], 'nothing failed inside the server');
      await assertWorks(service);
      await settle();
      const report = await fsck({ db, backend });
      const { rows_without_bytes, bytes_without_row, overdue, unfinished } = report;
      assert.deepEqual(
        { rows_without_bytes, bytes_without_row, overdue, unfinished },
        { rows_without_bytes: [], bytes_without_row: [], overdue: [], unfinished: 0 },
        'fsck is clean',
      );
      assert.deepEqual(await stateOf(database), before, 'rows are those that were there before the attack');
      await assertOnlyKeys(service.root, before);
    },
    async stop() {
      await pool.end();
      await db.close();
      await service.stop();
    },
  };
}

/** Asserts an error answer: its status, JSON with a stable code, and nothing in it of how the server is made. */
export async function assertRefused(
  response: Response,
  status: number | readonly number[],
  reason?: string,
): Promise<Readonly<Record<string, unknown>>> {
  const text = await response.text();
  const statuses = typeof status === 'number' ? [status] : status;
  assert.ok(statuses.includes(response.status), `${response.status} is none of ${statuses.join(', ')}: ${text}`);
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  assertSaysNothing(text);
  const body = JSON.parse(text) as Readonly<Record<string, unknown>>;
  assert.match(String(body['code']), /^\w+$/, 'a stable code');
  assert.equal(typeof body['message'], 'string');
  if (reason !== undefined) assert.equal(body['reason'], reason, text);
  return body;
}

/** Asserts an error answer of the door of presigned URLs, which speaks S3's XML; returns its code. */
export async function assertRefusedByDoor(response: Response, status: number, code?: string): Promise<string> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  assert.match(response.headers.get('content-type') ?? '', /^application\/xml/);
  assertSaysNothing(text);
  const found = /^<\?xml[^>]*>\s*<Error><Code>(\w+)<\/Code><Message>[^<]*<\/Message><\/Error>$/.exec(text)?.[1];
  assert.ok(found !== undefined, text);
  if (code !== undefined) assert.equal(found, code);
  return found;
}

const tellingSigns: readonly (readonly [RegExp, string])[] = [
  [/\n\s+at |\.[cm]?[jt]s:\d+/, 'a stack'],
  [/\b(SELECT\b.+\bFROM|INSERT INTO|DELETE FROM|UPDATE\b.+\bSET)\b/, 'SQL'],
  [/violates|duplicate key|constraint "|relation "|Key \(/, 'a message of the database'],
  [/\/tmp\/|\/home\/|node_modules|file:\/\/|\bE(NOENT|ACCES|EXIST|ISDIR|NOTDIR)\b/, 'a file path'],
];

/** Asserts that a text for callers shows no stack, no SQL, no message of the database and no path. */
export function assertSaysNothing(text: string): void {
  for (const [sign, what] of tellingSigns) assert.doesNotMatch(text, sign, `the answer shows ${what}`);
}

/** The SQLSTATE with which a statement fails; fails itself when the statement does not. */
export async function sqlStateOf(statement: Promise<unknown>): Promise<string> {
  try {
    await statement;
  } catch (error) {
    if (error instanceof pg.DatabaseError) return error.code ?? '';
    throw error;
  }
  return assert.fail('the statement went through');
}

async function stateOf(database: MigratedDatabase): Promise<Record<string, unknown[]>> {
  const state: Record<string, unknown[]> = {};
  for (const [name, text] of Object.entries(remembered)) {
    state[name] = (await database.query<{ row: unknown }>(text)).map(({ row }) => row);
  }
  return state;
}

/** One upload, download and delete by a caller who has nothing to do with any attack. */
async function assertWorks(service: TestService): Promise<void> {
  const path = `/storage/v1/object/standing/${randomUUID()}`;
  const as = 'standing';
  const health = await service.fetch('/healthz');
  assert.equal(health.status, 200, 'the server lives');
  const put = await service.fetch(path, { as, method: 'POST', body: path });
  assert.equal(put.status, 201, 'an upload works');
  assert.equal(await (await service.fetch(path, { as })).text(), path, 'and comes back');
  assert.equal((await service.fetch(path, { as, method: 'DELETE' })).status, 200, 'and can go');
}

/** Nothing stands beside the folder of the bytes, and in it only files under keys of rows. */
async function assertOnlyKeys(root: string, state: Record<string, unknown[]>): Promise<void> {
  assert.deepEqual(await readdir(dirname(root)), ['blobs'], 'nothing was written beside the bytes');
  const keys = new Set((state['versions'] ?? []).map((row) => (row as { readonly key: string }).key));
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  const strange = files
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !keys.has(path));
  assert.deepEqual(strange, [], 'every file is under the key of a row');
}

async function inTransactionAs<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  caller: SqlCaller,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  const client = await pool.connect();
  let failed = true;
  try {
    await client.query('BEGIN');
    await client.query(
      "SELECT set_config('search_path', 'public', true), set_config('role', $1, true), set_config('request.jwt.claims', $2, true)",
      [caller.role, JSON.stringify(caller)],
    );
    const { rows } = await client.query<Row>(text, values);
    await client.query('COMMIT');
    failed = false;
    return rows;
  } finally {
    client.release(failed); // what failed inside a transaction is not used again
  }
}
