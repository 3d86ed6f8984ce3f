import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@rowlock/test-harness';
import pg from 'pg';
import { QueueDatabase, type QueueSchema, type RecordedWorker } from '../queue-fixture.test.ts';
import type { WorkerOptions } from './worker-options.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

const never = 3_600_000;
const handlers = { work: { perform: (): undefined => undefined } };

/** Starts a worker and waits until it sleeps: its lease says so, and no look or claim has come for a while. */
async function asleep(queue: QueueSchema, options: Partial<WorkerOptions>): Promise<RecordedWorker> {
  const recorded = queue.worker({ handlers, ...options });
  await recorded.worker.start();
  if (options.listen !== false) await recorded.seen('listener_connected');
  await until(async () => await isMarked(queue), { what: 'the lease says that the worker waits' });
  return recorded;
}

async function isMarked(queue: QueueSchema): Promise<boolean> {
  const rows = await queue.sql(`SELECT FROM S.rowlock_worker_lease WHERE 'default' = ANY (waiting_queues)`);
  return rows.length > 0;
}

test('a job inserted by the SQL function starts by its notification alone', async () => {
  const queue = await database.schema();
  const { worker, seen } = await asleep(queue, { fetchPollIntervalMs: never });

  const [row] = await queue.sql(`SELECT S.enqueue_job('work', '{}', 'default')`);

  await seen('job_settled', ({ id }) => id === row?.['enqueue_job']);
  await worker.stop();
});

test('each of many jobs inserted one after the other starts by a notification', async () => {
  const queue = await database.schema();
  const { worker, seen } = await asleep(queue, { fetchPollIntervalMs: never });

  for (let number = 0; number < 200; number += 1) {
    const { id } = await queue.insert();
    await seen('job_settled', (one) => one.id === id);
  }

  await worker.stop();
});

test('no job is missed when many transactions insert while workers go to sleep and wake up', async () => {
  const queue = await database.schema();
  const workers = await Promise.all([1, 2].map(async () => await asleep(queue, { fetchPollIntervalMs: never })));
  const rounds = Array.from({ length: 6 }, (_, round) => round);

  const insertOne = async (round: number): Promise<void> => {
    const client = await database.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query(queue.inSchema(`SELECT S.enqueue_job('work', '{}', 'default')`));
      await client.query(`SELECT pg_sleep(${(round % 3) * 0.004})`); // the commit is later than the look at the leases
      await client.query('COMMIT');
    } finally {
      client.release();
    }
  };
  await Promise.all(
    rounds.map(async () => {
      for (let round = 0; round < 150; round += 1) await insertOne(round);
    }),
  );

  await until(async () => (await queue.sql(`SELECT FROM S.river_job WHERE state <> 'completed'`)).length === 0, {
    what: 'every job is completed without a poll',
  });
  for (const { worker } of workers) await worker.stop();
});

test('a job whose transaction was under way when the worker went to sleep is found without a poll', async () => {
  const queue = await database.schema();
  const client = await database.pool.connect();
  await client.query('BEGIN');
  // No worker waits yet, but one is alive: so this insert notifies nobody.
  await queue.sql(`INSERT INTO S.rowlock_worker_lease (client_id, token, queues, expires_at)
    VALUES ('busy', gen_random_uuid(), '{default}', 'infinity')`);
  const { rows } = await client.query(queue.inSchema(`SELECT S.enqueue_job('work', '{}', 'default') AS id`));
  const { worker, seen } = await asleep(queue, { fetchPollIntervalMs: never });

  await client.query('SELECT pg_sleep(0.3)'); // a worker that did not wait for it would be fast asleep by now
  await client.query('COMMIT');
  client.release();

  await seen('job_settled', ({ id }) => id === rows[0]?.id);
  await worker.stop();
});

test('a job that nobody announced is found by the poll, without a listener', async () => {
  const queue = await database.schema();
  const { worker, seen } = queue.worker({ handlers, listen: false, fetchPollIntervalMs: 20 });
  await worker.start();

  const [row] = await queue.sql(
    `INSERT INTO S.river_job (kind, args, max_attempts) VALUES ('work', '{}', 25) RETURNING id`,
  );

  await seen('job_settled', ({ id }) => id === row?.['id']);
  assert.equal(await isMarked(queue), false);
  await worker.stop();
});

test('the listener is found again after its connection was ended, and jobs of the meantime are found', async () => {
  const queue = await database.schema();
  const { worker, seen, observations } = await asleep(queue, { fetchPollIntervalMs: never });
  const [ended] = await queue.sql(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
       AND query LIKE 'LISTEN%' || $1 || '%' OR query = 'SELECT 1 AS one' AND datname = current_database()`,
    [queue.name],
  );
  const meanwhile = await queue.insert();

  await seen('listener_lost');
  await seen('job_settled', ({ id }) => id === meanwhile.id);
  await until(() => observations.filter(({ event }) => event === 'listener_connected').length === 2);
  const afterwards = await queue.insert();
  await seen('job_settled', ({ id }) => id === afterwards.id);

  assert.equal(ended?.['pg_terminate_backend'], true);
  await worker.stop();
});

test('the listener connects as the pool does, with every option that stands beside a connection string', async () => {
  const queue = await database.schema();
  const pool = new pg.Pool({ connectionString: database.url, application_name: 'as the pool' });
  pool.on('error', () => undefined); // its database is dropped while a connection closes

  const { worker } = await asleep(queue, { database: pool, lead: false });

  const [row] = await queue.sql(
    `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'as the pool' AND query ~ '^(LISTEN|SELECT 1 AS one)'`,
  );
  assert.equal(row?.['count'], '1');
  await worker.stop();
  await pool.end();
});

test('a job that another client made available for a moment ahead starts at its time and not before', async () => {
  const queue = await database.schema();
  const { worker, seen } = await asleep(queue, { fetchPollIntervalMs: never });

  const due = new Date(Date.now() + 300);
  const { id, state } = await queue.insert({ scheduledAt: due });

  assert.equal(state, 'available');
  await seen('job_settled', (one) => one.id === id);
  assert.ok(Date.now() >= due.getTime() - 1);
  await worker.stop();
});

test('a job far ahead is scheduled, and promoted by a scheduler pass when it falls due', async () => {
  const queue = await database.schema();
  const { id, state } = await queue.insert({ scheduledAt: new Date(Date.now() + 3_600_000) });
  const { worker, seen } = queue.worker({ handlers, random: () => 0.01, fetchPollIntervalMs: never });

  await worker.start();
  await queue.sql(`UPDATE S.river_job SET scheduled_at = now() WHERE id = $1`, [id]);

  assert.equal(state, 'scheduled');
  await seen('jobs_scheduled', ({ promoted }) => promoted === 1);
  await seen('job_settled', (one) => one.id === id);
  await worker.stop();
});

test('as long as there are more jobs, every freed slot is filled at once', async () => {
  const queue = await database.schema();
  await queue.sql(
    `INSERT INTO S.river_job (kind, args, max_attempts) SELECT 'work', '{}', 25 FROM generate_series(1, 300)`,
  );
  const { worker } = queue.worker({ handlers, queues: { default: { maxWorkers: 3 } }, fetchPollIntervalMs: never });

  await worker.start();

  await until(async () => (await queue.sql(`SELECT FROM S.river_job WHERE state <> 'completed'`)).length === 0, {
    what: 'three slots have worked off 300 jobs with no poll',
  });
  await worker.stop();
});
