import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@rowlock/test-harness';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import { Latch } from './latch.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

async function leases(queue: QueueSchema): Promise<number> {
  return (await queue.sql('SELECT FROM S.rowlock_worker_lease')).length;
}

test('stopping waits for running jobs, claims no more, and gives up the lease', async () => {
  const queue = await database.schema();
  const first = await queue.insert();
  const mayEnd = new Latch();
  const { worker, seen } = queue.worker({
    queues: { default: { maxWorkers: 1 } },
    handlers: { work: { perform: async () => await mayEnd.opened } },
  });
  await worker.start();
  await seen('job_started');

  const stopped = worker.stop();
  await seen('worker_stopping');
  const second = await queue.insert();
  mayEnd.open();
  await stopped;

  assert.equal((await queue.job(first.id)).state, 'completed');
  assert.equal((await queue.job(second.id)).state, 'available');
  assert.equal(await leases(queue), 0);
});

test('a job that does not end in time is aborted, and goes back with its attempt not counted', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const { worker, seen } = queue.worker({
    stopTimeoutMs: 10,
    handlers: {
      work: {
        perform: async (_job, { signal }) =>
          await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      },
    },
  });
  await worker.start();
  await seen('job_started');

  await worker.stop();

  const job = await queue.job(id);
  assert.equal(job.state, 'available');
  assert.equal(job.attempt, 0);
  assert.deepEqual(job.errors, []);
  assert.ok(job.due_in <= 0);
});

test('a handler that does not give up is left behind, and its job goes back all the same', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const { worker, seen, observations } = queue.worker({
    stopTimeoutMs: 10,
    abortTimeoutMs: 10,
    handlers: { work: { perform: async () => await new Latch().opened } },
  });
  await worker.start();
  await seen('job_started');

  await worker.stop();

  const job = await queue.job(id);
  assert.equal(job.state, 'available');
  assert.equal(job.attempt, 0);
  assert.equal(observations.at(-1)?.event, 'worker_stopped');
});

test('a job that ends well after it was asked to give up is completed', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const { worker, seen } = queue.worker({
    stopTimeoutMs: 10,
    handlers: {
      work: {
        perform: async (_job, { signal }) =>
          await new Promise((resolve) => signal.addEventListener('abort', () => resolve('done'))),
      },
    },
  });
  await worker.start();
  await seen('job_started');

  await worker.stop();

  assert.equal((await queue.job(id)).state, 'completed');
});

test('stopping twice stops once', async () => {
  const queue = await database.schema();
  const { worker, observations } = queue.worker();
  await worker.start();

  await Promise.all([worker.stop(), worker.stop()]);
  await worker.stop();

  assert.equal(observations.filter(({ event }) => event === 'worker_stopped').length, 1);
  await assert.rejects(worker.start(), { reason: 'already_started' });
});

test('a worker that is stopped while it starts is stopped', async () => {
  const queue = await database.schema();
  const { worker } = queue.worker();

  const started = worker.start();
  await worker.stop();
  await started;

  assert.equal(await leases(queue), 0);
});

test('a worker with a connection string of its own leaves no connection behind', async () => {
  const queue = await database.schema();
  const url = new URL(database.url);
  url.searchParams.set('application_name', 'the worker of this test');
  const { worker, seen } = queue.worker({
    database: url.href,
    queues: { default: { maxWorkers: 50 } },
    handlers: { work: { perform: () => undefined } },
  });
  const count = `SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'the worker of this test'`;
  await worker.start();
  await Promise.all(Array.from({ length: 20 }, async () => await queue.insert()));
  const last = await queue.insert();
  await seen('job_settled', ({ id }) => id === last.id);
  const [during] = await queue.sql(count);

  await worker.stop();

  assert.ok(during?.['count'] >= 1 && during?.['count'] <= 6, `${during?.['count']} connections`);
  await until(async () => (await queue.sql(count))[0]?.['count'] === 0, { what: 'its connections are gone' });
});

test('a worker whose database cannot be reached fails to start, and is stopped', async () => {
  const queue = await database.schema();
  const { worker, observations } = queue.worker({ database: 'postgres://postgres@127.0.0.1:1/none' });

  await assert.rejects(worker.start());

  assert.equal(observations.at(-1)?.event, 'worker_stopped');
});
