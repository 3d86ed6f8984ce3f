/** Row 64 of the attacks: the catalog keeps its rules, and a catalog that was made bad on purpose is told by name. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { migrate } from '@rowlock/server';
import { createEmptyDatabase, createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';
import pg from 'pg';
import { catalogRules, pathlessFunctions, publicFunctions, tablesWithoutRowSecurity } from './catalog-rules.ts';

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

/** The offenders of a rule in a catalog that a statement spoiled; nothing stays spoiled. */
async function offenders(query: string, spoil = 'SELECT'): Promise<readonly string[]> {
  await client.query('BEGIN');
  try {
    await client.query(spoil);
    await client.query('SET LOCAL search_path = pg_catalog');
    return (await client.query<{ line: string }>(query)).rows.map(({ line }) => line);
  } finally {
    await client.query('ROLLBACK');
  }
}

/** For each rule what breaks it, and the name that must be reported. */
const spoilers: readonly (readonly [rule: string, spoil: string, offender: string])[] = [
  [
    'every function sets a search_path',
    "CREATE FUNCTION storage_internal.bad() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
    'storage_internal.bad()',
  ],
  [
    'every function sets a search_path',
    "CREATE FUNCTION storage.bad() RETURNS int LANGUAGE sql SET search_path = pg_temp, pg_catalog AS 'SELECT 1'",
    'storage.bad()',
  ],
  [
    'every function sets a search_path',
    'CREATE FUNCTION storage.bad() RETURNS int LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT 1; END',
    'storage.bad()',
  ],
  [
    'PUBLIC executes no function',
    'GRANT EXECUTE ON FUNCTION storage_internal.sweep_expired(integer) TO PUBLIC',
    'storage_internal.sweep_expired(integer)',
  ],
  [
    'PUBLIC executes no function',
    "CREATE FUNCTION storage.bad() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    'storage.bad()',
  ],
  [
    'nobody but the owner may execute a trigger function',
    'GRANT EXECUTE ON FUNCTION storage.files_deleted() TO rowlock_worker',
    'storage.files_deleted()',
  ],
  [
    'no function that application roles can name takes an identity',
    `CREATE FUNCTION public.bad(caller_claims jsonb) RETURNS int LANGUAGE sql AS 'SELECT 1';
     ALTER FUNCTION public.bad OWNER TO rowlock_owner; GRANT EXECUTE ON FUNCTION public.bad TO authenticated`,
    'public.bad(jsonb)',
  ],
  ['every view is security_invoker', 'ALTER VIEW public.files RESET (security_invoker)', 'public.files'],
  [
    'a view that filters rows is a security_barrier',
    'CREATE VIEW storage.bad WITH (security_invoker = true) AS SELECT id FROM storage.buckets WHERE public',
    'storage.bad',
  ],
  ['every table has row-level security', 'CREATE TABLE storage.bad (id int)', 'storage.bad'],
  ['every table has row-level security', 'ALTER TABLE metadata.files DISABLE ROW LEVEL SECURITY', 'metadata.files'],
  [
    'a table without row-level security is granted to the worker only',
    'GRANT SELECT ON metadata.river_job TO service_role',
    'metadata.river_job',
  ],
  ['no policy is for PUBLIC', 'CREATE POLICY bad ON storage.objects USING (true)', 'bad on storage.objects'],
  [
    'every trigger is enabled',
    'ALTER TABLE storage.objects DISABLE TRIGGER objects_10_reference',
    'objects_10_reference on storage.objects',
  ],
  ['everything in our schemas belongs to the owner', 'CREATE TABLE storage.bad (id int)', 'storage.bad'],
  ['everything in our schemas belongs to the owner', 'ALTER ROLE rowlock_owner LOGIN', 'rowlock_owner'],
  ['no role of ours is a superuser', 'ALTER ROLE service_role BYPASSRLS', 'service_role'],
  ['no role of ours is a superuser', 'ALTER ROLE rowlock_worker CREATEROLE', 'rowlock_worker'],
  [
    'the login roles inherit nothing',
    'GRANT rowlock_owner TO rowlock_authenticator',
    'rowlock_authenticator in rowlock_owner',
  ],
  ['the login roles inherit nothing', 'GRANT pg_read_all_data TO anon', 'anon in pg_read_all_data'],
  ['the login roles inherit nothing', 'ALTER ROLE rowlock_authenticator INHERIT', 'rowlock_authenticator'],
  [
    'the login role of the API has no right',
    'GRANT SELECT (name) ON storage.buckets TO rowlock_authenticator',
    'storage.buckets',
  ],
  [
    'the login role of the API has no right',
    'GRANT USAGE ON SEQUENCE metadata.river_job_id_seq TO rowlock_authenticator',
    'metadata.river_job_id_seq',
  ],
  [
    'the login role of the API executes what begins',
    'GRANT EXECUTE ON FUNCTION storage_internal.sweep_expired(integer) TO rowlock_authenticator',
    'storage_internal.sweep_expired(integer)',
  ],
  [
    'the login role of the worker writes the tables of the queue only',
    'GRANT UPDATE (state) ON storage.versions TO rowlock_worker',
    'storage.versions',
  ],
  ['the statements of the worker find nothing', 'ALTER ROLE rowlock_worker RESET search_path', 'rowlock_worker'],
  [
    'only the owner creates in our schemas',
    'GRANT CREATE ON SCHEMA storage TO authenticated',
    'authenticated may CREATE in storage',
  ],
  [
    'only the owner creates in our schemas',
    'GRANT USAGE ON SCHEMA storage_internal TO anon',
    'anon may USE storage_internal',
  ],
  [
    'what signs is named by nobody',
    'GRANT USAGE ON SCHEMA storage_sign TO service_role',
    'service_role may USE storage_sign',
  ],
  [
    'what signs is named by nobody',
    'GRANT SELECT ON storage.s3_signing_keys TO rowlock_worker',
    'rowlock_worker has SELECT on s3_signing_keys',
  ],
  [
    'what signs is named by nobody',
    'CREATE POLICY bad ON storage.s3_signing_keys TO rowlock_worker USING (true)',
    'bad on s3_signing_keys',
  ],
  [
    'nobody may pass a right on',
    'GRANT SELECT ON storage.buckets TO authenticated WITH GRANT OPTION',
    'authenticated on storage.buckets',
  ],
  [
    'what the owner creates next is granted to nobody',
    'ALTER DEFAULT PRIVILEGES FOR ROLE rowlock_owner GRANT EXECUTE ON FUNCTIONS TO PUBLIC',
    'functions that the owner creates are executable by PUBLIC',
  ],
];

describe('64 the catalog of a migrated database', () => {
  for (const rule of catalogRules) {
    test(rule.name, async () => {
      assert.deepEqual(await offenders(rule.offenders), []);
    });
  }
});

describe('64 a catalog that was made bad is told', () => {
  for (const [name, spoil, offender] of spoilers) {
    test(`${name}: ${spoil.replace(/\s+/g, ' ').slice(0, 60)}`, async () => {
      const rule = catalogRules.find((each) => each.name.startsWith(name));
      assert.ok(rule, `there is a rule ${name}`);

      const found = await offenders(rule.offenders, spoil);

      assert.ok(found.includes(offender), `${offender} is named in ${JSON.stringify(found)}`);
    });
  }

  test('every rule has been seen to report', () => {
    const seen = catalogRules.filter((rule) => spoilers.some(([name]) => rule.name.startsWith(name)));

    assert.deepEqual(seen, catalogRules);
  });
});

test('64 every exception of a rule names something that exists', async () => {
  const [row] = await database.query<{ missing: string[] }>(
    `SELECT array(SELECT f FROM unnest($1::text[]) AS f WHERE to_regprocedure(f) IS NULL)
       || array(SELECT t FROM unnest($2::text[]) AS t WHERE to_regclass(t) IS NULL) AS missing`,
    [[...Object.keys(publicFunctions), ...Object.keys(pathlessFunctions)], Object.keys(tablesWithoutRowSecurity)],
  );

  assert.deepEqual(row?.missing, []);
});

test('64 functions, tables and sequences that the owner creates later are nobody else’s', async () => {
  const found = await offenders(
    `SELECT format('%s %s', role, thing) AS line
     FROM unnest(ARRAY['anon', 'authenticated', 'service_role', 'rowlock_authenticator', 'rowlock_worker']) AS role,
       LATERAL (VALUES
         ('function', has_function_privilege(role, 'storage.later()', 'EXECUTE')),
         ('table', has_table_privilege(role, 'storage.later', 'SELECT, INSERT, UPDATE, DELETE')),
         ('sequence', has_sequence_privilege(role, 'storage.later_id_seq', 'USAGE'))) AS privilege (thing, held)
     WHERE held`,
    `SET LOCAL ROLE rowlock_owner; CREATE TABLE storage.later (id serial);
     CREATE FUNCTION storage.later() RETURNS int LANGUAGE sql AS 'SELECT 1'; RESET ROLE`,
  );

  assert.deepEqual(found, []);
});

test('64 the shim of auth.uid() lets PUBLIC read its own claims, and breaks no other rule', async () => {
  const empty = await createEmptyDatabase();
  await migrate({ url: empty.url, withAuthShim: true });
  const shimmed = new pg.Client({ connectionString: empty.url });
  await shimmed.connect();

  await shimmed.query('SET search_path = pg_catalog');
  const broken: string[] = [];
  for (const rule of catalogRules) {
    const { rows } = await shimmed.query<{ line: string }>(rule.offenders);
    broken.push(...rows.map(({ line }) => `${rule.name}: ${line}`));
  }
  await shimmed.query(
    `SELECT set_config('role', 'anon', false), set_config('request.jwt.claims', '{"sub":"${'0'.repeat(32)}"}', false)`,
  );
  const { rows } = await shimmed.query('SELECT auth.uid() AS uid');
  await shimmed.end();
  await empty.drop();

  assert.deepEqual(broken.sort(), [
    'PUBLIC executes no function that is not listed: auth.jwt()',
    'PUBLIC executes no function that is not listed: auth.role()',
    'PUBLIC executes no function that is not listed: auth.uid()',
    'the login role of the API executes what begins, commits or reads, and nothing else: auth.jwt()',
    'the login role of the API executes what begins, commits or reads, and nothing else: auth.role()',
    'the login role of the API executes what begins, commits or reads, and nothing else: auth.uid()',
  ]);
  assert.deepEqual(rows, [{ uid: '00000000-0000-0000-0000-000000000000' }]);
});
