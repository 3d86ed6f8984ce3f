import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { JobCancel, JobSnooze } from '../job-verdicts.ts';
import { QueueDatabase } from '../queue-fixture.test.ts';
import { Latch } from './latch.ts';
import { type SubscribeOptions, Subscription, type WorkerEvent } from './subscription.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

async function all(subscription: Subscription): Promise<WorkerEvent[]> {
  const events: WorkerEvent[] = [];
  for await (const event of subscription) events.push(event);
  return events;
}

const byKind: Readonly<Record<string, () => unknown>> = {
  succeeds: () => 'done',
  fails: () => Promise.reject(new Error('no')),
  cancels: () => Promise.reject(new JobCancel('no')),
  snoozes: () => Promise.reject(new JobSnooze(60_000)),
};

test('subscribers are told what was recorded, with the job as it then was, until the worker has stopped', async () => {
  const queue = await database.schema();
  const kinds = Object.keys(byKind);
  const handlers = Object.fromEntries(kinds.map((kind) => [kind, { perform: byKind[kind] ?? (() => undefined) }]));
  const hangs = { perform: async () => await new Latch().opened };
  const { worker, seen } = queue.worker({
    stopTimeoutMs: 0,
    abortTimeoutMs: 0,
    handlers: {
      ...handlers,
      hangs,
      fails: { ...handlers['fails'], perform: byKind['fails'] ?? hangs.perform, nextRetry: () => 60_000 },
      records: { perform: (_job, { recordOutput }) => recordOutput('kept') },
    },
  });
  const everything = all(worker.subscribe());
  const some = all(worker.subscribe({ kinds: ['fails', 'records'], states: ['completed', 'cancelled'] }));
  const cancelled = all(worker.subscribe({ events: ['job_cancelled'] }));
  await worker.start();

  for (const kind of [...kinds, 'records']) {
    const { id } = await queue.insert({ kind });
    await seen('job_settled', (one) => one.id === id);
  }
  const hanging = await queue.insert({ kind: 'hangs' });
  await seen('job_started', ({ id }) => id === hanging.id);
  await worker.stop();

  const told = (await everything).flatMap((one) => ('job' in one ? [{ ...one.job, event: one.event }] : []));
  assert.deepEqual(
    told.map(({ event, kind, state, attempt, error_count }) => [event, kind, state, attempt, error_count]),
    [
      ['job_completed', 'succeeds', 'completed', 1, 0],
      ['job_failed', 'fails', 'retryable', 1, 1],
      ['job_cancelled', 'cancels', 'cancelled', 1, 1],
      ['job_snoozed', 'snoozes', 'scheduled', 0, 0],
      ['job_completed', 'records', 'completed', 1, 0],
      ['job_interrupted', 'hangs', 'available', 0, 0],
    ],
  );
  assert.deepEqual(told[4]?.metadata, { output: 'kept' });
  assert.deepEqual(
    (await some).map((one) => ('job' in one ? one.job.kind : '')),
    ['records'],
  );
  assert.deepEqual(
    (await cancelled).map(({ event }) => event),
    ['job_cancelled'],
  );
});

test('a failure that was recorded as a cancellation is told as one', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const { worker, seen } = queue.worker({
    listen: false,
    handlers: {
      work: {
        perform: async (job) => {
          await queue.sql(`UPDATE S.river_job SET metadata = '{"cancel_attempted_at": "now"}' WHERE id = $1`, [job.id]);
          throw new Error('no');
        },
      },
    },
  });
  const events = all(worker.subscribe());

  await worker.start();
  await seen('job_settled', (one) => one.id === id);
  await worker.stop();

  assert.deepEqual(
    (await events).map(({ event }) => event),
    ['job_cancelled'],
  );
});

test('a job that was completed in its own transaction is told as completed', async () => {
  const queue = await database.schema();
  await queue.insert();
  const { worker, seen } = queue.worker({
    handlers: {
      work: {
        perform: async (_job, { completeTx, log }) => {
          log('in the transaction');
          const client = await database.pool.connect();
          await completeTx(client);
          client.release();
        },
      },
    },
  });
  const events = all(worker.subscribe({ events: ['job_completed'] }));

  await worker.start();
  await seen('job_settled');
  await worker.stop();

  const [event] = await events;
  assert.ok(event !== undefined && 'job' in event);
  assert.equal(event.job.state, 'completed');
  assert.ok('river:log' in event.job.metadata);
});

test('pauses and resumptions of queues are told', async () => {
  const queue = await database.schema();
  const { worker, seen } = queue.worker();
  const events = all(worker.subscribe({ events: ['queue_paused', 'queue_resumed'] }));
  await worker.start();
  await seen('listener_connected');

  for (const [action, event] of [
    ['pause', 'queue_paused'],
    ['resume', 'queue_resumed'],
  ] as const) {
    const at = action === 'pause' ? 'now()' : 'NULL';
    await queue.sql(`UPDATE S.river_queue SET paused_at = ${at}`);
    await queue.sql('SELECT pg_notify($1, $2)', [
      `${queue.name}.river_control`,
      `{"action": "${action}", "queue": "*"}`,
    ]);
    await seen(event);
  }
  await worker.stop();

  assert.deepEqual(await events, [
    { event: 'queue_paused', queue: 'default' },
    { event: 'queue_resumed', queue: 'default' },
  ]);
});

test('leaving the loop ends a subscription, and one that begins after the stop is over at once', async () => {
  const queue = await database.schema();
  const { worker } = queue.worker({ handlers: { work: { perform: () => undefined } } });
  await worker.start();
  const subscription = worker.subscribe();
  await queue.insert();
  let left: WorkerEvent | undefined;

  for await (const event of subscription) {
    left = event;
    break;
  }
  await worker.stop();

  assert.equal(left?.event, 'job_completed');
  assert.deepEqual(await subscription.next(), { done: true, value: undefined });
  assert.deepEqual(await all(worker.subscribe()), []);
});

test('of events that nobody reads a thousand are kept, the others counted, and readers are served in order', async () => {
  const options: SubscribeOptions = {};
  let closed = 0;
  const subscription = new Subscription(options, () => {
    closed += 1;
  });
  const queue = (n: number): WorkerEvent => ({ event: 'queue_paused', queue: `q${n}` });
  const first = subscription.next();

  for (let n = 0; n <= 1005; n += 1) subscription.tell(queue(n));
  const rest = [await subscription.next(), await subscription.next()];
  subscription.tell(queue(2000));
  await subscription.return();

  assert.deepEqual(
    [await first, ...rest].map(({ value }) => value),
    [queue(0), queue(1), queue(2)],
  );
  assert.equal(subscription.dropped, 5);
  assert.deepEqual(await subscription.next(), { done: true, value: undefined });
  assert.equal(closed, 1);
});
