/** What Go River writes to the database and to its channels, as it was recorded, is what it still writes. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type GoEvent, goRiverNewest, requires, until } from '@rowlock/test-harness';
import { type BesideGo, GoDatabase, type JobRecord } from './beside-go.ts';
import { expectGoldens, type GoldenCase } from './go-goldens.ts';

const made_by = [`River ${goRiverNewest}`];
const fail = { do: 'fail', text: 'two is refused' };

/** Jobs of which the rows are kept, and the state in which they rest. */
const jobs: Readonly<Record<string, { readonly job: Readonly<Record<string, unknown>>; readonly state: string }>> = {
  available: { job: { queue: 'nobodys' }, state: 'available' },
  scheduled: { job: { scheduled_at: '2100-01-01T00:00:00.123456Z' }, state: 'scheduled' },
  pending: { job: { pending: true }, state: 'pending' },
  'every option': {
    job: {
      queue: 'nobodys',
      priority: 4,
      max_attempts: 3,
      tags: ['abc', 'x-y_z'],
      metadata: { a: { b: [1] } },
      args: { text: '<é>\u2028' },
    },
    state: 'available',
  },
  unique: { job: { queue: 'nobodys', args: { n: 1 }, unique: { by_args: true, by_queue: true } }, state: 'available' },
  completed: { job: {}, state: 'completed' },
  output: { job: { args: { script: [[{ do: 'output', value: { url: 'x', n: 1 } }]] } }, state: 'completed' },
  metadata: {
    job: { args: { script: [[{ do: 'metadata', name: 'a', value: [1] }]] }, metadata: { a: 0, b: 0 } },
    state: 'completed',
  },
  retryable: { job: { args: { script: [[fail]], retry_ms: 600_000 } }, state: 'retryable' },
  'output and failure': {
    job: { args: { script: [[{ do: 'output', value: 1 }, fail]], retry_ms: 600_000 } },
    state: 'retryable',
  },
  discarded: { job: { args: { script: [[fail]] }, max_attempts: 1 }, state: 'discarded' },
  cancelled: { job: { args: { script: [[{ do: 'cancel', text: 'no' }]] } }, state: 'cancelled' },
  snoozed: { job: { args: { script: [[{ do: 'snooze', ms: 600_000 }]] } }, state: 'scheduled' },
  'a step and a failure': {
    job: {
      args: {
        script: [
          [
            { do: 'step', name: 'first' },
            { do: 'step', name: 'second', text: 'no' },
          ],
        ],
        retry_ms: 600_000,
      },
    },
    state: 'retryable',
  },
  'a cursor and a failure': {
    job: {
      args: {
        script: [
          [
            { do: 'step', name: 'first' },
            { do: 'cursor_step', name: 'second', value: { at: 5 }, text: 'no' },
          ],
        ],
        retry_ms: 600_000,
      },
    },
    state: 'retryable',
  },
};

/** Rows with ids and times that do not change, of which one has an id beyond the numbers of JavaScript. */
const listedRows = `
  INSERT INTO S.river_job (id, args, kind, max_attempts, priority, queue, state, created_at, scheduled_at, attempted_at, finalized_at)
  SELECT 9007199254740990 + n, '{}', 'listed', 25, 1, 'q' || n % 2, state::S.river_job_state, at, at + interval '1 day',
    CASE WHEN state <> 'available' THEN at + interval '1 microsecond' END,
    CASE WHEN state = 'completed' THEN at + interval '1.5 s' END
  FROM unnest('{available,completed,completed,running,available,completed}'::text[]) WITH ORDINALITY AS states (state, n),
    LATERAL (SELECT timestamptz '2026-01-02 03:04:05.123456Z' + n / 3 * interval '1 hour' AS at) AS times`;

const lists: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'by id': { order_by: 'id' },
  'by id, descending': { order_by: 'id', desc: true },
  'by scheduled_at': { order_by: 'scheduled_at', states: ['available'] },
  'by scheduled_at, descending, all states': { order_by: 'scheduled_at', desc: true },
  'by finalized_at': { order_by: 'finalized_at', states: ['completed'] },
  'by time, completed': { order_by: 'time', states: ['completed'] },
  'by time, available': { order_by: 'time', states: ['available'] },
  'by time, running': { order_by: 'time', states: ['running'] },
};

describe('what Go River writes', { skip: requires('go') }, () => {
  let database: GoDatabase;

  before(async () => {
    database = await GoDatabase.create();
  });
  after(async () => await database.drop());

  test('rows of jobs are those of job-rows.json', async () => {
    const place = await database.place();
    const ids = new Map<string, string>();
    for (const [name, { job }] of Object.entries(jobs)) ids.set(name, await place.insertGo(job));
    await place.startGo({ queues: { default: 5 }, client_id: 'go-client' });

    const cases: GoldenCase[] = [];
    for (const [name, { job, state }] of Object.entries(jobs)) {
      cases.push({ name, job, row: lasting(await restedRow(place, ids.get(name) ?? '', state)) });
    }

    expectGoldens('job-rows', { made_by, cases });
  });

  test('notifications are those of notifications.json', async () => {
    const place = await database.place();
    await place.startGo({ queues: { q: 2, p: 2 }, client_id: 'go-client', fetch_poll_ms: 60_000 });
    await place.go.ask('listen');
    const cases: GoldenCase[] = [];
    const record = async (name: string, act: () => Promise<unknown>, count = 1): Promise<void> => {
      const before = heardOf(place).length;
      await act();
      await until(() => heardOf(place).length >= before + count, { what: `${count} notifications of ${name}` });
      cases.push({ name, heard: heardOf(place).slice(before).map(comparableNotice) });
    };
    const sleeping = { queue: 'p', args: { script: [[{ do: 'sleep', ms: 60_000 }]] } };

    await record('insert', async () => await place.insertGo({ queue: 'nobodys' }));
    await record(
      'insert two queues at once',
      async () => {
        const insertions = ['a', 'b', 'a'].map((queue) => ({ kind: 'scripted', queue }));
        await place.go.ask('insert_many', { jobs: insertions });
      },
      2,
    );
    await place.insertGo({ queue: 'c', scheduled_at: '2100-01-01T00:00:00Z' });
    await place.insertGo({ queue: 'c', pending: true });
    await record(
      'insert one that waits, one that is pending, and one that can run',
      async () => await place.insertGo({ queue: 'd' }),
    );
    await record('cancel a job that waits', async () => await place.go.ask('cancel', { id: '1' }));
    const running = await place.insertGo(sleeping);
    await place.jobIn(running, 'running');
    await record('cancel a job that runs', async () => await place.go.ask('cancel', { id: running }));
    await record('pause', async () => await place.go.ask('pause', { name: 'q' }));
    await record('resume', async () => await place.go.ask('resume', { name: 'q' }));
    await record('pause all', async () => await place.go.ask('pause', { name: '*' }));
    await record('resume all', async () => await place.go.ask('resume', { name: '*' }));
    await record(
      'metadata of a queue',
      async () => await place.go.ask('update_queue', { name: 'q', metadata: { a: 1 } }),
    );
    await until(async () => (await place.sql('SELECT FROM S.river_leader')).length === 1, { what: 'Go leads' });
    await record('request to resign', async () => await place.go.ask('request_resign'), 2);
    await until(async () => (await place.sql('SELECT FROM S.river_leader')).length === 1, { what: 'Go leads again' });
    await record('stop of the leader', async () => await place.go.ask('stop', { name: 'go' }));

    expectGoldens('notifications', { made_by, cases });
  });

  test('cursors of lists are those of list-cursors.json, and Go goes on from them', async () => {
    const place = await database.place();
    await place.sql(listedRows);

    const cases: GoldenCase[] = [];
    for (const [name, list] of Object.entries(lists)) {
      const pages: unknown[] = [];
      let after = '';
      do {
        const page = await place.go.ask<{ readonly jobs: readonly JobRecord[]; readonly cursor: string | null }>(
          'list',
          {
            ...list,
            first: 2,
            after,
          },
        );
        pages.push({ ids: page.jobs.map(({ id }) => id), cursor: page.cursor });
        after = page.cursor ?? '';
      } while (after !== '');
      cases.push({ name, list, pages });
    }

    expectGoldens('list-cursors', { made_by, cases });
    const [all] = cases as (GoldenCase & { readonly pages: readonly { readonly ids: readonly string[] }[] })[];
    assert.equal(all?.pages.flatMap(({ ids }) => ids).length, 6);
  });
});

async function restedRow(place: BesideGo, id: string, state: string): Promise<JobRecord> {
  return await until(
    async () =>
      [await place.job(id)].find(
        (job) => job.state === state && (job.attempt > 0 || job.attempted_at === null || state === 'scheduled'),
      ),
    { what: `job ${id} is ${state}`, timeoutMs: 20_000 },
  );
}

/** A row without what differs from run to run: moments become `time`, ids and traces go. */
function lasting(job: JobRecord): unknown {
  const { id: _, due_in: __, ...row } = job;
  const isMoment = (value: unknown): value is string => typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value);
  const timeless = (value: unknown): unknown => (isMoment(value) && !value.startsWith('2100') ? 'time' : value);
  return {
    ...Object.fromEntries(Object.entries(row).map(([key, value]) => [key, timeless(value)])),
    errors: job.errors?.map((error) => ({ ...error, at: timeless(error.at) })) ?? null,
  };
}

function heardOf(place: BesideGo): readonly GoEvent[] {
  return place.go.events.filter(({ event }) => event === 'notification');
}

/** The schema's name is another in each run. */
function comparableNotice({ channel, payload }: GoEvent): unknown {
  return { topic: String(channel).replace(/^.*\./, ''), payload };
}
