import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import type { Observation } from '../worker/observation.ts';
import { BatchSize } from './batch-size.ts';
import { cleanJobs, type Retention } from './job-cleaner.ts';
import { dutyContext } from './leader-fixture.test.ts';
import { maintenanceTerms } from './maintenance-options.ts';
import { cleanQueues } from './queue-cleaner.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

const { retention } = maintenanceTerms({}, undefined);
const dayMs = 24 * 3_600_000;

async function finished(queue: QueueSchema, state: string, age: string, name = 'default'): Promise<void> {
  await queue.sql(
    `INSERT INTO S.river_job (kind, args, max_attempts, state, finalized_at, queue)
     VALUES ('work', '{}', 25, $1, now() - $2::interval, $3)`,
    [state, age, name],
  );
}

const kept = async (queue: QueueSchema): Promise<string[]> =>
  (
    await queue.sql(
      `SELECT queue || ' ' || state || ' ' || round(extract(epoch FROM now() - coalesce(finalized_at, now())) / 3600) AS is
       FROM S.river_job ORDER BY id`,
    )
  ).map((row) => row['is']);

async function given(queue: QueueSchema): Promise<void> {
  for (const state of ['completed', 'cancelled', 'discarded']) {
    for (const hours of [23, 25, 24 * 7 - 1, 24 * 7 + 1]) await finished(queue, state, `${hours} hours`);
  }
}

test('finished jobs are kept for a day, discarded ones for a week, and unfinished ones for ever', async () => {
  const queue = await database.schema();
  const observations: Observation[] = [];
  await given(queue);
  await queue.sql(
    `INSERT INTO S.river_job (kind, args, max_attempts, state, created_at, scheduled_at)
     SELECT 'work', '{}', 25, state::S.river_job_state, now() - interval '1 year', now() - interval '1 year'
     FROM unnest('{available,pending,retryable,running,scheduled}'::text[]) AS state`,
  );

  await cleanJobs(dutyContext(queue, { observe: (one) => observations.push(one) }), retention, new BatchSize());

  assert.deepEqual(await kept(queue), [
    'default completed 23',
    'default cancelled 23',
    'default discarded 23',
    'default discarded 25',
    'default discarded 167',
    ...['available', 'pending', 'retryable', 'running', 'scheduled'].map((state) => `default ${state} 0`),
  ]);
  assert.deepEqual(observations, [{ event: 'jobs_cleaned', cancelled: 3, completed: 3, discarded: 1 }]);
});

test('null keeps the jobs of a state for ever', async () => {
  const queue = await database.schema();
  await given(queue);
  const forEver = { cancelled: dayMs, completed: null, discarded: null };

  await cleanJobs(dutyContext(queue), { ...retention, ms: forEver }, new BatchSize());

  const states = (await kept(queue)).map((text) => text.split(' ')[1]);
  assert.deepEqual(states, [...Array(4).fill('completed'), 'cancelled', ...Array(4).fill('discarded')]);
});

for (const [what, over, expected] of [
  ['only jobs of the included queues are deleted', { queuesIncluded: ['a', 'b'] }, ['c']],
  ['jobs of the excluded queues are kept', { queuesExcluded: ['a', 'b'] }, ['a', 'b']],
  ['a queue that is both is kept', { queuesIncluded: ['a', 'b'], queuesExcluded: ['b'] }, ['b', 'c']],
] as const satisfies readonly (readonly [string, Partial<Retention>, readonly string[]])[]) {
  test(what, async () => {
    const queue = await database.schema();
    for (const name of ['a', 'b', 'c']) await finished(queue, 'completed', '2 days', name);

    await cleanJobs(dutyContext(queue), { ...retention, ...over }, new BatchSize());

    assert.deepEqual(
      (await kept(queue)).map((text) => text.split(' ')[0]),
      expected,
    );
  });
}

test('a row that somebody has locked is skipped, and deleted by a later pass', async () => {
  const queue = await database.schema();
  await finished(queue, 'completed', '2 days');
  await finished(queue, 'completed', '3 days');
  const other = await database.pool.connect();
  await other.query('BEGIN');
  await other.query(queue.inSchema('SELECT FROM S.river_job ORDER BY id LIMIT 1 FOR UPDATE'));

  await cleanJobs(dutyContext(queue), retention, new BatchSize());
  const between = await kept(queue);
  await other.query('COMMIT');
  other.release();
  await cleanJobs(dutyContext(queue), retention, new BatchSize());

  assert.deepEqual(between, ['default completed 48']);
  assert.deepEqual(await kept(queue), []);
});

test('more jobs than a batch holds are all deleted, unless the term ends between two batches', async () => {
  const queue = await database.schema();
  const fill = `INSERT INTO S.river_job (kind, args, max_attempts, state, finalized_at)
    SELECT 'work', '{}', 25, 'completed', now() - interval '2 days' FROM generate_series(1, 2500)`;
  const small = new BatchSize();
  for (let times = 0; times < 3; times += 1) small.failed(new Error('Query read timeout'), 0);
  await queue.sql(fill);
  const ending = dutyContext(queue, {
    random: () => {
      ending.term.end(); // the pause after the first batch asks for it
      return 0;
    },
  });

  await cleanJobs(dutyContext(queue), retention, small);
  const afterAll = await kept(queue);
  await queue.sql(fill);
  await cleanJobs(ending, retention, small);

  assert.deepEqual(afterAll, []);
  assert.equal((await kept(queue)).length, 1500);
});

test('the batches of a cleaner are read from an index in its order', async () => {
  const queue = await database.schema();
  await queue.sql(
    `INSERT INTO S.river_job (kind, args, max_attempts, state, finalized_at)
     SELECT 'work', '{}', 25, 'completed', now() - interval '2 days' FROM generate_series(1, 20000)`,
  );
  await queue.sql('ANALYZE S.river_job');

  const plan = await queue.sql(
    `EXPLAIN SELECT id FROM S.river_job WHERE state = 'completed' AND finalized_at IS NOT NULL
       AND finalized_at < now() - make_interval(secs => 86400)
     ORDER BY finalized_at LIMIT 100 FOR UPDATE SKIP LOCKED`,
  );

  const text = plan.map((row) => row['QUERY PLAN']).join('\n');
  assert.match(text, /river_job_state_and_finalized_at_index/);
  assert.doesNotMatch(text, /Sort|Seq Scan/);
});

test('queues that nobody has worked for a day are forgotten, and others are not', async () => {
  const queue = await database.schema();
  const observations: Observation[] = [];
  await queue.sql(
    `INSERT INTO S.river_queue (name, updated_at, paused_at) VALUES
       ('old', now() - interval '25 hours', now()), ('worked', now() - interval '23 hours', now())`,
  );

  await cleanQueues(dutyContext(queue, { observe: (one) => observations.push(one) }), dayMs);

  assert.deepEqual(await queue.sql('SELECT name FROM S.river_queue'), [{ name: 'worked' }]);
  assert.deepEqual(observations, [{ event: 'queues_cleaned', queues: ['old'] }]);
});

test('a retention that is no span of time is refused', () => {
  for (const options of [
    { completedRetentionMs: -1 },
    { cancelledRetentionMs: Number.NaN },
    { queueRetentionMs: 1 },
    { rescueStuckAfterMs: 1 },
    { reindexTimeoutMs: 0 },
    { reindexSchedule: 'daily' },
  ]) {
    assert.throws(() => maintenanceTerms(options, undefined), { reason: 'invalid_option' });
  }
});

test('a job is rescued after an hour, or after an hour more than the time that jobs are given', () => {
  const hours = [undefined, null, 3_600_000].map((ms) => maintenanceTerms({}, ms).rescueStuckAfterMs / 3_600_000);

  assert.deepEqual(hours, [1, 1, 2]);
});
