/** What our client asks for, Go does: cancelling, pausing, retrying, listing; with the notifications that Go sends. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { JobDetails, JobListOptions } from '@rowlock/queue';
import { GoRiverError, goRiverNewest, requires, until } from '@rowlock/test-harness';
import { type BesideGo, GoDatabase, type JobRecord, secondsToEnd, versions } from './beside-go.ts';
import { committedGoldens, type GoldenCase } from './go-goldens.ts';

const sleeps = { script: [[{ do: 'sleep', ms: 60_000 }]] };
const fails = { script: [[{ do: 'fail', text: 'no' }]], retry_ms: 600_000 };

interface Page {
  readonly jobs: readonly JobRecord[];
  readonly cursor: string | null;
}

for (const version of versions) {
  describe(`our client beside River ${version}`, { skip: requires('go') }, () => {
    let database: GoDatabase;

    before(async () => {
      database = await GoDatabase.create();
    });
    after(async () => await database.drop());

    test('a cancel from here aborts a job of Go at once, and leaves the row that Go leaves', async () => {
      const place = await database.place(version);
      await place.startGo({ queues: { go: 2 } });
      const [byUs, byGo] = [
        await place.insertGo({ queue: 'go', args: sleeps }),
        await place.insertGo({ queue: 'go', args: sleeps }),
      ];
      await place.jobIn(byUs, 'running');
      await place.jobIn(byGo, 'running');

      const answer = await place.client.cancel(byUs);
      await place.go.ask('cancel', { id: byGo });

      const [here, there] = [await place.jobIn(byUs, 'cancelled'), await place.jobIn(byGo, 'cancelled')];
      assert.equal(answer.state, 'running');
      assert.ok(secondsToEnd(here) < 10, 'by the notification, not by the look that is due once a minute');
      assert.deepEqual(withoutMoments(here), withoutMoments(there));
    });

    test('a cancel from here of jobs that wait or have ended leaves the rows that Go leaves', async () => {
      const place = await database.place(version);
      await place.startGo({ queues: { go: 2 } });
      const jobs = [
        { queue: 'none' },
        { queue: 'none', scheduled_at: '2100-01-01T00:00:00Z' },
        { queue: 'none', pending: true },
        { queue: 'go', args: fails },
        { queue: 'go' },
      ];
      const pairs: (readonly [string, string])[] = [];
      for (const job of jobs) pairs.push([await place.insertGo(job), await place.insertGo(job)]);
      for (const id of pairs[3] ?? []) await place.jobIn(id, 'retryable');
      for (const id of pairs[4] ?? []) await place.jobIn(id, 'completed');

      for (const [byUs, byGo] of pairs) {
        await place.client.cancel(byUs);
        await place.go.ask('cancel', { id: byGo });

        assert.deepEqual(withoutMoments(await place.job(byUs)), withoutMoments(await place.job(byGo)));
      }
    });

    test('a retry from here leaves the row that Go leaves, and Go works it', async () => {
      const place = await database.place(version);
      await place.startGo({ queues: { go: 2 } });
      const once = { script: [[{ do: 'fail', text: 'no' }], []] };
      const jobs = [
        { queue: 'go', args: once, max_attempts: 1 },
        { queue: 'go', args: { ...once, retry_ms: 600_000 } },
        { queue: 'go' },
        { queue: 'go', args: { script: [[{ do: 'cancel', text: 'no' }], []] } },
      ];
      const pairs: (readonly [string, string])[] = [];
      for (const job of jobs) pairs.push([await place.insertGo(job), await place.insertGo(job)]);
      for (const id of pairs.flat()) await place.jobIn(id, 'discarded', 'retryable', 'completed', 'cancelled');
      await place.go.ask('stop', { name: 'go' });

      for (const [byUs, byGo] of pairs) {
        const answer = await place.client.retry(byUs);
        await place.go.ask('retry', { id: byGo });

        assert.equal(answer.state, 'available');
        assert.deepEqual(withoutMoments(await place.job(byUs)), withoutMoments(await place.job(byGo)));
      }
      await place.startGo({ queues: { go: 2 } });
      for (const id of pairs.flat()) await place.jobIn(id, 'completed');
    });

    test('a retry takes back a cancel, so that the job is not cancelled again', {
      skip: version !== goRiverNewest,
    }, async () => {
      const place = await database.place(version);
      const [byUs, byGo] = [await place.insertGo({ queue: 'go' }), await place.insertGo({ queue: 'go' })];
      for (const id of [byUs, byGo]) await place.client.cancel(id);

      await place.client.retry(byUs);
      await place.go.ask('retry', { id: byGo });

      assert.deepEqual(withoutMoments(await place.job(byUs)), withoutMoments(await place.job(byGo)));
      await place.startOurs({ queues: { go: { maxWorkers: 1 } } });
      await place.jobIn(byUs, 'completed');
    });

    test('what may not be deleted or does not exist is refused in both engines alike', async () => {
      const place = await database.place(version);
      await place.startGo({ queues: { go: 2 } });
      const running = await place.insertGo({ queue: 'go', args: sleeps });
      await place.jobIn(running, 'running');
      const gone = await place.insertGo({ queue: 'none' });

      assert.equal((await place.client.delete(gone)).id, gone);
      for (const [command, ours, id] of [
        ['delete', place.client.delete.bind(place.client), running],
        ['delete', place.client.delete.bind(place.client), gone],
        ['cancel', place.client.cancel.bind(place.client), gone],
        ['retry', place.client.retry.bind(place.client), gone],
        ['get', place.client.get.bind(place.client), gone],
      ] as const) {
        const theirs = await place.go.ask(command, { id }).catch((error: unknown) => error);
        assert.ok(theirs instanceof GoRiverError);
        await assert.rejects(ours(id), { reason: theirs.reason });
      }
    });

    test('a pause from here holds a queue of Go, by name and by `*`, until it is resumed', async () => {
      const place = await database.place(version);
      await place.startGo({ queues: { go: 4 }, fetch_poll_ms: 100 });
      await until(async () => (await place.client.queueList()).length === 1, { what: 'the queue is known' });
      for (const name of ['go', '*']) {
        const heard = (kind: string) => place.go.events.filter((each) => each['kind'] === kind).length;
        const [paused, resumed] = [heard('queue_paused'), heard('queue_resumed')];

        await place.client.queuePause(name);
        await until(() => heard('queue_paused') > paused, { what: 'Go heard of the pause' });
        const held = await place.insertGo({ queue: 'go' });
        const queue = await place.client.queueGet('go');
        const stateWhilePaused = (await place.job(held)).state;
        await place.client.queueResume(name);
        await until(() => heard('queue_resumed') > resumed, { what: 'Go heard of the end of the pause' });
        await place.jobIn(held, 'completed');

        assert.notEqual(queue.paused_at, null);
        assert.equal(stateWhilePaused, 'available', name);
      }
      await assert.rejects(place.client.queuePause('nowhere'), { reason: 'not_found' });
    });

    test('our notifications say what those of Go say', async () => {
      const place = await database.place(version);
      await place.startGo({ queues: { p: 2, q: 2 }, fetch_poll_ms: 60_000 });
      await place.go.ask('listen');
      await until(async () => (await place.client.queueList()).length === 2, { what: 'the queues are known' });
      const heard = (): readonly unknown[] =>
        place.go.events
          .filter(({ event }) => event === 'notification')
          .map(({ channel, payload }) => ({
            topic: String(channel).replace(/^.*\./, ''),
            ...JSON.parse(String(payload)),
          }))
          .filter(({ topic }) => topic !== 'river_leadership');
      const running = await place.insertGo({ queue: 'p', args: sleeps });
      await place.jobIn(running, 'running');
      const waiting = await place.insertGo({ queue: 'nobodys' });
      await until(() => heard().length === 2, { what: 'both inserts were announced' });

      await place.insertOurs({ queue: 'q' });
      await place.client.cancel(waiting);
      await place.client.cancel(running);
      await place.client.queuePause('q');
      await place.client.queueResume('q');
      await place.client.queuePause('*');
      await place.client.queueResume('*');
      await place.client.queueUpdate('q', { a: 1 });
      await until(() => heard().length >= 10, { what: 'all was announced' });

      const recorded = [
        'insert',
        'cancel a job that waits',
        'cancel a job that runs',
        'pause',
        'resume',
        'pause all',
        'resume all',
        'metadata of a queue',
      ];
      const expected = recorded.flatMap((name) => toldBy(name));
      const named = [{ queue: 'q' }, { job_id: Number(waiting) }, { job_id: Number(running) }];
      assert.deepEqual(
        heard().slice(2),
        expected.map((each, index) => ({ ...each, ...named[index] })),
      );
    });

    test('a list goes on in one engine where it stopped in the other', async () => {
      const place = await database.place(version);
      await place.startGo({ queues: { go: 4 } });
      for (let n = 0; n < 9; n += 1) await place.insertGo({ queue: 'go', kind: n % 2 === 0 ? 'scripted' : 'nobodys' });
      for (const row of await place.sql(`SELECT id::text FROM S.river_job WHERE kind = 'scripted'`))
        await place.jobIn(row['id'], 'completed');
      const lists: readonly (readonly [JobListOptions, object])[] = [
        [{ orderBy: 'id' }, { order_by: 'id' }],
        [
          { orderBy: 'id', order: 'desc' },
          { order_by: 'id', desc: true },
        ],
        [{ orderBy: 'scheduled_at' }, { order_by: 'scheduled_at' }],
        [
          { orderBy: 'scheduled_at', order: 'desc', queues: ['go'] },
          { order_by: 'scheduled_at', desc: true, queues: ['go'] },
        ],
        [
          { orderBy: 'finalized_at', states: ['completed'] },
          { order_by: 'finalized_at', states: ['completed'] },
        ],
        [
          { orderBy: 'time', states: ['completed'], order: 'desc' },
          { order_by: 'time', states: ['completed'], desc: true },
        ],
        [
          { orderBy: 'id', kinds: ['nobodys'] },
          { order_by: 'id', kinds: ['nobodys'] },
        ],
      ];

      // River v0.26 refuses to list by finalized_at whatever the states are.
      const known = lists.filter(([{ orderBy }]) => orderBy !== 'finalized_at' || version !== 'v0.26.0');
      for (const [options, theirs] of known) {
        const whole = await place.client.list(options);
        for (const startsHere of [true, false])
          assert.deepEqual(await inTurns(place, [options, theirs], startsHere), idsOf(whole.jobs));
      }
    });
  });
}

/** Reads a list two jobs at a time, by each engine in turn. */
async function inTurns(
  place: BesideGo,
  [ours, theirs]: readonly [JobListOptions, object],
  startsHere: boolean,
): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = '';
  for (let isHere = startsHere; cursor !== null; isHere = !isHere) {
    const page: { readonly jobs: readonly { readonly id: string }[]; readonly cursor: string | null } = isHere
      ? await place.client.list({ ...ours, limit: 2, ...(cursor === '' ? {} : { after: cursor }) })
      : await place.go.ask<Page>('list', { ...theirs, first: 2, after: cursor });
    ids.push(...page.jobs.map(({ id }) => id));
    cursor = page.cursor;
  }
  return ids;
}

function idsOf(jobs: readonly JobDetails[]): readonly string[] {
  return jobs.map(({ id }) => id);
}

/** What two rows that were treated alike have in common. */
function withoutMoments(job: JobRecord): unknown {
  const { id: _, created_at: __, due_in, attempted_at, finalized_at, scheduled_at, ...rest } = job;
  const metadata = Object.fromEntries(Object.keys(job.metadata).map((key) => [key, typeof job.metadata[key]]));
  const errors = job.errors?.map(({ at: ___, ...error }) => error);
  const isDue = due_in < 1;
  return {
    ...rest,
    metadata,
    errors,
    isDue,
    attempted: attempted_at !== null,
    finalized: finalized_at !== null,
    later: scheduled_at > '2099',
  };
}

/** What Go sent, as it was recorded. */
function toldBy(name: string): readonly Readonly<Record<string, unknown>>[] {
  const { cases } = committedGoldens<GoldenCase & { readonly heard: readonly { topic: string; payload: string }[] }>(
    'notifications',
  );
  const found = cases.find((each) => each.name === name);
  return (found?.heard ?? []).map(({ topic, payload }) => ({ topic, ...JSON.parse(payload) }));
}
