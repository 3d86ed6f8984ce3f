/** A fleet of both engines: whoever leads looks after the jobs of all, and leading goes from one to the other. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { requires, until } from '@rowlock/test-harness';
import { GoDatabase, versions } from './beside-go.ts';
import { handOver, kill, leaderOf, startChild, termOf } from './fleet.ts';

/** Terms that end by themselves take too long for every run. */
const isCampaign = process.env['ROWLOCK_ROUNDS'] !== undefined;

for (const version of versions) {
  describe(`leading beside River ${version}`, { skip: requires('go') }, () => {
    let database: GoDatabase;

    before(async () => {
      database = await GoDatabase.create();
    });
    after(async () => await database.drop());

    test('what Go leads: scheduled jobs and retries of ours run, with our own scheduler out of the way', async () => {
      const place = await database.place(version);
      await place.startGo({ queues: { nothing: 1 }, client_id: 'go-leader' });
      await until(async () => (await leaderOf(place)) === 'go-leader', { what: 'Go leads' });
      await place.startOurs({ queues: { ts: { maxWorkers: 2 } }, clientId: 'ts-follower' });
      const scheduled_at = new Date(Date.now() + 1000).toISOString();
      const scheduled = await place.insertGo({ queue: 'ts', scheduled_at });
      const retried = await place.insertGo({
        queue: 'ts',
        args: { script: [[{ do: 'fail', text: 'once' }], []], retry_ms: 5500 },
      });

      const [first, second] = [await place.jobIn(scheduled, 'completed'), await place.jobIn(retried, 'completed')];

      assert.deepEqual([first.attempt, second.attempt], [1, 2]);
      assert.ok(Date.parse(first.attempted_at ?? '') >= Date.parse(scheduled_at) - 1);
      assert.equal(await leaderOf(place), 'go-leader');
    });

    test('what we lead: scheduled jobs and retries of Go run', async () => {
      const place = await database.place(version);
      await place.startOurs({ queues: { nothing: { maxWorkers: 1 } }, clientId: 'ts-leader' });
      await until(async () => (await leaderOf(place)) === 'ts-leader', { what: 'ours leads' });
      await place.startGo({ name: 'told', queues: { soon: 1 }, client_id: 'go-told', fetch_poll_ms: 60_000 });
      await place.startGo({ queues: { go: 2 }, client_id: 'go-follower' });
      const soon = await place.insertOurs({ queue: 'soon' });
      await place.jobIn(soon, 'completed'); // by our notification alone
      const scheduled_at = new Date(Date.now() + 1000).toISOString();
      const scheduled = await place.insertGo({ queue: 'go', scheduled_at });
      const retried = await place.insertGo({
        queue: 'go',
        args: { script: [[{ do: 'fail', text: 'once' }], []], retry_ms: 5500 },
      });

      const [first, second] = [await place.jobIn(scheduled, 'completed'), await place.jobIn(retried, 'completed')];

      assert.deepEqual([first.attempt, second.attempt], [1, 2]);
      assert.equal(await leaderOf(place), 'ts-leader');
    });

    test('the lead goes over at once when a leader stops, from Go to us and back', async () => {
      const place = await database.place(version);
      await place.startGo({ name: 'first', queues: { go: 1 }, client_id: 'go-first' });
      await until(async () => (await leaderOf(place)) === 'go-first', { what: 'Go leads' });
      const { worker, observations } = await place.startOurs({
        queues: { ts: { maxWorkers: 1 } },
        clientId: 'ts-second',
      });
      const firstTerm = await termOf(place);

      const toUs = await handOver(place, 'ts-second', async () => await place.go.ask('stop', { name: 'first' }));
      const secondTerm = await termOf(place);
      await until(() => observations.some(({ event }) => event === 'leader_elected'), {
        what: 'ours knows that it leads',
      });
      await place.startGo({ name: 'third', queues: { go: 1 }, client_id: 'go-third' });
      const toGo = await handOver(place, 'go-third', async () => await worker.stop());

      assert.ok(toUs < 3000 && toGo < 3000, `${toUs} ms and ${toGo} ms: the next attempt of its own would come later`);
      assert.ok(firstTerm < secondTerm && secondTerm < (await termOf(place)), 'each has a term of its own');
    });

    test('a request to resign ends our term, and there is a new one', async () => {
      const place = await database.place(version);
      await place.startOurs({ queues: { ts: { maxWorkers: 1 } }, clientId: 'ts-leader' });
      await until(async () => (await leaderOf(place)) === 'ts-leader', { what: 'ours leads' });
      await place.startGo({ queues: { go: 1 }, client_id: 'go-candidate' });
      const term = await termOf(place);

      await place.sql(
        `SELECT pg_notify('${place.schema}.river_leadership', '{"action":"request_resign","leader_id":""}')`,
      );

      await until(async () => (await leaderOf(place)) !== undefined && (await termOf(place)) > term, {
        what: 'there is a new term',
      });
    });

    test('the lead of a leader that was killed goes to the other engine when its term has ended', {
      skip: !isCampaign,
    }, async () => {
      const place = await database.place(version);
      const child = await startChild(place, 'ts', 'ts-killed');
      await until(async () => (await leaderOf(place)) === 'ts-killed', { what: 'the child leads' });
      await place.startGo({ queues: { go: 1 }, client_id: 'go-heir' });
      const { worker } = await place.startOurs({ queues: { ts: { maxWorkers: 1 } }, clientId: 'ts-heir', lead: false });

      const toGo = await handOver(place, 'go-heir', async () => await kill(child));
      await worker.stop();
      await place.startOurs({ queues: { ts: { maxWorkers: 1 } }, clientId: 'ts-last' });
      const toUs = await handOver(place, 'ts-last', async () => await place.go.kill());

      assert.ok(toGo < 21_500 && toUs < 21_500, `${toGo} ms and ${toUs} ms`);
    });
  });
}
