/** Upload requests that are over: which go when, what the archive keeps of them, and who may see that. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { Database } from '@rowlock/server';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';
import pg from 'pg';
import { cleanUpRequests } from '../../../packages/server/dist/operations/clean-up-requests.js';

let database: MigratedDatabase;
let worker: Database;

before(async () => {
  database = await createMigratedDatabase();
  worker = new Database({
    url: database.workerUrl,
    connectionsMax: 2,
    statementTimeoutMs: 10_000,
    applicationName: 'test worker',
  });
});
after(async () => {
  await worker.close();
  await database.drop();
});

/** One request of each: the name says its status and its age in hours, and whether its bytes may still come. */
const requests = [
  'pending-23-closed',
  'pending-25-closed',
  'pending-25-open',
  'processing-25-closed',
  'completed-25-closed',
  'completed-167-closed',
  'completed-169-closed',
  'completed-169-open',
  'failed-25-closed',
  'failed-169-closed',
] as const;

beforeEach(async () => {
  await database.query(`
    SET session_replication_role = replica;
    DELETE FROM metadata.file_upload_requests; DELETE FROM metadata.file_upload_requests_archive;
    RESET session_replication_role`);
});

async function arrange(names: readonly string[]): Promise<void> {
  await database.query('ALTER TABLE metadata.file_upload_requests DISABLE TRIGGER USER');
  await database.query(
    `INSERT INTO metadata.file_upload_requests (entity_type, entity_id, file_name, file_type, status, presigned_url, created_at,
       requested_by, is_open)
     SELECT 'issue', '1', n, 'image/png', split_part(n, '-', 1), 'https://store/secret', now() - make_interval(hours => split_part(n, '-', 2)::integer),
       'ann', split_part(n, '-', 3) = 'open'
     FROM unnest($1::text[]) AS n`,
    [[...names]],
  );
  await database.query('ALTER TABLE metadata.file_upload_requests ENABLE TRIGGER USER');
}

const namesIn = async (table: string): Promise<readonly string[]> =>
  (await database.query<{ name: string }>(`SELECT file_name AS name FROM metadata.${table} ORDER BY file_name`)).map(
    ({ name }) => name,
  );

test('what was never signed goes after a day, the rest after a week, and nothing whose bytes may still come', async () => {
  await arrange(requests);

  const report = await cleanUpRequests(worker);
  const again = await cleanUpRequests(worker);

  assert.deepEqual(await namesIn('file_upload_requests'), [
    'completed-167-closed',
    'completed-169-open',
    'completed-25-closed',
    'failed-25-closed',
    'pending-23-closed',
    'pending-25-open',
  ]);
  assert.deepEqual(await namesIn('file_upload_requests_archive'), ['completed-169-closed']);
  assert.deepEqual(report, { archived: 1, deleted: 4, forgotten: 0 });
  assert.deepEqual(again, { archived: 0, deleted: 0, forgotten: 0 });
});

test('many go in many transactions, and as many are in the archive', async () => {
  await arrange(Array.from({ length: 25 }, () => 'completed-200-closed'));

  const report = await cleanUpRequests(worker, { limit: 10 });

  assert.deepEqual(report, { archived: 25, deleted: 25, forgotten: 0 });
  assert.equal((await namesIn('file_upload_requests_archive')).length, 25);
});

test('the archive forgets after its days, and never with none', async () => {
  const forget = async (days: string): Promise<number> => {
    await database.query("UPDATE storage.settings SET value = $1 WHERE name = 'upload_requests_archive_days'", [days]);
    return (await cleanUpRequests(worker)).forgotten;
  };
  await arrange(['completed-200-closed']);
  await cleanUpRequests(worker);
  await database.query("UPDATE metadata.file_upload_requests_archive SET archived_at = now() - interval '3 days'");

  assert.equal(await forget('0'), 0);
  assert.equal(await forget('4'), 0);
  assert.equal(await forget('2'), 1);
  assert.deepEqual(await namesIn('file_upload_requests_archive'), []);
});

/** Runs one statement as a caller, as PostgREST does; what it wrote stays. */
async function as<Row extends pg.QueryResultRow>(role: string, sub: string, text: string): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query("SELECT set_config('request.jwt.claims', $1, true), set_config('role', $2, true)", [
      JSON.stringify({ sub, role }),
      role,
    ]);
    const { rows } = await client.query<Row>(text);
    await client.query('COMMIT');
    return rows;
  } finally {
    await client.end();
  }
}

test('an application that schedules it in the database calls one function, as the service only', async () => {
  const call = 'SELECT metadata.cleanup_old_upload_requests()::integer AS gone';
  await arrange(requests);

  await assert.rejects(as('authenticated', 'ann', call), /permission denied/);
  await assert.rejects(as('anon', '', call), /permission denied/);
  const answer = await as('service_role', '', call);

  assert.deepEqual(answer, [{ gone: 4 }]);
  assert.equal((await namesIn('file_upload_requests')).length, 6);
});

test('each sees their own in the archive, without the URL that was signed, and nobody changes it', async () => {
  const table = 'metadata.file_upload_requests_archive';
  await arrange(['completed-200-closed']);
  await cleanUpRequests(worker);

  const [row] = await as<{ text: string }>('authenticated', 'ann', `SELECT a::text AS text FROM ${table} AS a`);
  const others = await as('authenticated', 'bob', `SELECT id FROM ${table}`);
  const anonymous = await as('anon', '', `SELECT id FROM ${table}`);
  const service = await as('service_role', '', `SELECT id FROM ${table}`);

  assert.match(row?.text ?? '', /completed-200-closed/);
  assert.doesNotMatch(row?.text ?? '', /secret/);
  assert.deepEqual([others.length, anonymous.length, service.length], [0, 0, 1]);
  for (const text of [`DELETE FROM ${table}`, `UPDATE ${table} SET status = 'failed'`, `TRUNCATE ${table}`]) {
    await assert.rejects(as('service_role', '', text), /permission denied/, text);
  }
});
