/** Jobs whose process was killed: whoever leads the fleet gives them to the living, whichever engine they ran in. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { requires, until } from '@rowlock/test-harness';
import { GoDatabase, versions } from './beside-go.ts';
import { runAndKill } from './fleet.ts';

const holds = { script: [[{ do: 'sleep', ms: 60_000 }], []], retry_ms: 100 };

for (const version of versions) {
  describe(`rescue beside River ${version}`, { skip: requires('go') }, () => {
    let database: GoDatabase;

    before(async () => {
      database = await GoDatabase.create();
    });
    after(async () => await database.drop());

    test('a job of ours whose process was killed is rescued by a leader of Go that knows its kind', async () => {
      const place = await database.place(version);
      const id = await place.insertGo({ queue: 'ts', args: holds });
      await runAndKill(place, 'ts');

      await place.startGo({ queues: { nothing: 1 }, kinds: ['scripted'], job_timeout_ms: 500, rescue_after_ms: 1000 });
      const rescued = await place.failed(id);
      await place.startOurs({ queues: { ts: { maxWorkers: 2 } } });
      const done = await place.jobIn(id, 'completed');

      assert.equal(rescued.errors?.[0]?.error, 'Stuck job rescued by JobRescuer');
      assert.equal(done.metadata['river:rescue_count'], 1);
      assert.deepEqual([done.attempt, done.attempted_by?.length], [2, 2]);
    });

    test('a leader of Go discards a stuck job of a kind that it does not know, which our own rescue forestalls', async () => {
      const place = await database.place(version);
      const id = await place.insertGo({ kind: 'unknown_to_go', queue: 'ts', args: holds });
      await runAndKill(place, 'ts');

      await place.startGo({ queues: { nothing: 1 }, kinds: ['scripted'], job_timeout_ms: 500, rescue_after_ms: 1000 });

      assert.equal((await place.jobIn(id, 'discarded')).errors?.[0]?.error, 'Stuck job rescued by JobRescuer');
    });

    test('a job of Go whose process was killed is rescued by our leader, which discards none of a kind that it does not know', async () => {
      const place = await database.place(version);
      const [known, unknown] = [
        await place.insertGo({ queue: 'go', args: holds }),
        await place.insertGo({ kind: 'nobodys', queue: 'go', args: holds, max_attempts: 1 }),
      ];
      await place.startGo({ queues: { go: 2 }, kinds: ['scripted', 'nobodys'] });
      await place.jobIn(known, 'running');
      await place.jobIn(unknown, 'running');
      await place.go.kill();
      await place.sql(`UPDATE S.river_job SET attempted_at = now() - interval '2 hours'`);
      await place.sql('DELETE FROM S.river_leader'); // as if its term had ended

      const { observations } = await place.startOurs({ queues: { go: { maxWorkers: 2 } } });
      const done = await place.jobIn(known, 'completed');
      const isLeft = (): boolean => observations.some((one) => one.event === 'job_left_running' && one.id === unknown);
      await until(isLeft, { what: 'the other is reported' });

      assert.equal(done.errors?.[0]?.error, 'Stuck job rescued by JobRescuer');
      assert.deepEqual([done.attempt, done.metadata['river:rescue_count']], [2, 1]);
      assert.deepEqual([(await place.job(unknown)).state, (await place.job(unknown)).errors], ['running', null]);
    });
  });
}
