import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { QueueDatabase } from '../queue-fixture.test.ts';
import { assertInserted, assertNotInserted, insertedJobs } from './inserted-jobs.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

test('a job is found by everything that it was inserted with, and by nothing else', async () => {
  const queue = await database.schema();
  const scheduledAt = new Date(Date.now() + 3_600_000);
  const args = { at: new Date(0), list: [1, { deep: null }] };
  const { id } = await queue.insert({
    args,
    queue: 'mail',
    priority: 3,
    maxAttempts: 7,
    scheduledAt,
    tags: ['one', 'two'],
    metadata: { tenant: { id: 5 }, other: 1 },
  });
  const whole = {
    schema: queue.name,
    kind: 'work',
    args,
    queue: 'mail',
    priority: 3,
    maxAttempts: 7,
    state: 'scheduled',
    scheduledAt,
    tags: ['one', 'two'],
    metadata: { tenant: { id: 5 } },
  } as const;
  const others = [
    { kind: 'other' },
    { args: { ...args, more: 1 } },
    { queue: 'default' },
    { priority: 1 },
    { maxAttempts: 8 },
    { state: 'available' },
    { scheduledAt: new Date() },
    { tags: ['two', 'one'] },
    { metadata: { tenant: {} } },
  ] as const;

  const found = await assertInserted(queue.pool, whole);

  assert.equal(found.id, id);
  assert.equal((await assertInserted(queue.pool, { schema: queue.name, kind: 'work', count: 1 })).id, id);
  await assert.rejects(assertNotInserted(queue.pool, whole), /Expected none of .*found:\n {2}\{"id":/);
  for (const over of others) {
    await assertNotInserted(queue.pool, { ...whole, ...over });
    await assert.rejects(assertInserted(queue.pool, { ...whole, ...over }), assert.AssertionError);
  }
});

test('a wrong number of jobs fails, and the message lists what is there', async () => {
  const queue = await database.schema();
  await queue.insert({ args: { n: 1 } });
  await queue.insert({ args: { n: 2 } });

  const two = assertInserted(queue.pool, { schema: queue.name, kind: 'work', args: { n: 1 }, count: 2 });
  const none = assertInserted(queue.pool, { schema: queue.name, kind: 'nothing' });

  await assert.rejects(two, /Expected 2 of .*found 1. There are:\n.*"n":1.*\n.*"n":2/);
  await assert.rejects(none, /Expected one or more of .*found 0. There are:\n {2}none/);
});

test('what is inserted in a transaction is seen by it and not by others', async () => {
  const queue = await database.schema();
  const client = await database.pool.connect();
  await client.query('BEGIN');
  await client.query(queue.inSchema(`INSERT INTO S.river_job (kind, args, max_attempts) VALUES ('work', '{}', 1)`));

  const inside = await insertedJobs(client, { schema: queue.name });
  const outside = await insertedJobs(queue.pool, { schema: queue.name });
  await client.query('ROLLBACK');
  client.release();

  assert.equal(inside.length, 1);
  assert.equal(outside.length, 0);
});
