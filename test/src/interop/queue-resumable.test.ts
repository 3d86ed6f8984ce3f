/** A job that fails half way in one engine goes on from there in the other: steps and cursors are River's. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { requires } from '@rowlock/test-harness';
import { type BesideGo, GoDatabase, versions } from './beside-go.ts';
import { type Action, type StepRan, scriptedHandler } from './scripted-handler.ts';

/** The first attempt ends in the second step, which has come as far as 5. */
const fails: readonly Action[] = [
  { do: 'step', name: 'first' },
  { do: 'cursor_step', name: 'second', value: { row: 5 }, text: 'no' },
];
const succeeds: readonly Action[] = [
  { do: 'step', name: 'first' },
  { do: 'cursor_step', name: 'second' },
  { do: 'step', name: 'third' },
];
const args = { script: [fails, succeeds], retry_ms: 10 };

for (const version of versions.filter((each) => each !== 'v0.26.0')) {
  describe(`resumable jobs beside River ${version}`, { skip: requires('go') }, () => {
    let database: GoDatabase;

    before(async () => {
      database = await GoDatabase.create();
    });
    after(async () => await database.drop());

    test('what Go began goes on here, at the step and the cursor where it failed', async () => {
      const place = await database.place(version);
      const id = await place.insertGo({ queue: 'shared', args: { ...args, retry_ms: 600_000 } });
      await place.startGo({ queues: { shared: 1 } });
      await place.jobIn(id, 'retryable');
      await place.go.ask('stop', { name: 'go' });
      const ran = await worksHere(place);

      await place.client.retry(id);
      await place.jobIn(id, 'completed');

      assert.deepEqual(ran, [
        { job: id, name: 'second', cursor: { row: 5 } },
        { job: id, name: 'third', cursor: null },
      ]);
    });

    test('what began here goes on in Go, at the step and the cursor where it failed', async () => {
      const place = await database.place(version);
      const id = await place.insertGo({ queue: 'shared', args: { ...args, retry_ms: 600_000 } });
      const { worker } = await place.startOurs({ queues: { shared: { maxWorkers: 1 } } });
      await place.jobIn(id, 'retryable');
      await worker.stop();
      await place.startGo({ queues: { shared: 1 } });

      await place.go.ask('retry', { id });
      await place.jobIn(id, 'completed');

      const ran = place.go.events.filter(({ event }) => event === 'step');
      assert.deepEqual(
        ran.map(({ name, cursor = null }) => [name, cursor]),
        [
          ['second', { row: 5 }],
          ['third', null],
        ],
      );
    });
  });
}

/** Starts a worker of ours and returns the steps that it runs. */
async function worksHere(place: BesideGo): Promise<readonly StepRan[]> {
  const ran: StepRan[] = [];
  const scripted = scriptedHandler({ pool: place.pool, onStep: (step) => ran.push(step) });
  await place.startOurs({ queues: { shared: { maxWorkers: 1 } }, handlers: { scripted } });
  return ran;
}
