import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import type { Observation } from '../worker/observation.ts';
import { BatchSize } from './batch-size.ts';
import { dutyContext } from './leader-fixture.test.ts';
import { scheduleDue, scheduleUnled } from './scheduler.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

async function scheduled(queue: QueueSchema, count: number): Promise<void> {
  await queue.sql(
    `INSERT INTO S.river_job (kind, args, max_attempts, state, scheduled_at)
     SELECT 'work', '{}', 25, 'scheduled', now() FROM generate_series(1, $1::int)`,
    [count],
  );
}

const waiting = async (queue: QueueSchema): Promise<number> =>
  (await queue.sql(`SELECT count(*)::int AS count FROM S.river_job WHERE state = 'scheduled'`))[0]?.['count'];

function reduced(): BatchSize {
  const batch = new BatchSize();
  for (let times = 0; times < 3; times += 1) batch.failed(new Error('Query read timeout'), times);
  return batch;
}

test('more due jobs than a batch holds are all promoted in one pass', async () => {
  const queue = await database.schema();
  await scheduled(queue, 2300);
  const observations: Observation[] = [];

  await scheduleDue(dutyContext(queue, { random: () => 0, observe: (one) => observations.push(one) }), reduced());

  assert.equal(await waiting(queue), 0);
  const promoted = observations.map((one) => (one.event === 'jobs_scheduled' ? one.promoted : 0));
  assert.deepEqual(promoted, [1000, 1000, 300]);
});

test('a scheduler whose term ends stops after the batch', async () => {
  const queue = await database.schema();
  await scheduled(queue, 2300);
  const context = dutyContext(queue, { observe: () => context.term.end() });

  await scheduleDue(context, reduced());

  assert.equal(await waiting(queue), 1300);
});

test('without a leader a batch is promoted, and none while anybody leads', async () => {
  const queue = await database.schema();
  await scheduled(queue, 3);
  const lead = (until: string): string =>
    `INSERT INTO S.river_leader (leader_id, elected_at, expires_at) VALUES ('go', now(), now() + interval '${until}')
     ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at`;

  await queue.sql(lead('1 minute'));
  await scheduleUnled(queue.context());
  const whileLed = await waiting(queue);
  await queue.sql(lead('-1 second'));
  await scheduleUnled(queue.context());

  assert.equal(whileLed, 3);
  assert.equal(await waiting(queue), 0);
});

test('a batch is a tenth as large after three timeouts within ten minutes, and not after others', () => {
  const minuteMs = 60_000;
  const failures: readonly (readonly [Error, number])[] = [
    [new Error('Query read timeout'), 0],
    [Object.assign(new Error('canceled'), { code: '57014' }), 1 * minuteMs],
    [Object.assign(new Error('deadlock'), { code: '40P01' }), 2 * minuteMs],
    [new Error('Query read timeout'), 10 * minuteMs],
    [new Error('Query read timeout'), 10.5 * minuteMs],
  ];
  const batch = new BatchSize();

  const sizes = failures.map(([error, at]) => {
    batch.failed(error, at);
    return batch.rows;
  });

  assert.deepEqual(sizes, [10_000, 10_000, 10_000, 10_000, 1000]);
});
