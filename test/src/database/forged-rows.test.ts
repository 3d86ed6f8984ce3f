/**
 * What application roles cannot make the database say. Every attempt is a statement that a holder of a token could
 * send through PostgREST or SQL; the control at the end shows that the same statements work for the owner.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';
import pg from 'pg';

let database: MigratedDatabase;
let client: pg.Client;

const victim = '00000000-0000-7000-8000-000000000001';
const hidden = '00000000-0000-7000-8000-000000000002';
const shared = '00000000-0000-7000-8000-000000000004';

before(async () => {
  database = await createMigratedDatabase();
  // Rows that only a commit makes: arranged by the database's owner, with the guard out of the way.
  await database.query(`
    ALTER TABLE storage.objects DISABLE TRIGGER objects_10_reference;
    INSERT INTO storage.buckets (id, owner_id, policy) VALUES ('mine', 'mallory', 'private'), ('theirs', 'victor', 'private'), ('all', NULL, 'authenticated');
    INSERT INTO storage.versions (id, backend, key, state, size, stored_at, content_type) VALUES
      ('${victim}', 'disk', 'objects/01/1', 'stored', 10, now(), 'text/plain'), ('${hidden}', 'disk', 'objects/02/2', 'stored', 20, now(), 'text/plain'),
      ('${shared}', 'disk', 'objects/04/4', 'stored', 40, now(), 'text/plain');
    SELECT set_config('request.jwt.claims', '{"sub":"mallory"}', false);
    INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('mine', 'own', '${victim}');
    SELECT set_config('request.jwt.claims', '{"sub":"victor"}', false);
    INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('theirs', 'secret', '${hidden}'), ('all', 'shared', '${shared}');
    ALTER TABLE storage.objects ENABLE TRIGGER objects_10_reference;`);
  client = new pg.Client({ connectionString: database.apiUrl });
  await client.connect();
});
after(async () => {
  await client.end();
  await database.drop();
});

/** Runs a statement as an application role, in a transaction that is always rolled back. */
async function attempt(
  statement: string,
  role = 'authenticated',
  sub = 'mallory',
): Promise<{ code: string } | { rows: number; first: unknown }> {
  await client.query('BEGIN');
  try {
    await client.query("SELECT set_config('request.jwt.claims', $1, true), set_config('role', $2, true)", [
      JSON.stringify({ sub, role }),
      role,
    ]);
    const result = await client.query(statement);
    return { rows: result.rowCount ?? 0, first: result.rows[0] };
  } catch (error) {
    return { code: (error as { code: string }).code };
  } finally {
    await client.query('ROLLBACK');
  }
}

const forbiddenTables = [
  'storage.versions',
  'storage.uploads',
  'storage.changes',
  'storage.settings',
  'storage.entities',
  'storage.migrations',
  'metadata.river_job',
  'metadata.river_queue',
  'metadata.river_leader',
];

describe('tables that only the server writes', () => {
  for (const table of forbiddenTables) {
    for (const role of ['anon', 'authenticated', 'service_role', 'rowlock_authenticator']) {
      test(`${role} can neither read nor write ${table}`, async () => {
        for (const statement of [
          `SELECT * FROM ${table}`,
          `DELETE FROM ${table}`,
          `INSERT INTO ${table} DEFAULT VALUES`,
          `TRUNCATE ${table}`,
          `LOCK TABLE ${table}`,
        ]) {
          assert.deepEqual(await attempt(statement, role), { code: '42501' }, statement);
        }
      });
    }
  }

  test('the login role of the API has no right on any table of ours', async () => {
    const rows = await database.query(`
      SELECT c.oid::regclass FROM pg_class AS c, unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE']) AS privilege
      WHERE c.relkind IN ('r', 'v') AND c.relnamespace IN ('storage'::regnamespace, 'metadata'::regnamespace, 'public'::regnamespace)
        AND pg_get_userbyid(c.relowner) = 'rowlock_owner' AND has_table_privilege('rowlock_authenticator', c.oid, privilege)`);

    assert.deepEqual(rows, []);
  });
});

describe('columns that the server vouches for', () => {
  for (const column of [
    'size',
    'content_type',
    'detected_type',
    'sha256',
    'owner_id',
    'revision',
    'created_at',
    'updated_at',
    'id',
  ]) {
    test(`${column} of an object cannot be inserted or changed`, async () => {
      for (const role of ['authenticated', 'service_role']) {
        assert.deepEqual(await attempt(`UPDATE storage.objects SET ${column} = DEFAULT`, role), { code: '42501' });
        assert.deepEqual(
          await attempt(
            `INSERT INTO storage.objects (bucket_id, name, version_id, ${column}) VALUES ('mine', 'x', '${victim}', DEFAULT)`,
            role,
          ),
          { code: '42501' },
        );
      }
    });
  }

  test('owner and policy of a bucket cannot be taken', async () => {
    assert.deepEqual(await attempt("UPDATE storage.buckets SET owner_id = 'mallory'"), { code: '42501' });
    assert.deepEqual(
      await attempt("INSERT INTO storage.buckets (id, name, owner_id) VALUES ('new', 'new', 'victor')"),
      { code: '42501' },
    );
    assert.deepEqual(await attempt("UPDATE storage.buckets SET policy = 'public' WHERE id = 'theirs'"), {
      rows: 0,
      first: undefined,
    });
  });

  test('files and upload requests are written by functions only', async () => {
    for (const table of ['metadata.files', 'metadata.file_upload_requests', 'public.files']) {
      assert.deepEqual(await attempt(`INSERT INTO ${table} (id) VALUES (gen_random_uuid())`), { code: '42501' }, table);
      assert.deepEqual(await attempt(`UPDATE ${table} SET entity_id = 'x'`), { code: '42501' }, table);
    }
  });
});

describe('references to bytes', () => {
  test('an object cannot point at bytes that the caller cannot read', async () => {
    assert.deepEqual(
      await attempt(`INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('mine', 'stolen', '${hidden}')`),
      { code: '42501' },
    );
    assert.deepEqual(await attempt(`UPDATE storage.objects SET version_id = '${hidden}' WHERE name = 'own'`), {
      code: '42501',
    });
  });

  test('an object cannot point at nothing, or at a version that does not exist', async () => {
    assert.deepEqual(await attempt("INSERT INTO storage.objects (bucket_id, name) VALUES ('mine', 'empty')"), {
      code: '23502',
    });
    assert.deepEqual(
      await attempt(
        "INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('mine', 'x', gen_random_uuid())",
      ),
      { code: '42501' },
    );
  });

  test('an open upload of somebody cannot be attached before its commit', async () => {
    await database.query(`
      INSERT INTO storage.versions (id, backend, key, expires_at) VALUES ('00000000-0000-7000-8000-000000000003', 'disk', 'objects/03/3', now() + interval '1 hour');
      INSERT INTO storage.uploads (id, version_id, kind, bucket_id, name, caller_role, caller_claims, size_max, overwrite, expires_at)
      VALUES (gen_random_uuid(), '00000000-0000-7000-8000-000000000003', 'body', 'mine', 'pending', 'authenticated', '{"sub":"mallory"}', 10, true, now() + interval '1 hour')`);

    assert.deepEqual(
      await attempt(
        "INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('mine', 'pending', '00000000-0000-7000-8000-000000000003')",
      ),
      { code: '42501' },
    );
  });

  test('a declared size does not survive: the copy says what the bytes are', async () => {
    const result = await attempt(`
      WITH forged AS (SELECT set_config('storage.declared', '{"size": 1, "content_type": "image/png"}', true))
      INSERT INTO storage.objects (bucket_id, name, version_id) SELECT 'mine', 'copy', '${victim}' FROM forged RETURNING size, content_type, owner_id`);

    assert.deepEqual(result, { rows: 1, first: { size: '10', content_type: 'text/plain', owner_id: 'mallory' } });
  });
});

describe('functions behind the doors', () => {
  for (const call of [
    "storage_internal.commit_upload(gen_random_uuid(), 'service_role', '{}', 1, NULL, NULL, NULL)",
    "storage_internal.abandon_upload(gen_random_uuid(), 'x')",
    "storage_internal.open_request('a', 'b', 'c', 'image/png', gen_random_uuid(), 'a/b/c')",
    "storage_internal.create_file(gen_random_uuid(), 'a', 'b', 'c', 'image/png', 1, 'x', 'y', NULL, true)",
    "storage_internal.open_signed_object('theirs', 'secret', gen_random_uuid(), NULL, 'x', 1, NULL, NULL, NULL, NULL, NULL)",
    "storage_internal.sign_object_as('service_role', '{}', 'theirs', 'secret', NULL, NULL, NULL, NULL, NULL)",
    "storage_internal.sign_objects_as('service_role', '{}', 'theirs', ARRAY['secret'])",
    'storage_internal.register_signed_url(NULL)',
    "storage_internal.object_info_as('service_role', '{}', 'x', 'theirs', 'secret', false)",
    'storage_internal.sweep_signed_urls(1)',
    `storage_internal.purge_begin('${victim}')`,
    `storage_internal.version_location('${hidden}')`,
    `storage_internal.enqueue_purges(ARRAY['${victim}'::uuid])`,
    "metadata.enqueue_job('version_purge', '{}', 'maintenance')",
    "metadata.enqueue_jobs('version_purge', ARRAY['{}'::jsonb], 'maintenance')",
  ]) {
    for (const role of ['anon', 'authenticated', 'service_role']) {
      test(`${role} cannot call ${call.split('(')[0]}`, async () => {
        assert.deepEqual(await attempt(`SELECT * FROM ${call}`, role), { code: '42501' });
      });
    }
  }

  test('an upload cannot be said to be committing from outside its commit', async () => {
    const result = await attempt(`SELECT storage.upload_is_committing('${victim}', 'mine', 'own') AS yes`);

    assert.deepEqual(result, { rows: 1, first: { yes: false } });
  });

  test("moving somebody else's object is refused although its content may be replaced", async () => {
    assert.deepEqual(await attempt("UPDATE storage.objects SET name = 'taken' WHERE name = 'shared'"), {
      code: '42501',
    });
    assert.deepEqual(await attempt("UPDATE storage.objects SET bucket_id = 'mine' WHERE name = 'shared'"), {
      code: '42501',
    });
    assert.deepEqual(await attempt("DELETE FROM storage.objects WHERE name = 'shared'"), { rows: 0, first: undefined });
  });
});

describe('the control: what the same role may do', () => {
  test('the owner renames and deletes an object of their own by SQL', async () => {
    assert.deepEqual(await attempt("UPDATE storage.objects SET name = 'renamed' WHERE name = 'own' RETURNING name"), {
      rows: 1,
      first: { name: 'renamed' },
    });
    assert.deepEqual(await attempt("DELETE FROM storage.objects WHERE name = 'own' RETURNING name"), {
      rows: 1,
      first: { name: 'own' },
    });
  });

  test('the statements of the forbidden tables work for the owner of the database', async () => {
    for (const table of forbiddenTables) {
      await assert.doesNotReject(database.query(`SELECT * FROM ${table} LIMIT 1`), table);
    }
  });
});
