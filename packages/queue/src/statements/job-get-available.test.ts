import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@rowlock/test-harness';
import { QueueDatabase } from '../queue-fixture.test.ts';
import { jobGetAvailable } from './job-get-available.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

const claim = { queue: 'default', limit: 100, client_id: 'me' };

test('jobs are claimed by priority, then time with microseconds, then id', async () => {
  const queue = await database.schema();
  const late = await queue.insert({ priority: 4, scheduledAt: '2026-01-01T00:00:00Z' });
  const second = await queue.insert({ priority: 2, scheduledAt: '2026-01-01T00:00:00.000002Z' });
  const first = await queue.insert({ priority: 2, scheduledAt: '2026-01-01T00:00:00.000001Z' });
  const third = await queue.insert({ priority: 2, scheduledAt: '2026-01-01T00:00:00.000002Z' });

  const two = await jobGetAvailable(queue.pool, queue.schema, { ...claim, limit: 2 });
  const rest = await jobGetAvailable(queue.pool, queue.schema, claim);

  const ids = [...two, ...rest].map(({ id }) => id);
  assert.deepEqual(ids, [first.id, second.id, third.id, late.id]);
  assert.equal(two[0]?.scheduled_at, '2026-01-01T00:00:00.000001');
  assert.equal(first.scheduled_at, '2026-01-01T00:00:00.000001Z');
});

test('a claimed job is running, attempted once more, now, by the client', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();

  const [row] = await jobGetAvailable(queue.pool, queue.schema, claim);

  const [stored] = await queue.sql(
    `SELECT state, attempt, attempted_by, attempted_at > now() - interval '1 minute' AS is_now FROM S.river_job`,
  );
  assert.equal(row?.id, id);
  assert.deepEqual(stored, { state: 'running', attempt: 1, attempted_by: ['me'], is_now: true });
});

test('other queues, later times and other states are left alone', async () => {
  const queue = await database.schema();
  await queue.insert({ queue: 'other' });
  await queue.insert({ scheduledAt: new Date(Date.now() + 4000) });
  await queue.insert({ scheduledAt: new Date(Date.now() + 60_000) });
  const { id } = await queue.insert();
  await queue.sql(`UPDATE S.river_job SET state = 'pending' WHERE id = $1`, [id]);

  const rows = await jobGetAvailable(queue.pool, queue.schema, claim);

  assert.deepEqual(rows, []);
});

test('what another claim has locked is skipped without waiting', async () => {
  const queue = await database.schema();
  const [first, second] = [await queue.insert(), await queue.insert()];
  const other = await database.pool.connect();
  await other.query('BEGIN');
  const theirs = await jobGetAvailable(other, queue.schema, { ...claim, limit: 1, client_id: 'other' });

  const ours = await jobGetAvailable(queue.pool, queue.schema, claim);

  await other.query('COMMIT');
  other.release();
  assert.deepEqual(
    [...theirs, ...ours].map(({ id }) => id),
    [first.id, second.id],
  );
});

test('of those who attempted a job, the last hundred are kept', async () => {
  const queue = await database.schema();
  await queue.insert();
  await queue.sql(
    `UPDATE S.river_job SET attempted_by = (SELECT array_agg(n::text ORDER BY n) FROM generate_series(1, 100) AS n)`,
  );

  await jobGetAvailable(queue.pool, queue.schema, claim);

  const [row] = await queue.sql('SELECT attempted_by FROM S.river_job');
  assert.equal(row?.['attempted_by'].length, 100);
  assert.equal(row?.['attempted_by'].at(0), '2');
  assert.equal(row?.['attempted_by'].at(-1), 'me');
});

test('the claim reads the index in order and neither sorts nor scans the table', async () => {
  const queue = await database.schema();
  await queue.sql(
    `INSERT INTO S.river_job (kind, args, max_attempts) SELECT 'work', '{}', 25 FROM generate_series(1, 5000)`,
  );
  await queue.sql('ANALYZE S.river_job');
  const rows = await queue.sql(`EXPLAIN SELECT id FROM S.river_job
    WHERE state = 'available' AND queue = 'default' AND scheduled_at <= now()
    ORDER BY priority, scheduled_at, id LIMIT 10 FOR UPDATE SKIP LOCKED`);

  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  assert.match(plan, /Index Scan using river_job_prioritized_fetching_index/);
  assert.doesNotMatch(plan, /Sort|Seq Scan/);
});

test('several workers perform each of many jobs exactly once', async () => {
  const queue = await database.schema();
  const performed: string[] = [];
  const workers = [1, 2, 3].map(() =>
    queue.worker({
      queues: { default: { maxWorkers: 7 } },
      handlers: { work: { perform: ({ id }) => performed.push(id) } },
    }),
  );
  await queue.sql(
    `INSERT INTO S.river_job (kind, args, max_attempts) SELECT 'work', '{}', 25 FROM generate_series(1, 2000)`,
  );

  for (const { worker } of workers) await worker.start();
  await until(async () => (await queue.sql(`SELECT FROM S.river_job WHERE state <> 'completed'`)).length === 0, {
    timeoutMs: 30_000,
    what: 'all jobs are completed',
  });
  for (const { worker } of workers) await worker.stop();

  assert.equal(performed.length, 2000);
  assert.equal(new Set(performed).size, 2000);
  const odd = await queue.sql('SELECT FROM S.river_job WHERE attempt <> 1 OR cardinality(attempted_by) <> 1');
  assert.equal(odd.length, 0);
});

test('one slot performs jobs in the order of the claim', async () => {
  const queue = await database.schema();
  const performed: string[] = [];
  const inserted = [];
  for (const priority of [3, 1, 4, 2, 1]) inserted.push(await queue.insert({ priority }));
  const { worker, seen } = queue.worker({
    queues: { default: { maxWorkers: 1 } },
    handlers: { work: { perform: ({ id }) => performed.push(id) } },
  });

  await worker.start();
  for (const job of inserted) await seen('job_settled', ({ id }) => id === job.id);
  await worker.stop();

  const expected = inserted.toSorted(
    (one, other) => one.priority - other.priority || Number(one.id) - Number(other.id),
  );
  assert.deepEqual(
    performed,
    expected.map(({ id }) => id),
  );
});
