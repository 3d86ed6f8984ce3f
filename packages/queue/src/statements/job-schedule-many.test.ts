import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import { jobScheduleMany } from './job-schedule-many.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

interface Given {
  readonly state: string;
  readonly due?: string;
  readonly key?: string;
  readonly mask?: string;
  readonly priority?: number;
}

async function given(
  queue: QueueSchema,
  { state, due = '-1 second', key, mask = '11010101', priority = 1 }: Given,
): Promise<string> {
  const [row] = await queue.sql(
    `INSERT INTO S.river_job (kind, args, max_attempts, state, scheduled_at, unique_key, unique_states, priority)
     VALUES ('work', '{}', 25, $1, now() + $2::interval, $3::text::bytea, CASE WHEN $3::text IS NOT NULL THEN $4::bit(8) END, $5)
     RETURNING id`,
    [state, due, key ?? null, mask, priority],
  );
  return row?.['id'];
}

test('retryable and scheduled jobs that are due within five seconds become available, at their own time', async () => {
  const queue = await database.schema();
  const due = [
    await given(queue, { state: 'retryable' }),
    await given(queue, { state: 'scheduled', due: '4 seconds' }),
  ];
  const later = await given(queue, { state: 'scheduled', due: '6 seconds' });
  const pending = await given(queue, { state: 'pending' });
  const before = (await queue.job(due[1] ?? '')).scheduled_at;

  const scheduled = await jobScheduleMany(queue.pool, queue.schema, 100);

  assert.deepEqual(scheduled, { promoted: 2, discarded: 0 });
  for (const id of due) assert.equal((await queue.job(id)).state, 'available');
  assert.equal((await queue.job(due[1] ?? '')).scheduled_at, before);
  assert.equal((await queue.job(later)).state, 'scheduled');
  assert.equal((await queue.job(pending)).state, 'pending');
});

test('a pass takes no more than its limit, the most urgent first', async () => {
  const queue = await database.schema();
  const last = await given(queue, { state: 'scheduled', priority: 3 });
  const first = await given(queue, { state: 'scheduled', priority: 1 });

  const scheduled = await jobScheduleMany(queue.pool, queue.schema, 1);

  assert.equal(scheduled.promoted, 1);
  assert.equal((await queue.job(first)).state, 'available');
  assert.equal((await queue.job(last)).state, 'scheduled');
});

test('a job whose unique key another one holds by now is discarded, and says why', async () => {
  const queue = await database.schema();
  const retryable = await given(queue, { state: 'retryable', key: 'a' });
  const holder = await given(queue, { state: 'running', key: 'a' });
  const free = await given(queue, { state: 'retryable', key: 'b' });

  const scheduled = await jobScheduleMany(queue.pool, queue.schema, 100);

  assert.deepEqual(scheduled, { promoted: 1, discarded: 1 });
  const job = await queue.job(retryable);
  assert.equal(job.state, 'discarded');
  assert.notEqual(job.finalized_at, null);
  assert.deepEqual(job.metadata, { unique_key_conflict: 'scheduler_discarded' });
  assert.equal((await queue.job(holder)).state, 'running');
  assert.equal((await queue.job(free)).state, 'available');
});

test('of several due jobs with one key exactly one is promoted: who holds the key, else who is first', async () => {
  const queue = await database.schema();
  const loser = await given(queue, { state: 'retryable', key: 'a', priority: 1 });
  const holder = await given(queue, { state: 'scheduled', key: 'a', priority: 4 });
  const [one, two] = [
    await given(queue, { state: 'retryable', key: 'b', due: '-2 seconds' }),
    await given(queue, { state: 'retryable', key: 'b' }),
  ];

  const scheduled = await jobScheduleMany(queue.pool, queue.schema, 100);

  assert.deepEqual(scheduled, { promoted: 2, discarded: 2 });
  assert.equal((await queue.job(holder)).state, 'available');
  assert.equal((await queue.job(loser)).state, 'discarded');
  assert.equal((await queue.job(one)).state, 'available');
  assert.equal((await queue.job(two)).state, 'discarded');
});

test('several schedulers at once, one of them in a long transaction, promote each job once', async () => {
  const queue = await database.schema();
  for (let number = 0; number < 30; number += 1) await given(queue, { state: 'scheduled' });
  const other = await database.pool.connect();
  await other.query('BEGIN');
  await other.query(queue.inSchema('SELECT FROM S.river_job ORDER BY id LIMIT 10 FOR UPDATE'));

  const passes = await Promise.all([1, 2, 3].map(async () => await jobScheduleMany(queue.pool, queue.schema, 100)));
  await other.query('COMMIT');
  other.release();
  passes.push(await jobScheduleMany(queue.pool, queue.schema, 100));

  assert.equal(
    passes.reduce((sum, { promoted }) => sum + promoted, 0),
    30,
  );
  assert.equal(passes.at(-1)?.promoted, 10);
});
