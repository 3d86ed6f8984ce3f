/** Queries of applications for what is their caller's own are found by the index, on new databases and on older ones. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { migrate } from '@rowlock/server';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';
import pg from 'pg';

let database: MigratedDatabase;

before(async () => {
  database = await createMigratedDatabase();
});
after(() => database.drop());

const coalescing = `CREATE OR REPLACE FUNCTION storage.caller_id() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  BEGIN ATOMIC SELECT coalesce(storage.claim('sub'), storage.claim('user', 'user_id')); END`;

/** How a caller's query for their own objects is planned, of more rows than are worth reading. */
async function planOf(query: string): Promise<string> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query(`SET LOCAL session_replication_role = replica;
      INSERT INTO storage.buckets (id, name) VALUES ('many', 'many');
      INSERT INTO storage.objects (bucket_id, name, owner_id, version_id, size, content_type)
        SELECT 'many', n::text, 'owner ' || n % 1000, gen_random_uuid(), n, 'text/plain' FROM generate_series(1, 20000) AS n;
      ANALYZE storage.objects;
      SET LOCAL ROLE authenticated`);
    await client.query(`SELECT set_config('request.jwt.claims', '{"sub":"owner 7"}', true)`);
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${query}`);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  } finally {
    await client.end();
  }
}

const own = `SELECT * FROM public.storage_objects
  WHERE bucket_id = 'many' AND owner_id = storage.caller_id() AND size < 1000000`;

test("what is the caller's own below a size is found by the index on owners", async () => {
  assert.match(await planOf(own), /on objects_owner_id_idx|using objects_owner_id_idx/);
});

test('a database of an earlier version gets the function that the index can be used with', async () => {
  await database.query(coalescing);
  assert.doesNotMatch(await planOf(own), /objects_owner_id_idx/, 'this is what the migration is for');
  await database.query("DELETE FROM storage.migrations WHERE name = 'migrations/0006_owners_found_by_index'");

  await migrate({ url: database.url });

  assert.match(await planOf(own), /objects_owner_id_idx/);
});

test('a function that somebody put in the place of ours stays', async () => {
  const theirs = `CREATE OR REPLACE FUNCTION storage.caller_id() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC SELECT storage.claim('email'); END`;
  await database.query(theirs);
  await database.query("DELETE FROM storage.migrations WHERE name = 'migrations/0006_owners_found_by_index'");

  await migrate({ url: database.url });

  const [row] = await database.query<{ body: string }>(
    "SELECT pg_get_function_sqlbody('storage.caller_id()'::regprocedure) AS body",
  );
  assert.match(row?.body ?? '', /email/);
});
