import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import { controlAction, insertedQueue } from './control.ts';
import type { JobHandler } from './job-handler.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

const untilAborted: JobHandler = {
  perform: async (_job, { signal }) =>
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
};

/** What River's cancel does to the row of a running job. */
async function askToCancel(queue: QueueSchema, id: string): Promise<void> {
  await queue.sql(
    `UPDATE S.river_job SET metadata = metadata || '{"cancel_attempted_at": "2026-01-02T03:04:05Z"}' WHERE id = $1`,
    [id],
  );
}

async function notifyControl(queue: QueueSchema, payload: string): Promise<void> {
  await queue.sql('SELECT pg_notify($1, $2)', [`${queue.name}.river_control`, payload]);
}

test('a running job that is cancelled elsewhere is aborted at the notification and ends as cancelled', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const { worker, seen } = queue.worker({ handlers: { work: untilAborted } });
  await worker.start();
  await seen('listener_connected');
  await seen('job_started');

  await askToCancel(queue, id);
  await notifyControl(queue, `{"action" : "cancel", "job_id" : ${id}, "queue" : "default", "new_field": 1}`);

  await seen('job_settled');
  await worker.stop();
  const job = await queue.job(id);
  assert.equal(job.state, 'cancelled');
  assert.equal(job.errors[0]?.error, 'JobCancelError: job cancelled remotely');
});

test('a notification to cancel that the table does not confirm aborts nothing', async () => {
  const queue = await database.schema();
  const [real, forged] = [await queue.insert(), await queue.insert()];
  const { worker, seen, observations } = queue.worker({ handlers: { work: untilAborted }, stopTimeoutMs: 0 });
  await worker.start();
  await seen('listener_connected');
  await seen('job_started', ({ id }) => id === real.id);
  await seen('job_started', ({ id }) => id === forged.id);

  await notifyControl(queue, `{"action": "cancel", "job_id": ${forged.id}, "queue": "default"}`);
  await askToCancel(queue, real.id);
  await notifyControl(queue, `{"action": "cancel", "job_id": ${real.id}, "queue": "default"}`);
  await seen('job_settled', ({ id }) => id === real.id);

  assert.equal(
    observations.some((one) => one.event === 'job_ended' && one.id === forged.id),
    false,
  );
  await worker.stop();
});

test('a job that fails, or goes back, after its cancellation was asked for is cancelled instead', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const { worker, seen } = queue.worker({
    listen: false,
    handlers: {
      work: {
        perform: async (job) => {
          await askToCancel(queue, job.id);
          throw new Error('no');
        },
      },
    },
  });

  await worker.start();
  await seen('job_settled');
  await worker.stop();

  const job = await queue.job(id);
  assert.equal(job.state, 'cancelled');
  assert.notEqual(job.finalized_at, null);
  assert.equal(job.attempt, 1);
  assert.equal(job.errors[0]?.error, 'no');
});

test('a job that succeeds after its cancellation was asked for is completed', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const { worker, seen } = queue.worker({
    listen: false,
    handlers: { work: { perform: async (job) => await askToCancel(queue, job.id) } },
  });

  await worker.start();
  await seen('job_settled');
  await worker.stop();

  assert.equal((await queue.job(id)).state, 'completed');
});

test('a job whose cancellation was asked for before it was claimed does not run', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert({ metadata: { cancel_attempted_at: '2026-01-02T03:04:05Z' } });
  let runs = 0;
  const { worker, seen } = queue.worker({
    handlers: {
      work: {
        perform: () => {
          runs += 1;
        },
      },
    },
  });

  await worker.start();
  await seen('job_settled');
  await worker.stop();

  assert.equal(runs, 0);
  assert.equal((await queue.job(id)).state, 'cancelled');
});

test('a paused queue is not worked until it is resumed, and other queues are', async () => {
  const queue = await database.schema();
  const { worker, seen } = queue.worker({
    queues: { default: { maxWorkers: 1 }, other: { maxWorkers: 1 } },
    handlers: { work: { perform: () => undefined } },
  });
  await queue.sql(`INSERT INTO S.river_queue (name, paused_at, updated_at) VALUES ('default', now(), now())`);
  await worker.start();
  await seen('queue_paused', (one) => one.queue === 'default');
  await seen('listener_connected');
  const held = await queue.insert();
  const passed = await queue.insert({ queue: 'other' });
  await seen('job_settled', ({ id }) => id === passed.id);

  const before = await queue.job(held.id);
  await queue.sql(`UPDATE S.river_queue SET paused_at = NULL WHERE name = 'default'`);
  await notifyControl(queue, `{"action": "resume", "queue": "*"}`);

  await seen('queue_resumed', (one) => one.queue === 'default');
  await seen('job_settled', ({ id }) => id === held.id);
  assert.equal(before.state, 'available');
  await worker.stop();
});

test('a pause that is only notified, and not in the table, pauses nothing', async () => {
  const queue = await database.schema();
  const { worker, seen, observations } = queue.worker({ handlers: { work: { perform: () => undefined } } });
  await worker.start();
  await seen('listener_connected');

  await notifyControl(queue, `{"action": "pause", "queue": "default"}`);
  const { id } = await queue.insert();

  await seen('job_settled', (one) => one.id === id);
  assert.equal(
    observations.some(({ event }) => event === 'queue_paused'),
    false,
  );
  await worker.stop();
});

test('starting registers the queues, and does not lift a pause', async () => {
  const queue = await database.schema();
  await queue.sql(`INSERT INTO S.river_queue (name, paused_at, updated_at) VALUES ('default', now(), 'epoch')`);
  const { worker } = queue.worker({ queues: { default: { maxWorkers: 1 }, other: { maxWorkers: 1 } } });

  await worker.start();
  await worker.stop();

  const rows = await queue.sql(
    `SELECT name, paused_at IS NOT NULL AS is_paused, updated_at > now() - interval '1 minute' AS is_fresh
     FROM S.river_queue ORDER BY name`,
  );
  assert.deepEqual(rows, [
    { name: 'default', is_paused: true, is_fresh: true },
    { name: 'other', is_paused: false, is_fresh: true },
  ]);
});

test('payloads of any spacing are read, and those that are something else mean nothing', () => {
  const payloads = ['{"action" : "pause", "queue" : "q"}', '{"action":"resume"}', '{"action":"cancel","job_id":42}'];
  const others = ['', 'no json', '[]', 'null', '"cancel"', '{"action":"later"}', '{"action":{}}', '{}'];

  assert.deepEqual(payloads.map(controlAction), ['pauses', 'pauses', 'cancellations']);
  assert.deepEqual(
    others.map(controlAction),
    others.map(() => 'nothing'),
  );
  assert.equal(insertedQueue('{"queue" : "a", "more": 1}'), 'a');
  assert.deepEqual(['', '[]', '{"queue":1}', 'null'].map(insertedQueue), [undefined, undefined, undefined, undefined]);
});
