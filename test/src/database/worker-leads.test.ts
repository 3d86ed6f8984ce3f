/** The worker's role may do what leading a fleet needs, with the search path that it has. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Observation, Worker } from '@rowlock/queue';
import { createMigratedDatabase, type MigratedDatabase, until } from '@rowlock/test-harness';
import pg from 'pg';

let database: MigratedDatabase;
let client: pg.Client;

before(async () => {
  database = await createMigratedDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
after(async () => {
  await client.end();
  await database.drop();
});

test('the worker of a migrated database leads, cleans up, and from PostgreSQL 17 on rebuilds indexes', async () => {
  const { rows } = await client.query("SELECT current_setting('server_version_num')::int >= 170000 AS may_reindex");
  await client.query(`INSERT INTO metadata.river_job (kind, args, max_attempts, state, finalized_at)
    VALUES ('old', '{}', 1, 'completed', now() - interval '2 days')`);
  const observations: Observation[] = [];
  let asked = 0;
  const atOnce = {
    next: (now: number): number | undefined => {
      asked += 1;
      return asked === 1 ? now : undefined;
    },
  };
  const worker = new Worker({
    database: database.workerUrl,
    schema: 'metadata',
    queues: { elsewhere: { maxWorkers: 1 } },
    handlers: {},
    random: () => 0.01,
    maintenance: { reindex: 'if_permitted', reindexSchedule: atOnce },
    observe: (observation) => observations.push(observation),
  });

  await worker.start();
  const seen = (event: Observation['event']): boolean => observations.some((one) => one.event === event);
  await until(() => seen('jobs_cleaned'), { what: 'the old job is deleted' });
  if (rows[0].may_reindex) {
    await until(() => observations.filter(({ event }) => event === 'index_rebuilt').length === 7, {
      what: 'seven indexes are rebuilt',
    });
  }
  await worker.stop();

  assert.ok(seen('leader_resigned'));
  assert.deepEqual(
    observations.filter(({ event }) => event === 'task_failed' || event === 'leader_not_standing'),
    [],
  );
});
