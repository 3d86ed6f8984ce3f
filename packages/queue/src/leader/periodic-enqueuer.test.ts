import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@rowlock/test-harness';
import type { JobInsertOptions } from '../job-insert-options.ts';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import type { Observation } from '../worker/observation.ts';
import { dutyContext, endlessTerm, FakeClock } from './leader-fixture.test.ts';
import { PeriodicEnqueuer } from './periodic-enqueuer.ts';
import { type PeriodicJob, PeriodicJobs } from './periodic-jobs.ts';
import { everySchedule } from './schedule.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

const work: JobInsertOptions = { kind: 'work', args: {} };
/** Fake time begins 123 ms past midnight. */
const midnight = Date.parse('2026-03-01T00:00:00Z');

/** One leader's term in fake time. */
class Term {
  readonly clock: FakeClock;
  readonly observations: Observation[] = [];
  readonly jobs = new PeriodicJobs();
  readonly term = endlessTerm();
  readonly #enqueuer: PeriodicEnqueuer;

  constructor(queue: QueueSchema, jobs: readonly PeriodicJob[], clock: FakeClock = new FakeClock()) {
    this.clock = clock;
    for (const job of jobs) this.jobs.add(job);
    const observe = (one: Observation): number => this.observations.push(one);
    this.#enqueuer = new PeriodicEnqueuer(dutyContext(queue, { clock, term: this.term, observe }), this.jobs);
    this.#enqueuer.start();
  }

  /** Goes on to a time after midnight, waiting for every turn to have planned the next. */
  async runTo(ms: number): Promise<void> {
    for (;;) {
      await until(() => this.clock.timers > 0, { intervalMs: 1, what: 'the enqueuer has planned its next turn' });
      const next = midnight + this.clock.nextAt + 123;
      if (next > midnight + ms) break;
      this.clock.moveTo(this.clock.nextAt);
      this.clock.fireOne();
    }
    this.clock.moveTo(ms - 123);
  }

  async stop(): Promise<void> {
    this.term.end();
    await this.#enqueuer.stop();
  }
}

const inserted = async (queue: QueueSchema): Promise<string[]> =>
  (
    await queue.sql(
      `SELECT kind || to_char(scheduled_at AT TIME ZONE 'UTC', ' HH24:MI:SS.MS ') || state AS is FROM S.river_job ORDER BY id`,
    )
  ).map((row) => row['is']);

test('a job is inserted for every time of its schedule, without drift, and says where it comes from', async () => {
  const queue = await database.schema();
  const term = new Term(queue, [{ id: 'minutely', schedule: '* * * * *', job: { ...work, metadata: { own: 1 } } }]);

  await term.runTo(3.5 * 60_000);
  await term.stop();

  const times = await inserted(queue);
  assert.deepEqual(times, [
    'work 00:01:00.000 available',
    'work 00:02:00.000 available',
    'work 00:03:00.000 available',
  ]);
  const [row] = await queue.sql('SELECT metadata FROM S.river_job LIMIT 1');
  assert.deepEqual(row?.['metadata'], { own: 1, periodic: true, 'river:periodic_job_id': 'minutely' });
});

test('it is inserted at the start of a term only where it is asked for', async () => {
  const queue = await database.schema();
  const yearly = { schedule: '@yearly' };
  const term = new Term(queue, [
    { ...yearly, runOnStart: true, job: { ...work, kind: 'at_start' } },
    { ...yearly, job: { ...work, kind: 'later' } },
  ]);

  await term.runTo(60_000);
  await term.stop();

  assert.deepEqual(await inserted(queue), ['at_start 00:00:00.123 available']);
});

test('the job may depend on its time, and there may be none', async () => {
  const queue = await database.schema();
  const job = (due: Date): JobInsertOptions | null =>
    due.getUTCMinutes() % 2 === 0 ? { kind: 'work', args: { due: due.toISOString() } } : null;
  const term = new Term(queue, [{ schedule: everySchedule(60_000), job }]);

  await term.runTo(4.5 * 60_000);
  await term.stop();

  const rows = await queue.sql(`SELECT args ->> 'due' AS due FROM S.river_job ORDER BY id`);
  assert.deepEqual(
    rows.map((row) => row['due']),
    ['2026-03-01T00:02:00.000Z', '2026-03-01T00:04:00.000Z'],
  );
});

test('a unique job is inserted once although two leaders each insert it for the same time', async () => {
  const queue = await database.schema();
  const unique: PeriodicJob = {
    schedule: '* * * * *',
    runOnStart: true,
    job: { ...work, unique: { byPeriodSeconds: 60 } },
  };
  const first = new Term(queue, [unique]);
  await first.runTo(60_000 - 50);
  await first.stop();
  const second = new Term(queue, [{ ...unique, runOnStart: false }], first.clock);

  await second.runTo(60_000 - 10);
  await second.stop();

  assert.deepEqual(await inserted(queue), ['work 00:00:00.123 available', 'work 00:01:00.000 available']);
  const last = second.observations.at(-1);
  assert.ok(last?.event === 'periodic_job_inserted' && last.is_duplicate);
});

test('a job that cannot be made is reported, skipped until its next time, and does not keep the others', async () => {
  const queue = await database.schema();
  const term = new Term(queue, [
    {
      id: 'broken',
      schedule: '* * * * *',
      job: () => {
        throw new TypeError('no');
      },
    },
    { id: 'refused', schedule: '* * * * *', job: { kind: '', args: {} } },
    { schedule: '* * * * *', job: work },
  ]);

  await term.runTo(90_000);
  await term.stop();

  assert.deepEqual(await inserted(queue), ['work 00:01:00.000 available']);
  const failed = term.observations.filter((one) => one.event === 'task_failed').map((one) => one.task);
  assert.deepEqual(failed, ['insert periodic job broken', 'insert periodic job refused']);
});

test('an insert that the database does not take now is made as soon as it does', async () => {
  const queue = await database.schema();
  await queue.sql('ALTER TABLE S.river_job RENAME TO hidden');
  const term = new Term(queue, [{ schedule: '* * * * *', job: work }]);
  await term.runTo(62_000);
  const failures = term.observations.length;

  await queue.sql('ALTER TABLE S.hidden RENAME TO river_job');
  await term.runTo(65_000);
  await term.stop();

  assert.ok(failures >= 1);
  assert.deepEqual(await inserted(queue), ['work 00:01:00.000 available']);
});

test('after the end of its term an enqueuer inserts nothing, and keeps no timer', async () => {
  const queue = await database.schema();
  const term = new Term(queue, [{ schedule: '* * * * *', job: work }]);
  await term.runTo(30_000);

  await term.stop();
  term.jobs.add({ schedule: '@every 1s', runOnStart: true, job: work });

  assert.equal(term.clock.timers, 0);
  assert.deepEqual(await inserted(queue), []);
});
