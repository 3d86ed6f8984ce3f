import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@rowlock/test-harness';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

async function withQueues(...names: readonly string[]): Promise<QueueSchema> {
  const queue = await database.schema();
  for (const name of names) {
    await queue.sql(
      `INSERT INTO S.river_queue (name, created_at, updated_at)
       VALUES ($1, '2026-01-02T03:04:05.000001Z', '2026-01-02T03:04:05.000001Z')`,
      [name],
    );
  }
  return queue;
}

test('a queue is paused and resumed, once each, and everybody is told', async () => {
  const queue = await withQueues('a', 'b');
  const control = await queue.listen('river_control');

  await queue.client.queuePause('a');
  const paused = await queue.client.queueGet('a');
  await queue.client.queuePause('a');
  const still = await queue.client.queueGet('a');
  await queue.client.queueResume('a');
  const resumed = await queue.client.queueGet('a');
  await queue.client.queueResume('a');

  assert.match(paused.paused_at ?? '', /^\d{4}-.*Z$/);
  assert.equal(paused.created_at, '2026-01-02T03:04:05.000001Z');
  assert.equal(paused.updated_at, paused.paused_at);
  assert.deepEqual(still, paused);
  assert.equal(resumed.paused_at, null);
  assert.ok(resumed.updated_at > paused.updated_at);
  assert.deepEqual(await queue.client.queueGet('a'), resumed);
  assert.equal((await queue.client.queueGet('b')).updated_at, '2026-01-02T03:04:05.000001Z');
  assert.deepEqual(
    (await control.told()).map((payload) => JSON.parse(payload)),
    ['pause', 'pause', 'resume', 'resume'].map((action) => ({ action, queue: 'a' })),
  );
  await control.end();
});

test('a star pauses and resumes every queue, and is no mistake where there is none', async () => {
  const queue = await withQueues('a', 'b');
  const empty = await database.schema();
  const control = await queue.listen('river_control');
  const paused = async (): Promise<readonly boolean[]> =>
    (await queue.client.queueList()).map(({ paused_at }) => paused_at !== null);

  await queue.client.queuePause('*');
  const all = await paused();
  await queue.client.queueResume('*');
  const none = await paused();
  await empty.client.queuePause('*');

  assert.deepEqual(
    [all, none],
    [
      [true, true],
      [false, false],
    ],
  );
  assert.deepEqual(
    (await control.told()).map((payload) => JSON.parse(payload)),
    ['pause', 'resume'].map((action) => ({ action, queue: '*' })),
  );
  await control.end();
});

test('a worker heeds a pause and a resumption', async () => {
  const queue = await database.schema();
  const { worker, seen, observations } = queue.worker({ handlers: { work: { perform: () => undefined } } });
  await worker.start();
  await seen('listener_connected');

  await queue.client.queuePause('default');
  await seen('queue_paused');
  const { id } = await queue.insert();
  await queue.client.queueResume('default');
  await seen('job_settled', (one) => one.id === id);
  await worker.stop();

  const order = observations.map(({ event }) => event).filter((event) => /queue_|job_started/.test(event));
  assert.deepEqual(order, ['queue_paused', 'queue_resumed', 'job_started']);
});

test('the metadata of a queue are replaced, and everybody is told what they are', async () => {
  const queue = await withQueues('a');
  const control = await queue.listen('river_control');

  const updated = await queue.client.queueUpdate('a', { limit: 3, nested: { b: [1] } });

  assert.deepEqual(updated, await queue.client.queueGet('a'));
  assert.deepEqual(updated.metadata, { limit: 3, nested: { b: [1] } });
  assert.deepEqual(
    (await control.told()).map((payload) => JSON.parse(payload)),
    [{ action: 'metadata_changed', queue: 'a', metadata: updated.metadata }],
  );
  await control.end();
});

test('metadata that a notification does not hold, and what is no object, are refused', async () => {
  const queue = await withQueues('a');

  await queue.client.queueUpdate('a', { text: 'x'.repeat(7400) });
  const before = await queue.client.queueGet('a');
  for (const metadata of [{ text: 'x'.repeat(7500) }, { text: 'é'.repeat(3750) }, [] as never, null as never]) {
    await assert.rejects(queue.client.queueUpdate('a', metadata), { reason: 'invalid_option' });
  }

  assert.deepEqual(await queue.client.queueGet('a'), before);
});

test('a queue that is not there is not found', async () => {
  const queue = await withQueues('a');
  const { client } = queue;

  await assert.rejects(client.queueGet('b'), { reason: 'not_found' });
  await assert.rejects(client.queuePause('b'), { reason: 'not_found' });
  await assert.rejects(client.queueResume('b'), { reason: 'not_found' });
  await assert.rejects(client.queueUpdate('b', {}), { reason: 'not_found' });
  await assert.rejects(client.queuePause(''), { reason: 'not_found' });
  await assert.rejects(client.queueList({ limit: 0 }), { reason: 'invalid_option' });
  assert.deepEqual(
    (await client.queueList({ limit: 1 })).map(({ name }) => name),
    ['a'],
  );
});

test('queues are changed in a transaction if and only if that commits', async () => {
  const queue = await withQueues('a');
  const control = await queue.listen('river_control');
  const tx = await queue.pool.connect();
  const { client } = queue;

  await tx.query('BEGIN');
  await client.queuePauseTx(tx, 'a');
  await client.queueUpdateTx(tx, 'a', { b: 1 });
  const inside = await client.queueGetTx(tx, 'a');
  await tx.query('ROLLBACK');
  await tx.query('BEGIN');
  await client.queuePauseTx(tx, '*');
  await client.queueResumeTx(tx, 'a');
  const listed = await client.queueListTx(tx);
  await tx.query('COMMIT');
  tx.release();

  assert.deepEqual([inside.paused_at === null, inside.metadata], [false, { b: 1 }]);
  assert.deepEqual(
    listed.map(({ paused_at }) => paused_at),
    [null],
  );
  const after = await client.queueGet('a');
  assert.deepEqual([after.paused_at, after.metadata], [null, {}]);
  let told: string[] = [];
  await until(async () => {
    told = [...told, ...(await control.told())];
    return told.length === 2;
  });
  await control.end();
});
