/** Workers of both engines on one queue: every job is claimed once and done once. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { GoRiver, requires, until } from '@rowlock/test-harness';
import { GoDatabase, versions } from './beside-go.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? '1');
const jobs = Math.min(2000 * rounds, 100_000);

for (const version of versions) {
  describe(`one queue of ours and of River ${version}`, { skip: requires('go') }, () => {
    let database: GoDatabase;

    before(async () => {
      database = await GoDatabase.create();
    });
    after(async () => await database.drop());

    test(`each of ${jobs} jobs is done exactly once, by two workers of each engine`, async () => {
      const place = await database.place(version);
      await place.sql(
        `INSERT INTO S.river_job (args, kind, max_attempts, priority, queue, scheduled_at, state)
         SELECT jsonb_build_object('n', n, 'script', '[[{"do": "sleep", "ms": 1}]]'::jsonb), 'scripted', 25,
           1 + n % 4, 'shared', now(), 'available' FROM generate_series(1, $1::int) AS n`,
        [jobs],
      );
      const second = await GoRiver.start({ url: place.url, schema: place.schema, version });
      const client = { queues: { shared: 20 }, kinds: ['scripted'], cooldown_ms: 5, fetch_poll_ms: 20 };

      await Promise.all([
        place.startGo({ ...client, client_id: 'go-1' }),
        second.ask('start', { ...client, name: 'go', client_id: 'go-2' }),
        place.startOurs({ queues: { shared: { maxWorkers: 20 } }, clientId: 'ts-1' }),
        place.startOurs({ queues: { shared: { maxWorkers: 20 } }, clientId: 'ts-2' }),
      ]);
      await until(async () => (await countOf(`state <> 'completed'`)) === 0, {
        what: 'every job is completed',
        timeoutMs: 60_000 * rounds,
        intervalMs: 100,
      });

      const shares = await place.sql(
        'SELECT attempted_by[1] AS client, count(*)::int AS jobs FROM S.river_job GROUP BY 1 ORDER BY 1',
      );
      assert.equal(await countOf('attempt <> 1 OR cardinality(attempted_by) <> 1 OR errors IS NOT NULL'), 0);
      assert.deepEqual(
        shares.map(({ client: id }) => id),
        ['go-1', 'go-2', 'ts-1', 'ts-2'],
        'everybody had some',
      );
      await second.end();

      async function countOf(condition: string): Promise<number> {
        const [row] = await place.sql(`SELECT count(*)::int AS n FROM S.river_job WHERE ${condition}`);
        return Number(row?.['n']);
      }
    });
  });
}
