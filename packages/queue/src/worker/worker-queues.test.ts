import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@rowlock/test-harness';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import { queueLook } from '../statements/queue-look.ts';
import { Latch } from './latch.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

const nothing = { perform: (): undefined => undefined };

async function leased(queue: QueueSchema): Promise<unknown> {
  return (await queue.sql('SELECT queues, waiting_queues FROM S.rowlock_worker_lease'))[0];
}

test('a queue that is added is served from then on, and sleeps until told like the others', async () => {
  const queue = await database.schema();
  const { worker, seen } = queue.worker({ handlers: { work: nothing }, fetchPollIntervalMs: 60_000 });
  await worker.start();
  const before = await queue.insert({ queue: 'late' });

  await worker.addQueue('late', { maxWorkers: 2 });
  await seen('job_settled', ({ id }) => id === before.id);
  await until(async () => JSON.stringify(await leased(queue)).includes('"waiting_queues":["default","late"]'), {
    what: 'both are slept for',
  });
  const later = await queue.insert({ queue: 'late' });

  await seen('job_settled', ({ id }) => id === later.id);
  await worker.stop();
  assert.deepEqual(await queue.sql('SELECT name FROM S.river_queue ORDER BY name'), [
    { name: 'default' },
    { name: 'late' },
  ]);
});

test('a queue that is added before the start is served from the start, and a paused one when it is resumed', async () => {
  const queue = await database.schema();
  const { worker, seen, observations } = queue.worker({ handlers: { work: nothing } });
  await queue.sql(`INSERT INTO S.river_queue (name, paused_at, updated_at) VALUES ('still', now(), now())`);
  await worker.addQueue('early', { maxWorkers: 1 });
  await worker.start();
  await seen('listener_connected');
  await worker.addQueue('still', { maxWorkers: 1 });

  const [early, still] = [await queue.insert({ queue: 'early' }), await queue.insert({ queue: 'still' })];
  await seen('job_settled', ({ id }) => id === early.id);
  const isStarted = observations.some((one) => one.event === 'job_started' && one.id === still.id);
  await queue.sql(`UPDATE S.river_queue SET paused_at = NULL`);
  await queue.sql('SELECT pg_notify($1, $2)', [
    `${queue.name}.river_control`,
    '{"action": "resume", "queue": "still"}',
  ]);
  await seen('job_settled', ({ id }) => id === still.id);
  await worker.stop();

  assert.equal(isStarted, false);
});

test('removing a queue waits for its jobs, and nothing is claimed from it any more', async () => {
  const queue = await database.schema();
  const mayEnd = new Latch();
  const { worker, seen, observations } = queue.worker({
    queues: { default: { maxWorkers: 1 }, other: { maxWorkers: 2 } },
    handlers: { work: { perform: async ({ queue: name }) => (name === 'other' ? await mayEnd.opened : undefined) } },
  });
  await worker.start();
  const running = await queue.insert({ queue: 'other' });
  await seen('job_started', ({ id }) => id === running.id);

  let isRemoved = false;
  const removed = worker.removeQueue('other').then(() => {
    isRemoved = true;
  });
  await until(async () => !JSON.stringify(await leased(queue)).includes('other'), { what: 'the lease has it no more' });
  const left = await queue.insert({ queue: 'other' });
  const others = await queue.insert();
  await seen('job_settled', ({ id }) => id === others.id);
  const isRemovedWhileRunning = isRemoved;
  mayEnd.open();
  await removed;
  await seen('job_settled', ({ id }) => id === running.id);
  await worker.stop();

  assert.equal(isRemovedWhileRunning, false);
  assert.equal((await queue.job(left.id)).state, 'available');
  assert.equal(
    observations.some((one) => one.event === 'job_started' && one.id === left.id),
    false,
  );
});

test('a queue can be added again after it was removed', async () => {
  const queue = await database.schema();
  const { worker, seen } = queue.worker({ handlers: { work: nothing } });
  await worker.start();

  await worker.removeQueue('default');
  await worker.addQueue('default', { maxWorkers: 1 });
  const { id } = await queue.insert();

  await seen('job_settled', (one) => one.id === id);
  await worker.stop();
});

test('slots can be added and taken away while jobs run', async () => {
  const queue = await database.schema();
  const ends = new Map<string, Latch>();
  const { worker, seen, observations } = queue.worker({
    queues: { default: { maxWorkers: 1 } },
    handlers: {
      work: {
        perform: async ({ id }) => {
          const end = new Latch();
          ends.set(id, end);
          await end.opened;
        },
      },
    },
  });
  const ids: string[] = [];
  for (let n = 0; n < 5; n += 1) ids.push((await queue.insert()).id);
  const startedIds = (): unknown[] => observations.flatMap((one) => (one.event === 'job_started' ? [one.id] : []));
  await worker.start();
  await seen('job_started', ({ id }) => id === ids[0]);

  worker.setMaxWorkers('default', 3);
  for (const id of ids.slice(1, 3)) await seen('job_started', (one) => one.id === id);
  worker.setMaxWorkers('default', 1);
  for (const id of ids.slice(0, 2)) {
    ends.get(id)?.open();
    await seen('job_settled', (one) => one.id === id);
  }
  const whileOneRuns = startedIds().length;
  ends.get(ids[2] ?? '')?.open();
  await seen('job_started', ({ id }) => id === ids[3]);
  const stopped = worker.stop();
  ends.get(ids[3] ?? '')?.open();
  await stopped;

  assert.equal(whileOneRuns, 3);
  assert.deepEqual(startedIds(), ids.slice(0, 4));
});

test('queues that are served already, are not served, or cannot be, are refused', async () => {
  const queue = await database.schema();
  const { worker } = queue.worker();
  await worker.start();

  await assert.rejects(worker.addQueue('default', { maxWorkers: 1 }), { reason: 'invalid_option' });
  await assert.rejects(worker.addQueue('other', { maxWorkers: 0 }), { reason: 'invalid_option' });
  await assert.rejects(worker.addQueue('No Name', { maxWorkers: 1 }), { reason: 'invalid_job' });
  await assert.rejects(worker.removeQueue('other'), { reason: 'invalid_option' });
  assert.throws(() => worker.setMaxWorkers('other', 1), { reason: 'invalid_option' });
  assert.throws(() => worker.setMaxWorkers('default', 1.5), { reason: 'invalid_option' });

  await worker.stop();
  await assert.rejects(worker.addQueue('late', { maxWorkers: 1 }), { reason: 'worker_stopping' });
});

test('a queue that could not be added can be added later', async () => {
  const queue = await database.schema();
  const { worker } = queue.worker();
  await worker.start();
  await queue.sql('ALTER TABLE S.river_queue RENAME TO river_queue_away');

  await assert.rejects(worker.addQueue('other', { maxWorkers: 1 }));
  await queue.sql('ALTER TABLE S.river_queue_away RENAME TO river_queue');

  await worker.addQueue('other', { maxWorkers: 1 });
  await worker.stop();
});

test('a worker that fetches only kinds it knows leaves the others to others, and does not wait for them', async () => {
  const queue = await database.schema();
  const unknown = await queue.insert({ kind: 'unknown' });
  const known = await queue.insert({ priority: 4 });
  const { worker, seen } = queue.worker({ fetchOnlyKnownKinds: true, handlers: { work: nothing } });

  await worker.start();
  await seen('job_settled', ({ id }) => id === known.id);
  await until(async () => JSON.stringify(await leased(queue)).includes('"waiting_queues":["default"]'), {
    what: 'it sleeps until told',
  });
  const later = await queue.insert();
  await seen('job_settled', ({ id }) => id === later.id);
  await worker.stop();
  const look = await queueLook(queue.pool, queue.schema, { queue: 'default', kinds: ['work'] });

  const { state, attempt } = await queue.job(unknown.id);
  assert.deepEqual([state, attempt], ['available', 0]);
  assert.equal(look.due_ms, null);
});
