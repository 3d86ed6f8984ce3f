import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import type { Observation } from '../worker/observation.ts';
import { dutyContext, FakeClock } from './leader-fixture.test.ts';
import { Reindexer } from './reindexer.ts';
import { cronSchedule } from './schedule.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

const terms = { schedule: cronSchedule('@daily'), timeoutMs: 60_000 };
const all = [
  'river_job_args_index',
  'river_job_kind',
  'river_job_metadata_index',
  'river_job_pkey',
  'river_job_prioritized_fetching_index',
  'river_job_state_and_finalized_at_index',
  'river_job_unique_idx',
];

const files = async (queue: QueueSchema): Promise<Map<string, string>> => {
  const rows = await queue.sql(
    `SELECT relname, relfilenode FROM pg_class
     WHERE relkind = 'i' AND relname LIKE 'river_job%' AND relnamespace = $1::regnamespace`,
    [queue.schema.quoted],
  );
  return new Map(rows.map((row) => [row['relname'], String(row['relfilenode'])]));
};

function recorded(queue: QueueSchema): {
  readonly observations: Observation[];
  readonly context: ReturnType<typeof dutyContext>;
} {
  const observations: Observation[] = [];
  return { observations, context: dutyContext(queue, { observe: (one) => observations.push(one) }) };
}

test('the seven indexes of the job table are rebuilt', async () => {
  const queue = await database.schema();
  const before = await files(queue);
  const { context, observations } = recorded(queue);

  await new Reindexer(context, terms).reindex();

  const now = await files(queue);
  assert.deepEqual([...now.keys()].sort(), all);
  for (const name of all) assert.notEqual(now.get(name), before.get(name), name);
  assert.deepEqual(
    observations.map((one) => (one.event === 'index_rebuilt' ? one.index : one)),
    all,
  );
});

test('an index that is not there is passed over, and one with an unfinished copy is left alone', async () => {
  const queue = await database.schema();
  await queue.sql('DROP INDEX S.river_job_args_index');
  await queue.sql('CREATE INDEX river_job_kind_ccnew1 ON S.river_job (kind)');
  await queue.sql('CREATE INDEX river_job_kind_ccold ON S.river_job (kind)');
  const before = await files(queue);
  const { context, observations } = recorded(queue);

  await new Reindexer(context, terms).reindex();

  const now = await files(queue);
  for (const name of ['river_job_kind', 'river_job_kind_ccnew1', 'river_job_kind_ccold']) {
    assert.equal(now.get(name), before.get(name));
  }
  assert.deepEqual(observations[0], {
    event: 'index_skipped',
    index: 'river_job_kind',
    found: ['river_job_kind_ccnew1', 'river_job_kind_ccold'],
  });
  assert.equal(observations.filter(({ event }) => event === 'index_rebuilt').length, 5);
});

test('a rebuild that takes too long is broken off, leaves no copy behind, and does not keep the others', async () => {
  const queue = await database.schema();
  const other = await database.pool.connect();
  await other.query('BEGIN');
  await other.query(queue.inSchema('SELECT FROM S.river_job LIMIT 1')); // what a rebuild has to wait for
  await other.query(queue.inSchema('LOCK TABLE S.river_job IN ROW EXCLUSIVE MODE'));
  const observations: Observation[] = [];
  let released: Promise<unknown> | undefined;
  const observe = (one: Observation): void => {
    observations.push(one);
    released ??= other.query('COMMIT');
  };

  await new Reindexer(dutyContext(queue, { observe }), { ...terms, timeoutMs: 1000 }).reindex();
  await released;
  other.release();

  assert.deepEqual([...(await files(queue)).keys()].sort(), all);
  const [first, ...others] = observations;
  assert.ok(first?.event === 'task_failed' && first.task === 'reindex river_job_args_index');
  assert.deepEqual(
    others.map((one) => (one.event === 'index_rebuilt' ? one.index : one)),
    all.slice(1),
  );
});

test('it is time at midnight UTC, once', async () => {
  const queue = await database.schema();
  await queue.sql(
    all
      .filter((name) => name !== 'river_job_pkey')
      .map((name) => `DROP INDEX S.${name}`)
      .join(';'),
  );
  const observations: Observation[] = [];
  const clock = new FakeClock(); // it begins at midnight
  const reindexer = new Reindexer(dutyContext(queue, { clock, observe: (one) => observations.push(one) }), terms);
  const rebuilt: number[] = [];

  for (let minute = 0; minute <= 3 * 1440; minute += 10) {
    clock.moveTo(minute * 60_000);
    await reindexer.runIfDue();
    rebuilt.push(observations.length);
  }

  assert.deepEqual([rebuilt.at(0), rebuilt.at(143), rebuilt.at(144), rebuilt.at(287), rebuilt.at(-1)], [0, 0, 1, 1, 3]);
});
