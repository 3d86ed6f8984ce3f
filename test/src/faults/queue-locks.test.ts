/**
 * Others lock the rows that a worker has to write: in the opposite order, so that one of the two must give way, and for
 * longer than a statement may take. What is refused is tried again until it is recorded, and nothing runs twice for it.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { seededRandom, until } from '@rowlock/test-harness';
import pg from 'pg';
import { AuditedQueue, type AuditedWorker, insertJobs, schema } from './audited-queue.ts';
import { assertHistory } from './queue-history.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const deadlock = '40P01';
const table = `${schema}.river_job`;

let queue: AuditedQueue;
before(async () => {
  queue = await AuditedQueue.create();
});
beforeEach(async () => {
  await queue.pool.query(`TRUNCATE ${table}, audit`);
});
after(() => queue.drop());

async function assertEnds(worker: AuditedWorker): Promise<void> {
  const { code, complaints } = await worker.stop();
  assert.deepEqual({ code, complaints }, { code: 0, complaints: '' });
}

/** Somebody who writes rows of the table in transactions of their own. */
async function adversary(settings: string = ''): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: queue.url });
  await client.connect();
  if (settings !== '') await client.query(settings);
  return client;
}

const touch = (client: pg.Client, id: string): Promise<unknown> =>
  client.query(`UPDATE ${table} SET metadata = metadata WHERE id = $1`, [id]);

/** Resolves when a completion waits for a lock. */
async function completionWaits(): Promise<void> {
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
    AND query LIKE '%completed%' AND application_name = 'rowlock worker'`;
  await until(async () => (await queue.pool.query(waiting)).rowCount === 1, { what: 'a completion waits for a lock' });
}

test('a completion that is the victim of a deadlock is recorded by its next try', async () => {
  const [first = ''] = await insertJobs(queue.pool, 1, { ms: 1000 });
  const [low = '', high = ''] = await insertJobs(queue.pool, 2, { ms: 1400 });
  const other = await adversary(`SET deadlock_timeout = '1min'`); // so that it is the worker who finds out
  const options = '-c deadlock_timeout=2s';
  const worker = queue.worker({ queues: { default: { maxWorkers: 3 } } }, { parameters: { options } });
  await until(() => worker.count('audit_start') === 3, { what: 'all three run' });
  await other.query('BEGIN');
  await touch(other, high);
  const holder = await adversary();
  await holder.query('BEGIN');
  await touch(holder, first);

  await until(() => worker.count('job_ended') === 3, { what: 'all three have ended' });
  await completionWaits(); // for the first job; the other two are the next batch
  await holder.query('ROLLBACK');
  await until(async () => await isLockedBySomebody(low), { what: 'the batch has written its first row' });
  await completionWaits();
  await touch(other, low);
  await other.query('COMMIT');
  await queue.untilDone();
  await assertEnds(worker);

  const victims = worker.count('task_failed', ({ task, code }) => task === 'complete' && code === deadlock);
  assert.equal(victims, 1);
  await assertHistory(queue.pool, { jobs: 3 });
  await Promise.all([other.end(), holder.end()]);
});

async function isLockedBySomebody(id: string): Promise<boolean> {
  const { rowCount } = await queue.pool.query(`SELECT FROM ${table} WHERE id = $1 FOR UPDATE SKIP LOCKED`, [id]);
  return rowCount === 0;
}

test('somebody writes the rows of running jobs, the highest first, while two workers claim and complete them', async (t) => {
  const jobs = 200 * rounds;
  const random = seededRandom();
  await queue.pool.query(`ALTER DATABASE ${queue.name} SET deadlock_timeout = '20ms'`);
  const others = await Promise.all([adversary(), adversary()]);
  const workers = [queue.worker(), queue.worker()];
  await insertJobs(queue.pool, jobs, { ms: 5, failing: jobs / 5 });

  let isOver = false;
  let transactions = 0;
  const disturbed = others.map(async (client) => {
    while (!isOver) {
      transactions += 1;
      await client.query('BEGIN');
      try {
        const { rows } = await client.query(
          `SELECT id FROM ${table} WHERE state IN ('running', 'available') ORDER BY id DESC OFFSET $1 LIMIT 8`,
          [random.integer(8)],
        );
        for (const { id } of rows) await touch(client, id);
        await client.query('COMMIT');
      } catch (error) {
        assert.equal((error as { readonly code?: string }).code, deadlock);
        await client.query('ROLLBACK');
      }
    }
  });
  await queue.untilDone(40_000 * rounds).finally(async () => {
    isOver = true;
    await Promise.all(disturbed);
  });
  for (const worker of workers) await assertEnds(worker);

  await queue.pool.query(`ALTER DATABASE ${queue.name} RESET deadlock_timeout`);
  await assertHistory(queue.pool, { jobs });
  await Promise.all(others.map(async (client) => await client.end()));
  const victims = workers.map((worker) => worker.count('task_failed', ({ code }) => code === deadlock));
  t.diagnostic(`seed ${random.seed}: ${transactions} transactions of others, ${victims.join(' and ')} lost deadlocks`);
});

test('a statement_timeout of 50 ms while rows are locked for longer delays their completion and nothing else', async () => {
  const ids = await insertJobs(queue.pool, 5, { ms: 100 });
  const worker = queue.worker({}, { parameters: { options: '-c statement_timeout=50' } });
  await until(() => worker.count('audit_start') === 5, { what: 'all run' });
  const holder = await adversary();
  await holder.query('BEGIN');
  for (const id of ids) await touch(holder, id);

  const isTimeout = (one: { task?: string; code?: string }): boolean => one.task === 'complete' && one.code === '57014';
  await until(() => worker.count('task_failed', isTimeout) >= 3, { what: 'three completions have taken too long' });
  await insertJobs(queue.pool, 20, { failing: 5 });
  await until(() => worker.count('audit_finish') === 25, { what: 'other jobs run meanwhile' });
  await holder.query('COMMIT');
  await queue.untilDone();
  await assertEnds(worker);

  await assertHistory(queue.pool, { jobs: 25 });
  await holder.end();
});
