/**
 * What people who ran River in Go ask of its tables, word for word (requirements R126 to R130): queue depth, the dead
 * letters, latency, bloat. It has to run on what we migrate, as the role of the workers.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';
import pg from 'pg';

let database: MigratedDatabase;
let worker: pg.Client;

before(async () => {
  database = await createMigratedDatabase();
  worker = new pg.Client({ connectionString: database.workerUrl });
  await worker.connect();
  await database.query(`
    INSERT INTO metadata.river_job (args, kind, queue, state, attempt, max_attempts, attempted_at, finalized_at, errors)
    VALUES ('{"request_id": "r1"}', 's3_presign', 's3_signer', 'available', 0, 25, NULL, NULL, NULL),
      ('{"request_id": "r2"}', 's3_presign', 's3_signer', 'discarded', 25, 25, now(), now(), ARRAY['{"error": "x"}'::jsonb]),
      ('{"request_id": "r3"}', 's3_presign', 's3_signer', 'running', 1, 25, now(), NULL, NULL),
      ('{"request_id": "r4"}', 's3_presign', 's3_signer', 'retryable', 1, 25, now(), NULL, ARRAY['{"error": "y"}'::jsonb]),
      ('{"file_id": "f1"}', 'thumbnail_generate', 'thumbnails', 'completed', 1, 25, now(), now() + interval '2 s', NULL)`);
});
after(async () => {
  await worker.end();
  await database.drop();
});

const rowsOf = async (sql: string): Promise<readonly Record<string, unknown>[]> => (await worker.query(sql)).rows;

test('R126 the depth of a queue', async () => {
  const rows = await rowsOf("SELECT COUNT(*) FROM metadata.river_job WHERE queue='s3_signer' AND state='available'");

  assert.deepEqual(rows, [{ count: '1' }]);
});

test('R127 dead letters, running jobs, and the errors of those that are tried again', async () => {
  const dead = await rowsOf(
    "SELECT * FROM metadata.river_job WHERE state='discarded' ORDER BY finalized_at DESC LIMIT 100",
  );
  const running = await rowsOf(
    "SELECT id, kind, attempted_at, attempted_by FROM metadata.river_job WHERE state='running'",
  );
  const failing = await rowsOf(
    "SELECT args->>'request_id' AS request, errors FROM metadata.river_job WHERE state='retryable'",
  );

  assert.deepEqual(
    dead.map(({ args }) => args),
    [{ request_id: 'r2' }],
  );
  assert.equal(running.length, 1);
  assert.deepEqual(failing, [{ request: 'r4', errors: [{ error: 'y' }] }]);
});

test('R128 latency by kind over the last hour', async () => {
  const rows = await rowsOf(`
    SELECT kind, count(*),
      percentile_cont(0.5) WITHIN GROUP (ORDER BY EXTRACT(EPOCH FROM (finalized_at - scheduled_at))) AS p50,
      percentile_cont(0.95) WITHIN GROUP (ORDER BY EXTRACT(EPOCH FROM (finalized_at - scheduled_at))) AS p95,
      percentile_cont(0.99) WITHIN GROUP (ORDER BY EXTRACT(EPOCH FROM (finalized_at - scheduled_at))) AS p99
    FROM metadata.river_job
    WHERE state = 'completed' AND finalized_at > NOW() - INTERVAL '1 hour' GROUP BY kind`);

  assert.deepEqual(rows, [{ kind: 'thumbnail_generate', count: '1', p50: 2, p95: 2, p99: 2 }]);
});

test('R129 depth by state, by queue and kind, bloat and vacuum', async () => {
  const byState = await rowsOf('SELECT state, COUNT(*) FROM metadata.river_job GROUP BY state ORDER BY state');
  const byKind = await rowsOf('SELECT queue, kind, COUNT(*) FROM metadata.river_job GROUP BY queue, kind');
  const bloat = await rowsOf(`
    SELECT relname, n_live_tup, n_dead_tup, ROUND(100.0 * n_dead_tup / NULLIF(n_live_tup + n_dead_tup, 0), 2) AS dead,
      last_autovacuum, autovacuum_count
    FROM pg_stat_user_tables WHERE schemaname = 'metadata' AND relname = 'river_job'`);

  assert.deepEqual(
    byState.map(({ state }) => state),
    ['available', 'completed', 'discarded', 'retryable', 'running'],
  );
  assert.equal(byKind.length, 2);
  assert.equal(bloat.length, 1);
});

test('R130 the table of jobs is vacuumed early, and its owner may say so again', async () => {
  await database.query(
    'ALTER TABLE metadata.river_job SET (autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_cost_delay=1)',
  );
  const [row] = await rowsOf("SELECT reloptions FROM pg_class WHERE oid = 'metadata.river_job'::regclass");

  assert.deepEqual(row?.['reloptions'], ['autovacuum_vacuum_scale_factor=0.01', 'autovacuum_vacuum_cost_delay=1']);
});
