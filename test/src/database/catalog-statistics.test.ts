/**
 * Row 66 of the attacks: what a role learns of rows that its policies hide, from statistics, plans and filters of its
 * own. What cannot be hidden, such as how many rows a table has about, is said in docs/reference/access.md.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';
import pg from 'pg';

const secret = 'the-name-that-nobody-may-learn';
const visible = 'the-name-that-everybody-may-learn';
const hiddenVersion = '00000000-0000-7000-8000-00000000000a';
const shownVersion = '00000000-0000-7000-8000-00000000000b';

let database: MigratedDatabase;
let client: pg.Client;
let notices: string[] = [];

before(async () => {
  database = await createMigratedDatabase();
  await database.query(`
    ALTER TABLE storage.objects DISABLE TRIGGER objects_10_reference;
    INSERT INTO storage.buckets (id, owner_id, policy) VALUES ('closed', 'victor', 'private'), ('opened', 'victor', 'public');
    INSERT INTO storage.versions (id, backend, key, state, size, stored_at) VALUES
      ('${hiddenVersion}', 'disk', 'objects/0a/a', 'stored', 10, now()), ('${shownVersion}', 'disk', 'objects/0b/b', 'stored', 10, now());
    INSERT INTO storage.objects (bucket_id, name, version_id)
      SELECT 'closed', '${secret}' || CASE n WHEN 0 THEN '' ELSE n::text END, '${hiddenVersion}' FROM generate_series(0, 9) AS n;
    INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('opened', '${visible}', '${shownVersion}');
    INSERT INTO metadata.files (entity_type, entity_id, file_name, file_type, file_size, s3_original_key, created_by)
      SELECT 'issue', '${secret}', '${secret}', 'text/plain', 1, '${secret}', 'victor' FROM generate_series(1, 10);
    ALTER TABLE storage.objects ENABLE TRIGGER objects_10_reference;
    CREATE FUNCTION public.leak(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001
      AS $$ BEGIN RAISE NOTICE 'leaked %', value; RETURN true; END $$;
    ANALYZE;`);
  client = new pg.Client({ connectionString: database.apiUrl });
  client.on('notice', ({ message }) => notices.push(message ?? ''));
  await client.connect();
});
after(async () => {
  await client.end();
  await database.drop();
});

/** The rows that a statement of an application role answers. */
async function as(role: string, statement: string): Promise<readonly Record<string, unknown>[]> {
  notices = [];
  await client.query('BEGIN');
  try {
    await client.query("SELECT set_config('request.jwt.claims', $1, true), set_config('role', $2, true)", [
      JSON.stringify({ sub: 'mallory', role }),
      role,
    ]);
    return (await client.query(statement)).rows;
  } finally {
    await client.query('ROLLBACK');
  }
}

describe('66 statistics', () => {
  for (const role of ['anon', 'authenticated', 'rowlock_authenticator']) {
    test(`${role} sees none of our tables' values in any view of statistics`, async () => {
      for (const view of ['pg_stats', 'pg_stats_ext', 'pg_stats_ext_exprs']) {
        assert.deepEqual(
          await as(role, `SELECT schemaname, tablename FROM ${view} WHERE schemaname IN ('storage', 'metadata')`),
          [],
          view,
        );
      }
      await assert.rejects(as(role, 'SELECT stavalues1 FROM pg_statistic'), { code: '42501' });
    });
  }

  test('the owner of the database sees them, so they are there', async () => {
    const rows = await database.query(
      "SELECT FROM pg_stats WHERE schemaname = 'storage' AND tablename = 'objects' AND most_common_vals::text LIKE '%closed%'",
    );

    assert.ok(rows.length > 0);
  });
});

describe('66 filters and plans', () => {
  for (const [role, from] of [
    ['anon', 'storage.objects'],
    ['authenticated', 'storage.objects'],
    ['authenticated', 'public.storage_objects'],
  ] as const) {
    test(`a function that leaks what it is given is shown visible rows of ${from} only, as ${role}`, async () => {
      await as(role, `SELECT id FROM ${from} WHERE public.leak(name)`);

      assert.deepEqual(notices, [`leaked ${visible}`]);
    });
  }

  test('and of files none', async () => {
    await as('authenticated', 'SELECT id FROM metadata.files WHERE public.leak(file_name)');
    await as('authenticated', 'SELECT id FROM public.files WHERE public.leak(s3_original_key)');

    assert.deepEqual(notices, []);
  });

  test('a function that would fail on a hidden row is not asked', async () => {
    const rows = await as('anon', `SELECT name FROM storage.objects WHERE 1 / (name <> '${secret}')::int = 1`);

    assert.deepEqual(
      rows.map(({ name }) => name),
      [visible],
    );
  });

  test('a function of the caller cannot be declared leakproof', async () => {
    await assert.rejects(
      as(
        'authenticated',
        'CREATE FUNCTION pg_temp.f(text) RETURNS boolean LANGUAGE sql LEAKPROOF AS $$ SELECT true $$',
      ),
      { code: '42501' },
    );
  });

  test('no plan, analyzed or not, has a value of a hidden row in it', async () => {
    for (const options of ['', '(ANALYZE, VERBOSE, BUFFERS)', '(FORMAT JSON, VERBOSE)']) {
      const rows = await as('authenticated', `EXPLAIN ${options} SELECT * FROM storage.objects WHERE name LIKE 'the%'`);

      assert.ok(rows.length > 0);
      assert.doesNotMatch(JSON.stringify(rows), /nobody-may-learn|0000000000a|objects\/0a/);
    }
  });

  test('the key of a hidden version is in no error of a foreign key or of a unique index', async () => {
    const refused = await as(
      'authenticated',
      `INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('closed', '${secret}', '${hiddenVersion}')`,
    ).then(
      () => 'written',
      (error: Error) => JSON.stringify({ ...error, message: error.message }),
    );

    assert.notEqual(refused, 'written');
    assert.doesNotMatch(refused, /objects\/0a|nobody-may-learn/);
  });
});
