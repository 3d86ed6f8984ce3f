import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { JobState } from '../job.ts';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import type { JobHandler } from '../worker/job-handler.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

const everyState: readonly JobState[] = [
  'available',
  'cancelled',
  'completed',
  'discarded',
  'pending',
  'retryable',
  'running',
  'scheduled',
];
const finalStates: readonly JobState[] = ['cancelled', 'completed', 'discarded'];

/** A job in each state, by state. */
async function jobsInEveryState(queue: QueueSchema): Promise<Readonly<Record<JobState, string>>> {
  const ids: Partial<Record<JobState, string>> = {};
  for (const state of everyState) {
    const { id } = await queue.insert({ metadata: { of: state } });
    await queue.sql(
      `UPDATE S.river_job SET state = $2::text::S.river_job_state, scheduled_at = now() - interval '1 hour', attempt = 2,
         finalized_at = CASE WHEN $2::text IN ('cancelled', 'completed', 'discarded') THEN now() - interval '1 minute' END
       WHERE id = $1`,
      [id, state],
    );
    ids[state] = id;
  }
  return ids as Record<JobState, string>;
}

/** Runs until it is aborted, and fails then. */
const untilAborted: JobHandler = {
  perform: async (_job, { signal }) =>
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
};

test('what waits is cancelled at once, what runs is asked to, and what has ended stays as it is', async () => {
  const queue = await database.schema();
  const ids = await jobsInEveryState(queue);
  const before = await queue.client.get(ids.completed);
  const control = await queue.listen('river_control');

  const after: Partial<Record<JobState, string>> = {};
  for (const state of everyState) after[state] = (await queue.client.cancel(ids[state])).state;

  const expected = Object.fromEntries(
    everyState.map((state) => [state, finalStates.includes(state) || state === 'running' ? state : 'cancelled']),
  );
  assert.deepEqual(after, expected);
  assert.deepEqual(await queue.client.get(ids.completed), before);
  const running = await queue.client.get(ids.running);
  assert.match(String(running.metadata['cancel_attempted_at']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  assert.deepEqual([running.metadata['of'], running.finalized_at], ['running', null]);
  assert.notEqual((await queue.client.get(ids.scheduled)).finalized_at, null);
  const told = (await control.told()).map((payload) => JSON.parse(payload));
  assert.deepEqual(
    told,
    everyState
      .filter((state) => !finalStates.includes(state))
      .map((state) => ({ action: 'cancel', job_id: Number(ids[state]), queue: 'default' })),
  );
  await control.end();
});

test('a running job that is cancelled is aborted at once and ends as cancelled', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const { worker, seen } = queue.worker({ handlers: { work: untilAborted } });
  await worker.start();
  await seen('listener_connected');
  await seen('job_started');

  const { state } = await queue.client.cancel(id);
  await seen('job_settled', (one) => one.state === 'cancelled');
  await worker.stop();

  assert.equal(state, 'running');
  const { errors } = await queue.client.get(id);
  assert.deepEqual(
    errors.map(({ error }) => error),
    ['JobCancelError: job cancelled remotely'],
  );
});

test('whatever does not run is made available by a retry, and a sleeping worker is told', async () => {
  const queue = await database.schema();
  const ids = await jobsInEveryState(queue);
  const untouched = await queue.client.get(ids.available);
  const inserts = await queue.listen();

  const after: Partial<Record<JobState, string>> = {};
  for (const state of everyState) after[state] = (await queue.client.retry(ids[state])).state;

  const expected = Object.fromEntries(everyState.map((state) => [state, state === 'running' ? state : 'available']));
  assert.deepEqual(after, expected);
  assert.deepEqual(await queue.client.get(ids.available), untouched, 'it could have been claimed before');
  const retried = await queue.client.get(ids.discarded);
  assert.deepEqual([retried.finalized_at, retried.max_attempts, retried.attempt], [null, 25, 2]);
  assert.ok(retried.scheduled_at > untouched.scheduled_at);
  assert.equal((await inserts.told()).length, 6);
  await inserts.end();
});

test('a job without attempts gets one more, up to what its column holds', async () => {
  const queue = await database.schema();
  const attempts: readonly (readonly [number, number, number])[] = [
    [3, 3, 4],
    [2, 3, 3],
    [5, 3, 6],
    [32_767, 32_767, 32_767],
  ];

  for (const [attempt, most, expected] of attempts) {
    const { id } = await queue.insert({ maxAttempts: most });
    await queue.sql(`UPDATE S.river_job SET state = 'discarded', finalized_at = now(), attempt = $2 WHERE id = $1`, [
      id,
      attempt,
    ]);

    assert.equal((await queue.client.retry(id)).max_attempts, expected, `${attempt} of ${most}`);
  }
});

test('a cancelled job that is retried runs to its end', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert({ scheduledAt: '2999-01-01T00:00:00Z' });
  await queue.client.cancel(id);
  const { worker, seen } = queue.worker({ handlers: { work: { perform: () => undefined } } });
  await worker.start();

  await queue.client.retry(id);
  const { state } = await seen('job_settled');
  await worker.stop();

  assert.equal(state, 'completed');
});

test('a retry whose unique key another job holds by now is refused in words', async () => {
  const queue = await database.schema();
  const job = { kind: 'work', args: {}, unique: { byArgs: true } };
  const { job: first } = await queue.client.insert(job);
  await queue.client.cancel(first.id);
  await queue.client.insert(job);

  await assert.rejects(queue.client.retry(first.id), { reason: 'unique_conflict' });

  assert.equal((await queue.client.get(first.id)).state, 'cancelled');
});

test('whatever does not run can be deleted, once', async () => {
  const queue = await database.schema();
  const ids = await jobsInEveryState(queue);

  for (const state of everyState) {
    if (state === 'running') {
      await assert.rejects(queue.client.delete(ids[state]), { reason: 'job_running' });
    } else {
      assert.equal((await queue.client.delete(ids[state])).state, state);
      await assert.rejects(queue.client.delete(ids[state]), { reason: 'not_found' });
    }
  }

  assert.deepEqual(
    (await queue.client.list()).jobs.map(({ id }) => id),
    [ids.running],
  );
});

test('many are deleted by a filter, up to a limit, and neither running nor locked ones', async () => {
  const queue = await database.schema();
  const ids = await jobsInEveryState(queue);
  const locker = await queue.pool.connect();
  await locker.query('BEGIN');
  await locker.query(queue.inSchema('SELECT FROM S.river_job WHERE id = $1 FOR UPDATE'), [ids.pending]);

  const two = await queue.client.deleteMany({ kinds: ['work'], limit: 2, order: 'desc' });
  const none = await queue.client.deleteMany({ kinds: [] });
  await assert.rejects(queue.client.deleteMany({}), { reason: 'invalid_option' });
  await assert.rejects(queue.client.deleteMany({ limit: 5 }), { reason: 'invalid_option' });
  const rest = await queue.client.deleteMany({ all: true });
  await locker.query('ROLLBACK');
  locker.release();

  assert.deepEqual(
    two.map(({ state }) => state),
    ['scheduled', 'retryable'],
  );
  assert.deepEqual(none, []);
  assert.deepEqual(
    rest.map(({ state }) => state),
    ['available', 'cancelled', 'completed', 'discarded'],
  );
  const left = (await queue.client.list()).jobs.map(({ state }) => state);
  assert.deepEqual(left, ['pending', 'running']);
});

test('an update merges output and keys, in any state, and changes nothing else', async () => {
  const queue = await database.schema();
  const ids = await jobsInEveryState(queue);
  const before = await queue.client.get(ids.completed);

  const updated = await queue.client.update(ids.completed, {
    output: { rows: 3, text: 'a\u0000b' },
    metadata: { more: null, of: 'x', output: 'less' },
  });
  const same = await queue.client.update(ids.completed, {});

  assert.deepEqual(updated, {
    ...before,
    metadata: { of: 'x', more: null, output: { rows: 3, text: 'a\ufffdb' } },
  });
  assert.deepEqual(same, updated);
  await assert.rejects(queue.client.update(ids.completed, { metadata: [] as never }), { reason: 'invalid_option' });
});

test('ids beyond what a number holds go in and out as they are', async () => {
  const queue = await database.schema();
  const id = '9007199254740993';
  await queue.sql(`SELECT setval('S.river_job_id_seq', $1, false)`, [id]);
  const control = await queue.listen('river_control');

  const { job } = await queue.client.insert({ kind: 'work', args: {}, unique: { byArgs: true } });
  const { job: next } = await queue.client.insert({ kind: 'other', args: {} });
  const cancelled = await queue.client.cancel(id);
  const page = await queue.client.list({ ids: [id, next.id], limit: 1 });
  const rest = await queue.client.list({ after: page.cursor ?? '' });

  assert.deepEqual([job.id, next.id, cancelled.id, page.jobs[0]?.id], [id, '9007199254740994', id, id]);
  assert.deepEqual(
    rest.jobs.map((one) => one.id),
    [next.id],
  );
  assert.match((await control.told()).join(), /"job_id" : 9007199254740993,/);
  await control.end();
});

test('a job that is not there is not found, and what is no id is refused', async () => {
  const queue = await database.schema();
  const { client } = queue;
  const operations = [
    async (id: string) => await client.get(id),
    async (id: string) => await client.cancel(id),
    async (id: string) => await client.retry(id),
    async (id: string) => await client.delete(id),
    async (id: string) => await client.update(id, {}),
  ];

  for (const operation of operations) {
    await assert.rejects(operation('4711'), { name: 'QueueError', reason: 'not_found' });
    for (const bad of ['', '-1', '1e3', 'x', '9223372036854775808']) {
      await assert.rejects(operation(bad), { reason: 'invalid_option' }, bad);
    }
  }
});

test('what is changed in a transaction counts, and is told, only when that commits', async () => {
  const queue = await database.schema();
  const ids = await jobsInEveryState(queue);
  const control = await queue.listen('river_control');
  const tx = await queue.pool.connect();
  const { client } = queue;

  await tx.query('BEGIN');
  const inside = [
    (await client.cancelTx(tx, ids.available)).state,
    (await client.retryTx(tx, ids.completed)).state,
    (await client.updateTx(tx, ids.pending, { metadata: { a: 1 } })).metadata['a'],
    (await client.deleteTx(tx, ids.scheduled)).state,
    (await client.deleteManyTx(tx, { states: ['discarded'] })).length,
    (await client.getTx(tx, ids.available)).state,
    (await client.listTx(tx)).jobs.length,
  ];
  await client.cancelTx(tx, ids.retryable);
  const before = await control.told();
  await tx.query('ROLLBACK');
  tx.release();

  assert.deepEqual(inside, ['cancelled', 'available', 1, 'scheduled', 1, 'cancelled', 6]);
  assert.deepEqual([before, await control.told()], [[], []]);
  const states = (await client.list()).jobs.map(({ state }) => state);
  assert.deepEqual(states, everyState);
  await control.end();
});

test('a cancellation waits for a claim that is under way, and then asks whoever claimed', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const claimer = await queue.pool.connect();
  await claimer.query('BEGIN');
  await claimer.query(queue.inSchema(`UPDATE S.river_job SET state = 'running', attempt = 1 WHERE id = $1`), [id]);

  const cancelling = queue.client.cancel(id);
  await queue.waitingForLock();
  await claimer.query('COMMIT');
  const job = await cancelling;
  claimer.release();

  assert.deepEqual([job.state, job.attempt, 'cancel_attempted_at' in job.metadata], ['running', 1, true]);
});
