import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import { retrySecondsMax } from '../retry-policy.ts';
import { jobCompleteMany } from './job-complete-many.ts';
import { jobSettleMany, type Settlement } from './job-settle-many.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

async function running(queue: QueueSchema, attempt = 1, by = 'me'): Promise<string> {
  const { id } = await queue.insert();
  await queue.sql(
    `UPDATE S.river_job SET state = 'running', attempt = $2, attempted_by = ARRAY['before', $3] WHERE id = $1`,
    [id, attempt, by],
  );
  return id;
}

function settlement(id: string, over: Partial<Settlement> = {}): Settlement {
  const base = { attempt: 1, client_id: 'me', attempt_after: 1, delay_seconds: null, error: null, metadata: null };
  return { id, ...base, state: 'completed', ...over };
}

test('only the attempt that the client claimed last can be completed', async () => {
  const queue = await database.schema();
  const ours = await running(queue);
  const others = [await running(queue, 2), await running(queue, 1, 'somebody'), (await queue.insert()).id];
  const attempts = { ids: [ours, ...others], attempt: 1, client_id: 'me' };

  const completed = await jobCompleteMany(queue.pool, queue.schema, attempts);
  const again = await jobCompleteMany(queue.pool, queue.schema, attempts);

  assert.deepEqual(completed, [ours]);
  assert.deepEqual(again, []);
  assert.equal((await queue.job(ours)).state, 'completed');
  for (const id of others) assert.notEqual((await queue.job(id)).state, 'completed');
});

test('only the attempt that the client claimed last can be settled', async () => {
  const queue = await database.schema();
  const ours = await running(queue);
  const others = [await running(queue, 2), await running(queue, 1, 'somebody'), (await queue.insert()).id];
  const wanted = [ours, ...others].map((id) => settlement(id, { state: 'discarded' }));

  const settled = await jobSettleMany(queue.pool, queue.schema, wanted);

  assert.deepEqual(settled, [{ id: ours, state: 'discarded' }]);
});

test('a batch settles each of its jobs in its own way', async () => {
  const queue = await database.schema();
  const [retried, snoozed, finished] = [await running(queue), await running(queue), await running(queue)];

  await jobSettleMany(queue.pool, queue.schema, [
    settlement(retried, {
      state: 'retryable',
      delay_seconds: 81.5,
      error: '{"attempt": 1, "error": "a, \\"b\\" {c}"}',
    }),
    settlement(snoozed, { state: 'scheduled', delay_seconds: 60, attempt_after: 0, metadata: '{"snoozes": 1}' }),
    settlement(finished, { state: 'completed', metadata: '{"output": [1]}' }),
  ]);

  const [first, second, third] = [await queue.job(retried), await queue.job(snoozed), await queue.job(finished)];
  assert.equal(first.state, 'retryable');
  assert.equal(first.errors[0]?.error, 'a, "b" {c}');
  assert.ok(first.due_in > 60 && first.due_in <= 81.5);
  assert.equal(second.state, 'scheduled');
  assert.equal(second.attempt, 0);
  assert.deepEqual(second.metadata, { snoozes: 1 });
  assert.equal(third.state, 'completed');
  assert.notEqual(third.finalized_at, null);
  assert.deepEqual(third.metadata, { output: [1] });
});

test('a job whose cancellation was asked for is cancelled instead of tried again, and keeps its attempt and time', async () => {
  const queue = await database.schema();
  const ids = [await running(queue), await running(queue), await running(queue)];
  await queue.sql(`UPDATE S.river_job SET metadata = '{"cancel_attempted_at": "x"}'`);
  const before = (await queue.job(ids[0] ?? '')).scheduled_at;
  const states = ['available', 'retryable', 'scheduled'] as const;

  const settled = await jobSettleMany(
    queue.pool,
    queue.schema,
    ids.map((id, index) =>
      settlement(id, { state: states[index] ?? 'available', attempt_after: 0, delay_seconds: 100, error: '{}' }),
    ),
  );

  assert.deepEqual(
    settled.map(({ state }) => state),
    ['cancelled', 'cancelled', 'cancelled'],
  );
  const job = await queue.job(ids[0] ?? '');
  assert.equal(job.attempt, 1);
  assert.equal(job.scheduled_at, before);
  assert.equal(job.errors.length, 1);
  assert.notEqual(job.finalized_at, null);
});

test('a wait of 292 years is a time that PostgreSQL can hold', async () => {
  const queue = await database.schema();
  const id = await running(queue);

  await jobSettleMany(queue.pool, queue.schema, [
    settlement(id, { state: 'retryable', delay_seconds: retrySecondsMax, error: '{}' }),
  ]);

  assert.ok((await queue.job(id)).due_in > 9_223_372_000);
});
