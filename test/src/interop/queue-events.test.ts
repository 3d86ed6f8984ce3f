/** Subscribers of ours are told of the same jobs what subscribers of Go are told. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Worker } from '@rowlock/queue';
import { goRiverNewest, requires, until } from '@rowlock/test-harness';
import { type BesideGo, GoDatabase } from './beside-go.ts';

const fail = { do: 'fail', text: 'no' };
/** Jobs, and how many events there are of each. */
const jobs: Readonly<Record<string, readonly [job: Readonly<Record<string, unknown>>, events: number]>> = {
  succeeds: [{}, 1],
  'fails and will be retried': [{ args: { script: [[fail]], retry_ms: 600_000 } }, 1],
  'fails once and succeeds': [{ args: { script: [[fail], []], retry_ms: 50 } }, 2],
  'is discarded': [{ args: { script: [[fail]] }, max_attempts: 1 }, 1],
  'cancels itself': [{ args: { script: [[{ do: 'cancel', text: 'no' }]] } }, 1],
  'snoozes and succeeds': [{ args: { script: [[{ do: 'snooze', ms: 20 }], []] } }, 2],
  'snoozes for long': [{ args: { script: [[{ do: 'snooze', ms: 600_000 }]] } }, 1],
  'is completed in a transaction': [{ args: { script: [[{ do: 'complete_tx' }]] } }, 1],
  'is of an unknown kind': [{ kind: 'nobodys', max_attempts: 1 }, 1],
};

interface Told {
  readonly event: string;
  readonly job: { readonly id: string; readonly state: string; readonly attempt: number };
}

describe('subscriptions', { skip: requires('go') }, () => {
  let database: GoDatabase;

  before(async () => {
    database = await GoDatabase.create();
  });
  after(async () => await database.drop());

  test(`our events of a job are those of River ${goRiverNewest}`, async () => {
    const place = await database.place();
    const { worker } = await place.startOurs({ queues: { ts: { maxWorkers: 2 } } });
    const told = listen(worker);
    await place.startGo({ queues: { go: 2 } });

    for (const [name, [job, events]] of Object.entries(jobs)) {
      const [ours, theirs] = [
        await place.insertGo({ ...job, queue: 'ts' }),
        await place.insertGo({ ...job, queue: 'go' }),
      ];
      const here = (): readonly unknown[] => of(told, ours);
      const there = (): readonly unknown[] => of(toldByGo(place), theirs);
      await until(() => here().length >= events && there().length >= events, { what: `both told that a job ${name}` });

      assert.deepEqual(here(), there(), name);
    }
  });
});

/** Collects what a worker tells, until it stops. */
function listen(worker: Worker): readonly Told[] {
  const told: Told[] = [];
  const subscription = worker.subscribe();
  const collect = async (): Promise<void> => {
    for await (const event of subscription) if ('job' in event) told.push(event);
  };
  void collect();
  return told;
}

function toldByGo({ go }: BesideGo): readonly Told[] {
  return go.events
    .filter((each) => each.event === 'told' && each['job'] !== undefined)
    .map((each) => ({ event: String(each['kind']), job: each['job'] as Told['job'] }));
}

function of(told: readonly Told[], id: string): readonly unknown[] {
  return told.filter(({ job }) => job.id === id).map(({ event, job }) => [event, job.state, job.attempt]);
}
