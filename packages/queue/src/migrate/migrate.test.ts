import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { createEmptyDatabase, type EmptyDatabase } from '@rowlock/test-harness';
import pg from 'pg';
import { schemaName } from '../schema-name.ts';
import { type Catalog, readCatalog } from '../statements/catalog.ts';
import { handWrittenV6, riverV3, riverV4, riverV5, riverV6 } from './earlier-schemas.test.ts';
import { migrate, migrationSql, planMigration } from './migrate.ts';

/** What Go River v0.43 makes, printed by `readCatalog`; see packages/queue/README.md for how. */
const reference = JSON.parse(
  readFileSync(new URL('../../src/migrate/river-v7-catalog.json', import.meta.url), 'utf8'),
) as Catalog;

/** The reference as this server would print it: before version 18, PostgreSQL had no constraints for NOT NULL. */
async function expectedOn(client: pg.ClientBase): Promise<unknown> {
  const { rows } = await client.query(`SELECT current_setting('server_version_num')::int AS version`);
  if (rows[0]?.version >= 180_000) return reference;
  return JSON.parse(JSON.stringify(reference), (_name, value: unknown) =>
    typeof value === 'string' && value.startsWith('NOT NULL ') ? undefined : value,
  );
}

let database: EmptyDatabase;
let pool: pg.Pool;
let schemas = 0;
before(async () => {
  database = await createEmptyDatabase({ prefix: 'queue_migrate' });
  pool = new pg.Pool({ connectionString: database.url, max: 5 });
  pool.on('error', () => undefined); // its database is dropped while a connection closes
});
after(async () => {
  await pool.end();
  await database.drop();
});

/** Runs the work on a connection with a schema's name that nobody else uses. */
async function onConnection(work: (client: pg.PoolClient, schema: string) => Promise<void>): Promise<void> {
  schemas += 1;
  const client = await pool.connect();
  try {
    await work(client, `adopted_${schemas}`);
  } finally {
    client.release(true);
  }
}

async function versionsOf(client: pg.ClientBase, schema: string): Promise<string> {
  const { rows } = await client.query(
    `SELECT line || ' ' || version AS version FROM ${schema}.river_migration ORDER BY version`,
  );
  return rows.map((row) => row.version).join(', ');
}

const allVersions = [1, 2, 3, 4, 5, 6, 7].map((version) => `main ${version}`).join(', ');

test('a fresh schema is what Go River makes, down to the names and the order of columns', async () => {
  await onConnection(async (client, schema) => {
    await migrate(client, { schema });

    assert.deepEqual(await readCatalog(client, schemaName(schema)), await expectedOn(client));
    assert.equal(await versionsOf(client, schema), allVersions);
  });
});

test('a schema whose name has capitals is what Go River makes', async () => {
  await onConnection(async (client) => {
    await migrate(client, { schema: 'Mixed_Case' });

    assert.deepEqual(await readCatalog(client, schemaName('Mixed_Case')), await expectedOn(client));
  });
});

test('a second migration changes nothing of River’s and loses no job', async () => {
  await onConnection(async (client, schema) => {
    await migrate(client, { schema });
    await client.query(`SELECT ${schema}.enqueue_job('work', '{}', 'default')`);

    const steps = await migrate(client, { schema });

    assert.deepEqual(
      steps.map(({ name }) => name),
      ['rowlock/wake_queue', 'rowlock/enqueue_job', 'rowlock/enqueue_jobs'],
    );
    assert.equal((await client.query(`SELECT FROM ${schema}.river_job`)).rowCount, 1);
    assert.equal(await versionsOf(client, schema), allVersions);
  });
});

for (const [version, sql] of [
  ['4', riverV4],
  ['5', riverV5],
  ['6', riverV6],
] as const) {
  test(`a schema of River’s version ${version} with jobs in it becomes what Go River would have made of it`, async () => {
    await onConnection(async (client, schema) => {
      await client.query(sql(schema));
      await client.query(`INSERT INTO ${schema}.river_job (kind, args, max_attempts) VALUES ('work', '{}', 3)`);

      await migrate(client, { schema });

      assert.deepEqual(await readCatalog(client, schemaName(schema)), await expectedOn(client));
      assert.equal(await versionsOf(client, schema), allVersions);
      assert.equal((await client.query(`SELECT FROM ${schema}.river_job WHERE max_attempts = 3`)).rowCount, 1);
    });
  });
}

test('a version 6 that was written by hand is adopted as it is, with its own columns and settings', async () => {
  await onConnection(async (client, schema) => {
    await client.query(handWrittenV6(schema));
    await client.query(`ALTER TABLE ${schema}.river_job ADD COLUMN tenant text`);

    await migrate(client, { schema });
    const again = await migrate(client, { schema });

    assert.equal(await versionsOf(client, schema), allVersions);
    assert.equal(again.length, 3);
    await client.query(`SELECT ${schema}.enqueue_job('work', '{}', 'default')`);
    const { rows } = await client.query(`SELECT max_attempts, tenant FROM ${schema}.river_job`);
    assert.deepEqual(rows, [{ max_attempts: 25, tenant: null }]);
    const options = await client.query(`SELECT reloptions FROM pg_class WHERE oid = '${schema}.river_job'::regclass`);
    assert.deepEqual(options.rows[0]?.reloptions, ['autovacuum_vacuum_scale_factor=0.05']);
    const left = await client.query(`SELECT to_regclass('${schema}.river_client') AS client`);
    assert.equal(left.rows[0]?.client, null);
  });
});

test('a later version stays recorded, and nothing of it is undone', async () => {
  await onConnection(async (client, schema) => {
    await migrate(client, { schema });
    await client.query(`INSERT INTO ${schema}.river_migration (line, version) VALUES ('main', 8), ('pro', 1)`);
    await client.query(`CREATE TABLE ${schema}.river_client (id text PRIMARY KEY)`);

    await migrate(client, { schema });

    assert.equal(await versionsOf(client, schema), `${allVersions}, main 8, pro 1`);
    assert.equal((await client.query(`SELECT FROM ${schema}.river_client`)).rowCount, 0);
  });
});

test('versions before 4 are refused, and nothing is changed', async () => {
  await onConnection(async (client, schema) => {
    await client.query(riverV3(schema));

    await assert.rejects(migrate(client, { schema }), { reason: 'schema_not_supported' });

    const { rows } =
      await client.query(`SELECT count(*)::int AS count FROM pg_class WHERE relnamespace = '${schema}'::regnamespace
      AND relkind = 'r'`);
    assert.equal(rows[0]?.count, 3);
  });
});

test('in a transaction of the caller’s, a rollback takes everything back', async () => {
  await onConnection(async (client, schema) => {
    await client.query('BEGIN');
    await migrate(client, { schema });
    await client.query('ROLLBACK');

    const { rows } = await client.query(`SELECT FROM pg_namespace WHERE nspname = '${schema}'`);
    assert.equal(rows.length, 0);
  });
});

test('a migration that fails half-way leaves nothing', async () => {
  await onConnection(async (client, schema) => {
    await client.query(`CREATE SCHEMA ${schema}`);
    await client.query(`CREATE VIEW ${schema}.rowlock_worker_lease AS SELECT 1 AS one`);

    await assert.rejects(migrate(client, { schema }), { code: '42P07' });

    const { rows } = await client.query(`SELECT to_regclass('${schema}.river_job') AS job`);
    assert.equal(rows[0]?.job, null);
    assert.equal(client.getTransactionStatus(), 'I');
  });
});

test('several migrations of one schema at once wait for each other', async () => {
  await onConnection(async (client, schema) => {
    const clients = await Promise.all([1, 2, 3].map(async () => await pool.connect()));

    const done = await Promise.all(clients.map(async (one) => await migrate(one, { schema })));

    for (const one of clients) one.release();
    assert.equal(done.filter((steps) => steps.length > 3).length, 1);
    assert.equal(await versionsOf(client, schema), allVersions);
  });
});

test('a role that is no superuser and owns the schema can migrate, and owns the result', async () => {
  await onConnection(async (client, schema) => {
    const role = `queue_owner_${process.pid}`;
    await client.query(`CREATE ROLE ${role} NOLOGIN`);
    await client.query(`CREATE SCHEMA ${schema} AUTHORIZATION ${role}`);
    await client.query('BEGIN');
    await client.query(`SET LOCAL ROLE ${role}`);

    await migrate(client, { schema });

    await client.query('COMMIT');
    const { rows } = await client.query(`SELECT DISTINCT relowner::regrole::text AS owner FROM pg_class
      WHERE relnamespace = '${schema}'::regnamespace`);
    assert.deepEqual(rows, [{ owner: role }]);
    await client.query(`DROP OWNED BY ${role}`);
    await client.query(`DROP ROLE ${role}`);
  });
});

test('the settings of autovacuum are set where nobody has set any', async () => {
  await onConnection(async (client, schema) => {
    await migrate(client, { schema });

    const { rows } = await client.query(`SELECT reloptions FROM pg_class WHERE oid = '${schema}.river_job'::regclass`);
    assert.deepEqual(rows[0]?.reloptions, ['autovacuum_vacuum_scale_factor=0.01', 'autovacuum_vacuum_cost_delay=1']);
  });
});

test('a plan changes nothing, and its text does what the migration would have done', async () => {
  await onConnection(async (client, schema) => {
    await client.query(riverV5(schema));
    const steps = await planMigration(client, { schema });
    const before = await versionsOf(client, schema);

    await client.query(migrationSql({ schema, steps }));

    assert.equal(before, 'main 1, main 2, main 3, main 4, main 5');
    assert.deepEqual(await readCatalog(client, schemaName(schema)), await expectedOn(client));
  });
});

test('the text for an empty database needs no database to be written', async () => {
  await onConnection(async (client, schema) => {
    await client.query(migrationSql({ schema }));

    assert.deepEqual(await readCatalog(client, schemaName(schema)), await expectedOn(client));
  });
});

test('the bitmask has the last state at its left end', async () => {
  await onConnection(async (client, schema) => {
    await migrate(client, { schema });

    const { rows } =
      await client.query(`SELECT state, mask FROM unnest(enum_range(NULL::${schema}.river_job_state)) AS state,
      (SELECT (1 << n)::bit(8) AS mask FROM generate_series(0, 7) AS n) AS masks
      WHERE ${schema}.river_job_state_in_bitmask(mask, state) ORDER BY state`);

    assert.deepEqual(
      rows.map(({ state, mask }) => `${state} ${mask}`),
      [
        'available 00000001',
        'cancelled 00000010',
        'completed 00000100',
        'discarded 00001000',
        'pending 00010000',
        'retryable 00100000',
        'running 01000000',
        'scheduled 10000000',
      ],
    );
  });
});
