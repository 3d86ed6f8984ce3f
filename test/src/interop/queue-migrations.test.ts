/** Go River and we migrate one another's schemas: the same catalog, whoever has made it and from wherever. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { migrate } from '@rowlock/queue';
import { goRiverNewest, requires } from '@rowlock/test-harness';
import { schemaName } from '../../../packages/queue/dist/schema-name.js';
import { type Catalog, readCatalog } from '../../../packages/queue/dist/statements/catalog.js';
import { type BesideGo, GoDatabase, versions } from './beside-go.ts';
import { committedGoldens, expectGoldens, type GoldenCase } from './go-goldens.ts';

/** The newest version of the schema that each River knows. */
const newestOf: Readonly<Record<string, number>> = { 'v0.51.1': 8, 'v0.43.0': 7, 'v0.26.0': 6 };
const oursIs = 7;

for (const version of versions) {
  describe(`migrations of ours and of River ${version}`, { skip: requires('go') }, () => {
    let database: GoDatabase;
    let place: BesideGo;
    const newest = newestOf[version] ?? 0;

    before(async () => {
      database = await GoDatabase.create();
      place = await database.place(version);
    });
    after(async () => await database.drop());

    test('the catalogs that Go makes are those of catalogs.json', async (context) => {
      if (!(await isRecorded(place))) return context.skip('recorded on PostgreSQL 18');
      const cases: GoldenCase[] = [];
      for (let target = 1; target <= newest; target += 1) {
        const schema = `made_by_go_${target}`;
        await place.sql(`CREATE SCHEMA ${schema}`);
        await place.go.ask('migrate', { schema, target });
        cases.push({ name: `version ${target}`, catalog: await catalogOf(place, schema) });
      }

      if (version === goRiverNewest) expectGoldens('catalogs', { made_by: [`River ${version}`], cases });
      assert.deepEqual(cases, committedGoldens('catalogs').cases.slice(0, newest));
    });

    test('what Go has made up to any version that we adopt, we bring to the catalog of Go', async () => {
      const made = [4, 5, 6, 7, 8].filter((target) => target <= newest);
      await place.sql('CREATE SCHEMA reference');
      const client = await place.pool.connect();
      if (newest >= oursIs) await place.go.ask('migrate', { schema: 'reference' });
      else await migrate(client, { schema: 'reference' });
      const reference = await catalogOf(place, 'reference');

      for (const target of made) {
        const schema = `adopted_${target}`;
        await place.sql(`CREATE SCHEMA ${schema}`);
        await place.go.ask('migrate', { schema, target });
        await place.sql(`INSERT INTO ${schema}.river_job (args, kind, max_attempts) VALUES ('{"n": 1}', 'kept', 25)`);
        await migrate(client, { schema });
        await migrate(client, { schema });

        assert.deepEqual(await catalogOf(place, schema), reference, `from version ${target}`);
        assert.equal((await place.sql(`SELECT FROM ${schema}.river_job WHERE kind = 'kept'`)).length, 1);
      }
      client.release();
    });

    test('what we have made is valid to Go, which adds only what it alone knows', async () => {
      const before = await place.go.ask<{ readonly versions: readonly number[] }>('migrate');
      const valid = await place.go.ask<{ readonly ok: boolean }>('validate');

      assert.deepEqual(before.versions, newest > oursIs ? [8] : []);
      assert.equal(valid.ok, true);
    });

    test('Go takes what we have made down and up again, and both work there', async () => {
      const down = newest >= oursIs ? [...(newest > oursIs ? [8] : []), 7] : [6];
      await place.go.ask('migrate');

      const undone = await place.go.ask<{ readonly versions: readonly number[] }>('migrate', {
        down: true,
        target: (down.at(-1) ?? 1) - 1,
      });
      await place.go.ask('migrate');
      const client = await place.pool.connect();
      await migrate(client, { schema: place.schema });
      client.release();
      await place.startGo({ queues: { go: 1 } });
      await place.startOurs({ queues: { ts: { maxWorkers: 1 } } });
      const there = await place.insertOurs({ queue: 'go' });
      const here = await place.insertGo({ queue: 'ts' });
      await place.jobIn(there, 'completed');
      await place.jobIn(here, 'completed');

      assert.deepEqual(undone.versions, down);
    });
  });
}

async function catalogOf(place: BesideGo, schema: string): Promise<Catalog> {
  const client = await place.pool.connect();
  try {
    return await readCatalog(client, schemaName(schema));
  } finally {
    client.release();
  }
}

/** From PostgreSQL 18 on, NOT NULL constraints have names, and so catalogs have more entries. */
async function isRecorded(place: BesideGo): Promise<boolean> {
  const [row] = await place.sql(`SELECT current_setting('server_version_num')::int >= 180000 AS is_recorded`);
  return row?.['is_recorded'] === true;
}
