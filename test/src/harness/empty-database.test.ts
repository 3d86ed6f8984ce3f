import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { createEmptyDatabase, databaseServerUrl, until } from '@rowlock/test-harness';
import { isRunning } from '../embedded-postgres/processes.ts';
import { sql } from '../embedded-postgres/server-in-child.ts';

test('a database is empty, has the wanted prefix and is gone after drop, whoever is connected', async () => {
  const database = await createEmptyDatabase({ prefix: 'harness' });
  const tables = await sql(database.url, "SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace");

  await database.drop();

  assert.deepEqual(tables, []);
  assert.match(database.name, /^harness_\d+_[0-9a-f]{8}$/);
  const left = await sql(await databaseServerUrl(), `SELECT 1 FROM pg_database WHERE datname = '${database.name}'`);
  assert.deepEqual(left, []);
  await database.drop();
});

test('databases that are made at the same time do not share a name', async () => {
  const databases = await Promise.all(Array.from({ length: 4 }, () => createEmptyDatabase()));

  assert.equal(new Set(databases.map(({ name }) => name)).size, 4);

  await Promise.all(databases.map(({ drop }) => drop()));
});

test('a prefix that would need quoting is refused', async () => {
  await assert.rejects(createEmptyDatabase({ prefix: 'x"; --' }), TypeError);
});

test('a test file that is run alone gets a server of its own, which ends with it', async () => {
  const program = `
    const { databaseServerUrl } = await import(process.argv[1]);
    const { default: pg } = await import(process.argv[2]);
    const client = new pg.Client(await databaseServerUrl());
    await client.connect();
    const { rows } = await client.query(
      "SELECT current_setting('data_directory') AS folder, pg_backend_pid() AS pid");
    await client.end();
    console.log(JSON.stringify(rows[0]));`;
  const modules = ['@rowlock/test-harness', 'pg'].map((name) => import.meta.resolve(name));
  const { ROWLOCK_TEST_DATABASE_URL: _, NODE_TEST_CONTEXT: __, ...env } = process.env;

  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program, ...modules], { env });

  const { folder, pid } = JSON.parse(output.toString()) as { folder: string; pid: number };
  await until(() => !existsSync(folder) && !isRunning(pid), { what: 'the server and its folder are gone' });
});
