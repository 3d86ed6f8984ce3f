/** Unique jobs beside Go: whoever comes second, in whichever engine, meets the job of the first. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { JobInsertOptions } from '@rowlock/queue';
import { requires } from '@rowlock/test-harness';
import { type BesideGo, GoDatabase, versions } from './beside-go.ts';

interface Inserted {
  readonly id: string;
  readonly is_duplicate: boolean;
}

/** One job as each engine is told of it; `other` is a job that is not the same. */
interface Twin {
  readonly name: string;
  readonly go: Readonly<Record<string, unknown>>;
  readonly ours: JobInsertOptions;
  readonly other: Partial<JobInsertOptions>;
}

const args = { b: '<1>', a: 2, deep: { z: 1, y: null } };
const hour = 3600;
const allStates = [
  'available',
  'pending',
  'running',
  'scheduled',
  'cancelled',
  'completed',
  'discarded',
  'retryable',
] as const;
const requiredStates = ['available', 'pending', 'running', 'scheduled'] as const;

const twins: readonly Twin[] = [
  {
    name: 'by all arguments',
    go: { kind: 'twin', args, unique: { by_args: true } },
    ours: { kind: 'twin', args: { a: 2, b: '<1>', deep: { z: 1, y: null } }, unique: { byArgs: true } },
    other: { args: { a: 3 } },
  },
  {
    name: 'by selected fields',
    go: { kind: 'unique_file', args: { file_id: 'f1', size: 3, note: 'go' }, unique: { by_args: true } },
    ours: {
      kind: 'unique_file',
      args: { file_id: 'f1', size: 3, note: 'ts' },
      unique: { byArgs: ['file_id', 'size'] },
    },
    other: { args: { file_id: 'f2', size: 3 } },
  },
  {
    name: 'by period, for jobs scheduled in the same hour',
    go: { kind: 'hourly', args: {}, scheduled_at: '2100-01-01T05:59:59Z', unique: { period_seconds: hour } },
    ours: { kind: 'hourly', args: { x: 1 }, scheduledAt: '2100-01-01T05:00:00Z', unique: { byPeriodSeconds: hour } },
    other: { scheduledAt: '2100-01-01T06:00:00Z' },
  },
  {
    name: 'by queue',
    go: { kind: 'lonely', args: { n: 1 }, queue: 'single', unique: { by_queue: true } },
    ours: { kind: 'lonely', args: { n: 2 }, queue: 'single', unique: { byQueue: true } },
    other: { queue: 'second' },
  },
  {
    name: 'by queue, of whatever kind',
    go: { kind: 'this', args: {}, queue: 'any', unique: { by_queue: true, exclude_kind: true } },
    ours: { kind: 'that', args: {}, queue: 'any', unique: { byQueue: true, excludeKind: true } },
    other: { queue: 'else' },
  },
  {
    name: "by arguments and queue in states of one's own",
    go: { kind: 'stately', args, queue: 'states', unique: { by_args: true, by_queue: true, states: requiredStates } },
    ours: { kind: 'stately', args, queue: 'states', unique: { byArgs: true, byQueue: true, byState: requiredStates } },
    other: { args: {} },
  },
];

for (const version of versions) {
  describe(`unique jobs beside River ${version}`, { skip: requires('go') }, () => {
    let database: GoDatabase;

    before(async () => {
      database = await GoDatabase.create();
    });
    after(async () => await database.drop());

    for (const { name, go, ours, other } of twins) {
      // Before v0.48 the period of a scheduled job was that of its insertion.
      const isOlder = ours.unique?.byPeriodSeconds !== undefined && version !== 'v0.51.1';
      test(`${name}: the second is told of the first, either way around`, { skip: isOlder }, async () => {
        const place = await database.place(version);

        const byGo = await insertGo(place, go);
        const oursAfterGo = await place.client.insert(ours);
        await place.sql('DELETE FROM S.river_job');
        const byUs = await place.client.insert(ours);
        const goAfterOurs = await insertGo(place, go);
        const another = await place.client.insert({ ...ours, ...other });
        const rows = await place.sql('SELECT kind FROM S.river_job ORDER BY id');

        assert.deepEqual([byGo.is_duplicate, byUs.is_duplicate, another.is_duplicate], [false, false, false]);
        assert.deepEqual([oursAfterGo.is_duplicate, oursAfterGo.job.id], [true, byGo.id]);
        assert.deepEqual(goAfterOurs, { id: byUs.job.id, is_duplicate: true });
        assert.equal(rows.length, 2);
      });
    }

    test('fifty inserts at the same time from both sides are one job', async () => {
      const place = await database.place(version);
      const go = { kind: 'twin', args, unique: { by_args: true } };
      const ours = { kind: 'twin', args, unique: { byArgs: true } };

      const [theirs, here] = await Promise.all([
        place.go.ask<readonly Inserted[]>('insert', { ...go, times: 25 }),
        Promise.all(Array.from({ length: 25 }, async () => await place.client.insert(ours))),
      ]);

      const all = [...theirs, ...here.map(({ job, is_duplicate }) => ({ id: job.id, is_duplicate }))];
      assert.equal(all.filter(({ is_duplicate }) => !is_duplicate).length, 1);
      assert.equal(new Set(all.map(({ id }) => id)).size, 1);
      assert.equal((await place.sql('SELECT FROM S.river_job')).length, 1);
    });

    test('a job that is done blocks the next or not, as its own states say, whoever did it', async () => {
      const place = await database.place(version);
      await place.startOurs({ queues: { ts: { maxWorkers: 1 } } });
      for (const states of [allStates, requiredStates]) {
        const wide = states === allStates;
        const go = { args: { wide }, unique: { by_args: true, states } };
        const ours = { kind: 'scripted', queue: 'nobodys', args: { wide }, unique: { byArgs: true, byState: states } };
        const first = await insertGo(place, { ...go, queue: 'ts' });
        await place.jobIn(first.id, 'completed');

        const [byGo, byUs] = [await insertGo(place, { ...go, queue: 'nobodys' }), await place.client.insert(ours)];

        assert.equal(byGo.is_duplicate, wide);
        assert.equal(byUs.is_duplicate, true, 'of the first, or of the one that Go has just inserted');
        assert.equal(byGo.id === first.id, wide);
      }
    });

    test('a batch of 10,000 with repeats in itself and of jobs of Go inserts each once', async () => {
      const place = await database.place(version);
      const job = (n: number) => ({ kind: 'twin', args: { n }, queue: 'q', unique: { byArgs: true } });
      const jobs = Array.from({ length: 100 }, (_, n) => ({
        kind: 'twin',
        args: { n },
        queue: 'q',
        unique: { by_args: true },
      }));
      await place.go.ask('insert_many', { jobs });

      const results = await place.client.insertMany(Array.from({ length: 10_000 }, (_, n) => job(n % 4000)));

      assert.equal(results.filter(({ is_duplicate }) => !is_duplicate).length, 3900);
      assert.equal((await place.sql('SELECT FROM S.river_job')).length, 4000);
      assert.ok(results.every(({ job: { args: found } }, n) => (found as { n: number }).n === n % 4000));
    });
  });
}

async function insertGo(place: BesideGo, job: Readonly<Record<string, unknown>>): Promise<Inserted> {
  const { id, is_duplicate } = await place.go.ask<Inserted>('insert', { kind: 'scripted', ...job });
  return { id, is_duplicate };
}
