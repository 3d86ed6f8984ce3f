/**
 * Functions that take a row are called with one that the caller made up: what they then do is what the caller might do
 * without them. Every attempt runs as an application role and is rolled back; the end looks for what is left.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';
import pg from 'pg';

const stored = '00000000-0000-7000-8000-00000000000a';
const writing = '00000000-0000-7000-8000-00000000000b';
const readable = '00000000-0000-7000-8000-00000000000d';
const upload = '00000000-0000-7000-8000-00000000000c';

let database: MigratedDatabase;
let client: pg.Client;

before(async () => {
  database = await createMigratedDatabase();
  await database.query(`
    ALTER TABLE storage.objects DISABLE TRIGGER objects_10_reference;
    INSERT INTO storage.buckets (id, owner_id, policy) VALUES ('mine', 'mallory', 'private'), ('theirs', 'victor', 'private'), ('all', 'victor', 'authenticated');
    INSERT INTO storage.versions (id, backend, key, state, size, stored_at, expires_at) VALUES
      ('${stored}', 'disk', 'objects/0a/a', 'stored', 10, now(), NULL), ('${readable}', 'disk', 'objects/0d/d', 'stored', 20, now(), NULL),
      ('${writing}', 'disk', 'objects/0b/b', 'writing', NULL, NULL, now() + interval '1 hour');
    SELECT set_config('request.jwt.claims', '{"sub":"victor"}', false);
    INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('theirs', 'secret', '${stored}'), ('all', 'shared', '${readable}');
    INSERT INTO storage.uploads (id, version_id, kind, bucket_id, name, caller_role, caller_claims, size_max, overwrite, expires_at)
      VALUES ('${upload}', '${writing}', 'body', 'mine', 'coming', 'authenticated', '{"sub":"mallory"}', 10, true, now() + interval '1 hour');
    ALTER TABLE storage.objects ENABLE TRIGGER objects_10_reference;`);
  client = new pg.Client({ connectionString: database.apiUrl });
  await client.connect();
});
after(async () => {
  await client.end();
  await database.drop();
});

type Outcome = { readonly code: string; readonly message: string } | { readonly rows: readonly unknown[] };

/** Runs a statement as mallory in an application role. */
async function attempt(statement: string, role = 'authenticated'): Promise<Outcome> {
  await client.query('BEGIN');
  try {
    await client.query("SELECT set_config('request.jwt.claims', $1, true), set_config('role', $2, true)", [
      JSON.stringify({ sub: 'mallory', role }),
      role,
    ]);
    return { rows: (await client.query(statement)).rows };
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { code, message };
  } finally {
    await client.query('ROLLBACK');
  }
}

/** A row of storage.uploads that nobody has written. */
const forgedUpload = (fields: Readonly<Record<string, unknown>>): string =>
  `jsonb_populate_record(NULL::storage.uploads, '${JSON.stringify({
    id: upload,
    version_id: stored,
    kind: 'body',
    state: 'committing',
    bucket_id: 'mine',
    name: 'forged',
    caller_role: 'service_role',
    caller_claims: { role: 'service_role' },
    size_max: 1e9,
    overwrite: true,
    ...fields,
  })}')`;

describe('storage.write_object with a forged upload', () => {
  for (const [what, fields] of [
    ["somebody's bytes under a name of one's own", {}],
    ['bytes that are still being written', { version_id: writing, name: 'coming' }],
    ["somebody's object", { bucket_id: 'theirs', name: 'secret' }],
    ["a bucket of somebody's", { bucket_id: 'theirs', name: 'new' }],
    ['without overwriting', { overwrite: false }],
    ['a version that does not exist', { version_id: '00000000-0000-7000-8000-0000000000ff' }],
  ] as const) {
    test(`cannot write ${what}`, async () => {
      const outcome = await attempt(`SELECT * FROM storage.write_object(${forgedUpload(fields)})`);

      assert.ok('code' in outcome && ['42501', 'RWLCK'].includes(outcome.code), JSON.stringify(outcome));
    });
  }

  test('may write what an UPDATE of the same caller may: bytes that they can read', async () => {
    const outcome = await attempt(
      `SELECT storage.write_object(${forgedUpload({ version_id: readable, bucket_id: 'all', name: 'shared' })}) AS created`,
    );
    const [row] = await database.query("SELECT owner_id FROM storage.objects WHERE name = 'shared'");

    assert.ok('rows' in outcome, JSON.stringify(outcome));
    assert.equal(row?.['owner_id'], 'victor');
  });
});

describe('storage.may_move with forged rows', () => {
  test('moves nothing: the trigger asks with the rows of the table', async () => {
    const said = await attempt(`SELECT storage.may_move(
      jsonb_populate_record(NULL::storage.objects, '{"owner_id": "mallory"}'), NULL) AS yes`);
    const moved = await attempt("UPDATE storage.objects SET name = 'taken' WHERE name = 'shared'");

    assert.deepEqual(said, { rows: [{ yes: true }] });
    assert.ok('code' in moved && moved.code === '42501', JSON.stringify(moved));
  });
});

describe('functions of the doors with forged rows', () => {
  for (const call of [
    `storage_internal.open_upload(${forgedUpload({})}, 'disk', 'objects/0f/f', interval '0')`,
    `storage_internal.finish_upload(${forgedUpload({ bucket_id: 'theirs', name: 'secret' })})`,
    `storage_internal.attach_file(${forgedUpload({ kind: 'direct' })}, NULL)`,
    `storage_internal.take_upload('${upload}', 1, NULL, NULL, NULL)`,
    `storage_internal.become('service_role', '{}', 'x')`,
    `storage_internal.read_object_as('service_role', '{}', 'x', 'theirs', 'secret', NULL)`,
  ]) {
    for (const role of ['anon', 'authenticated', 'service_role']) {
      test(`${role} cannot call ${call.split('(')[0]}`, async () => {
        const outcome = await attempt(`SELECT * FROM ${call}`, role);

        assert.ok('code' in outcome && outcome.code === '42501', JSON.stringify(outcome));
      });
    }
  }
});

describe('functions of the API schema', () => {
  test('believe no claim, role, owner or key that is an argument: there is none', async () => {
    const rows = await database.query(`
      SELECT p.proname, argument FROM pg_proc AS p, unnest(p.proargnames, p.proargmodes) AS a (argument, mode)
      WHERE p.pronamespace = 'public'::regnamespace AND pg_get_userbyid(p.proowner) = 'rowlock_owner'
        AND coalesce(mode, 'i') NOT IN ('o', 't') AND argument ~ '(claim|role|owner|created_by|requested_by|caller)'`);

    assert.deepEqual(rows, []);
  });

  test('take no row, but those that are columns of a select and believe its id only', async () => {
    const rows = await database.query<{ call: string }>(`
      SELECT p.oid::regprocedure::text AS call FROM pg_proc AS p, unnest(p.proargtypes) AS argument JOIN pg_type AS t ON t.oid = argument
      WHERE p.pronamespace = 'public'::regnamespace AND pg_get_userbyid(p.proowner) = 'rowlock_owner' AND t.typtype IN ('c', 'p')
      ORDER BY 1`);

    // What they do with a forged row is tested in presign-attacks.test.ts.
    assert.deepEqual(
      rows.map(({ call }) => call),
      [
        'download_url(storage_objects)',
        'original_url(files)',
        'thumbnail_large_url(files)',
        'thumbnail_medium_url(files)',
        'thumbnail_small_url(files)',
      ],
    );
  });

  test('hang on no other table: a trigger function of ours cannot be used by the owner of a table', async () => {
    for (const name of ['files_deleted', 'entity_files_delete', 'objects_fill', 'objects_deleted']) {
      const outcome = await attempt(`CREATE TEMP TABLE bait (object_id uuid, upload_id uuid, id uuid);
        CREATE TRIGGER bait AFTER DELETE ON bait REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION storage.${name}()`);

      assert.ok('code' in outcome && outcome.code === '42501', `${name}: ${JSON.stringify(outcome)}`);
    }
  });
});

test('a control: the same calls do what they do for the owner of the database', async () => {
  const [row] = await database.query<{ name: string }>(
    `SELECT (storage_internal.finish_upload(${forgedUpload({ id: '00000000-0000-7000-8000-0000000000fe', bucket_id: 'theirs', name: 'secret' })})).name`,
  );

  assert.equal(row?.name, 'secret');
});
