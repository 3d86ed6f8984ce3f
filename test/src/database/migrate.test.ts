/** Migration: idempotent, concurrent, dry, without a superuser; and the catalog it makes is the one that is written down. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { migrate, printSchema } from '@rowlock/server';
import { createEmptyDatabase, startTestServer } from '@rowlock/test-harness';
import pg from 'pg';

const schemas = ['storage', 'storage_internal', 'storage_sign', 'metadata', 'public'];
const schemaFile = fileURLToPath(new URL('../../../packages/server/sql/schema.sql', import.meta.url));
const cleanUp: (() => Promise<void>)[] = [];

after(async () => {
  for (const step of cleanUp) {
    await step();
  }
});

async function emptyDatabase(): Promise<string> {
  const database = await createEmptyDatabase();
  cleanUp.push(() => database.drop());
  return database.url;
}

async function onDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const print = (url: string): Promise<string> => onDatabase(url, (client) => printSchema(client, schemas));

test('the catalog is the one of sql/schema.sql', async () => {
  const url = await emptyDatabase();
  await migrate({ url });

  const printed = await print(url);

  if (process.env['ROWLOCK_WRITE_SCHEMA'] === '1') {
    await writeFile(schemaFile, printed);
  }
  assert.equal(printed, await readFile(schemaFile, 'utf8'), 'run ROWLOCK_WRITE_SCHEMA=1 npm test -- database/migrate');
});

test('a second run applies nothing and changes nothing', async () => {
  const url = await emptyDatabase();

  const first = await migrate({ url });
  const before = await print(url);
  const second = await migrate({ url });

  assert.ok(first.applied.includes('migrations/0001_storage'));
  assert.deepEqual(second.applied, []);
  assert.deepEqual(second.present, first.applied);
  assert.equal(await print(url), before);
});

test('a dry run says what it would do and does nothing', async () => {
  const url = await emptyDatabase();

  const report = await migrate({ url, dryRun: true });

  assert.ok(report.applied.length > 0);
  const [left] = await onDatabase(
    url,
    async (client) => (await client.query("SELECT to_regnamespace('storage') AS storage")).rows,
  );
  assert.equal(left.storage, null);
});

test('several runs at once, on one database and on two, all succeed', async () => {
  const [one, two] = await Promise.all([emptyDatabase(), emptyDatabase()]);

  const reports = await Promise.all([one, one, one, two, two].map((url) => migrate({ url })));

  assert.equal(
    reports.filter((report) => report.applied.length > 0).length,
    2,
    'each database was migrated by one run',
  );
  assert.equal(await print(one), await print(two));
});

test('what users replaced or dropped stays so through a later run', async () => {
  const url = await emptyDatabase();
  await migrate({ url });
  await onDatabase(url, async (client) => {
    await client.query('DROP POLICY objects_read_public ON storage.objects');
    await client.query(
      "CREATE OR REPLACE FUNCTION storage.caller_id() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'mine' $$",
    );
  });

  await migrate({ url });

  const [row] = await onDatabase(
    url,
    async (client) =>
      (
        await client.query(
          "SELECT storage.caller_id() AS id, (SELECT count(*) FROM pg_policies WHERE policyname = 'objects_read_public') AS n",
        )
      ).rows,
  );
  assert.deepEqual(row, { id: 'mine', n: '0' });
});

test('a migration that was edited after it was applied is refused', async () => {
  const url = await emptyDatabase();
  await migrate({ url });
  await onDatabase(url, (client) =>
    client.query("UPDATE storage.migrations SET checksum = 'x' WHERE name = 'migrations/0001_storage'"),
  );

  await assert.rejects(migrate({ url }), /was changed after it was applied/);
});

test('a failing run leaves nothing behind', async () => {
  const url = await emptyDatabase();
  await onDatabase(url, (client) => client.query('CREATE SCHEMA metadata; CREATE TABLE metadata.files (x int)'));

  await assert.rejects(migrate({ url }));

  const [left] = await onDatabase(
    url,
    async (client) => (await client.query("SELECT to_regnamespace('storage') AS storage")).rows,
  );
  assert.equal(left.storage, null);
});

describe('on a server of its own', () => {
  test('a role that owns the database and may create roles is enough', async () => {
    const server = await startTestServer();
    cleanUp.push(() => server.stop());
    await onDatabase(server.url, async (client) => {
      await client.query("CREATE ROLE owner_of_app LOGIN CREATEROLE PASSWORD 'secret'");
      await client.query('CREATE DATABASE app OWNER owner_of_app');
    });
    const url = new URL(server.url);
    url.username = 'owner_of_app';
    url.password = 'secret';
    url.pathname = '/app';

    const report = await migrate({ url: url.href });
    const again = await migrate({ url: url.href });

    assert.ok(report.applied.length > 0);
    assert.deepEqual(again.applied, []);
    url.username = 'nobody_special';
    await onDatabase(server.url, (client) => client.query("CREATE ROLE nobody_special LOGIN PASSWORD 'secret'"));
    await assert.rejects(migrate({ url: url.href }), /owns the database and has CREATEROLE|roles\.sql/);
  });
});
