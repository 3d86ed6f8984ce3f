/** Cancelling, pausing and describing queues from one engine, obeyed by the other. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { GoRiverError, goRiverNewest, requires, until } from '@rowlock/test-harness';
import { GoDatabase, type JobRecord, secondsToEnd, versions } from './beside-go.ts';

const sleeps = { script: [[{ do: 'sleep', ms: 60_000 }]] };

for (const version of versions) {
  describe(`control beside River ${version}`, { skip: requires('go') }, () => {
    let database: GoDatabase;

    before(async () => {
      database = await GoDatabase.create();
    });
    after(async () => await database.drop());

    test('a cancel from Go aborts our handler at once, and the rows look alike', async () => {
      const place = await database.place(version);
      await place.startOurs({ queues: { ts: { maxWorkers: 2 } } });
      await place.startGo({ queues: { go: 2 } });
      const [ours, theirs] = [
        await place.insertGo({ queue: 'ts', args: sleeps }),
        await place.insertGo({ queue: 'go', args: sleeps }),
      ];
      await place.jobIn(ours, 'running');
      await place.jobIn(theirs, 'running');

      await place.go.ask('cancel', { id: ours });
      await place.go.ask('cancel', { id: theirs });

      const [here, there] = [await place.jobIn(ours, 'cancelled'), await place.jobIn(theirs, 'cancelled')];
      assert.ok(secondsToEnd(here) < 10, 'by the notification, not by the look that is due once a minute');
      assert.deepEqual(Object.keys(here.metadata), Object.keys(there.metadata));
      assert.equal(here.errors?.[0]?.error, there.errors?.[0]?.error);
      assert.equal(here.errors?.length, there.errors?.length);
    });

    test('a cancel from Go ends jobs that wait at once, and says nothing to those that have ended', async () => {
      const place = await database.place(version);
      const waiting = await Promise.all([
        place.insertGo({ queue: 'ts' }),
        place.insertGo({ queue: 'ts', scheduled_at: new Date(Date.now() + 60_000).toISOString() }),
        place.insertGo({ queue: 'ts', pending: true }),
      ]);
      for (const id of waiting) await place.go.ask('cancel', { id });
      const { observations } = await place.startOurs({ queues: { ts: { maxWorkers: 2 } } });
      const done = await place.insertGo({ queue: 'ts' });
      await place.jobIn(done, 'completed');

      await place.go.ask('cancel', { id: done });

      const states = await Promise.all([...waiting, done].map(async (id) => (await place.job(id)).state));
      assert.deepEqual(states, ['cancelled', 'cancelled', 'cancelled', 'completed']);
      assert.equal(observations.filter(({ event }) => event === 'job_started').length, 1);
    });

    test('a job of ours that was cancelled between attempts, or while it failed, is not tried again', async () => {
      const place = await database.place(version);
      await place.startOurs({ queues: { ts: { maxWorkers: 2 } } });
      const args = { script: [[{ do: 'fail', text: 'once' }], []], retry_ms: 600_000 };
      const retryable = await place.insertGo({ queue: 'ts', args });
      await place.jobIn(retryable, 'retryable');
      const stalls = {
        script: [
          [
            { do: 'stall', ms: 700 },
            { do: 'fail', text: 'too late' },
          ],
        ],
        retry_ms: 600_000,
      };
      const stalling = await place.insertGo({ queue: 'ts', args: stalls });
      await place.jobIn(stalling, 'running');

      await place.go.ask('cancel', { id: retryable });
      await place.go.ask('cancel', { id: stalling });

      assert.equal((await place.job(retryable)).state, 'cancelled');
      assert.equal((await place.failed(stalling)).state, 'cancelled');
    });

    test('a stop that aborts gives jobs back as Go does', { skip: version !== goRiverNewest }, async () => {
      const place = await database.place(version);
      const { worker } = await place.startOurs({ queues: { ts: { maxWorkers: 2 } } });
      await place.startGo({ queues: { go: 2 } });
      const [ours, theirs] = [
        await place.insertGo({ queue: 'ts', args: sleeps }),
        await place.insertGo({ queue: 'go', args: sleeps }),
      ];
      await place.jobIn(ours, 'running');
      await place.jobIn(theirs, 'running');

      await Promise.all([worker.stopNow(), place.go.ask('stop', { name: 'go', cancel: true })]);

      const [here, there] = [await place.job(ours), await place.job(theirs)];
      const kept = ({ state, attempt, errors, metadata, finalized_at, due_in }: JobRecord): unknown => [
        state,
        attempt,
        errors,
        metadata,
        finalized_at,
        due_in < 1,
      ];
      assert.deepEqual(kept(here), kept(there));
      assert.equal(here.attempted_by?.length, there.attempted_by?.length);
    });

    test('a pause from Go holds our queue, by name and by `*`, until it is resumed; what runs goes on', async () => {
      const place = await database.place(version);
      const { observations } = await place.startOurs({ queues: { ts: { maxWorkers: 4 } } });
      for (const name of ['ts', '*']) {
        const heard = (event: string) => observations.filter((each) => each.event === event).length;
        const [paused, resumed] = [heard('queue_paused'), heard('queue_resumed')];
        const running = await place.insertGo({ queue: 'ts', args: { script: [[{ do: 'stall', ms: 400 }]] } });
        await place.jobIn(running, 'running');

        await place.go.ask('pause', { name });
        await until(() => heard('queue_paused') > paused, { what: 'our worker heard of the pause' });
        const held = await place.insertGo({ queue: 'ts' });
        await place.jobIn(running, 'completed');
        const stateWhilePaused = (await place.job(held)).state;
        await place.go.ask('resume', { name });
        await until(() => heard('queue_resumed') > resumed, { what: 'our worker heard of the end of the pause' });
        await place.jobIn(held, 'completed');

        assert.equal(stateWhilePaused, 'available', name);
      }
    });

    test('a pause outlives the workers, and an unknown queue cannot be paused', async () => {
      const place = await database.place(version);
      const first = await place.startOurs({ queues: { ts: { maxWorkers: 4 } } });
      await until(async () => (await place.sql('SELECT FROM S.river_queue')).length === 1, {
        what: 'the queue is known',
      });
      await place.go.ask('pause', { name: 'ts' });
      await first.worker.stop();
      const held = await place.insertGo({ queue: 'ts' });

      const second = await place.startOurs({ queues: { ts: { maxWorkers: 4 }, other: { maxWorkers: 1 } } });
      const free = await place.insertGo({ queue: 'other' });
      await place.jobIn(free, 'completed');

      assert.ok(second.observations.some(({ event }) => event === 'queue_paused'));
      assert.equal((await place.job(held)).state, 'available');
      await assert.rejects(
        place.go.ask('pause', { name: 'nowhere' }),
        (error: unknown) => error instanceof GoRiverError && error.reason === 'not_found',
      );
    });

    test('queues of ours are listed by Go, with the metadata that Go gave them', async () => {
      const place = await database.place(version);
      await place.startOurs({ queues: { ts: { maxWorkers: 4 }, other: { maxWorkers: 1 } } });
      await until(async () => (await place.sql('SELECT FROM S.river_queue')).length === 2, {
        what: 'the queues are known',
      });

      await place.go.ask('update_queue', { name: 'ts', metadata: { owner: 'us' } });

      const found = await place.go.ask<readonly { readonly name: string; readonly metadata: unknown }[]>('queues');
      assert.deepEqual(
        found.map(({ name, metadata }) => [name, metadata]),
        [
          ['other', {}],
          ['ts', { owner: 'us' }],
        ],
      );
    });
  });
}
