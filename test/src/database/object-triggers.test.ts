/**
 * Guards of the database that stand behind others, each reached with the one before it out of the way: what triggers,
 * constraints and policies refuse by themselves, and what a purge leaves alone.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';
import pg from 'pg';

const id = (last: string): string => `00000000-0000-7000-8000-0000000000${last}`;

let database: MigratedDatabase;
let owner: pg.Client;
let api: pg.Client;

before(async () => {
  database = await createMigratedDatabase();
  await database.query(`
    INSERT INTO storage.buckets (id, owner_id, policy) VALUES ('mine', 'mallory', 'private'), ('shown', 'victor', 'public'), ('all', 'victor', 'authenticated');
    INSERT INTO storage.versions (id, backend, key, state, size, stored_at) VALUES ('${id('0a')}', 'disk', 'objects/0a/a', 'stored', 10, now());
    INSERT INTO storage.versions (id, backend, key, expires_at) VALUES ('${id('0b')}', 'disk', 'objects/0b/b', now() + interval '1 hour');
    CREATE TABLE public.ticket (id text PRIMARY KEY);
    INSERT INTO public.ticket VALUES ('1');
    GRANT SELECT ON public.ticket TO authenticated;
    SELECT storage.attach_entity('public.ticket')`);
  owner = new pg.Client({ connectionString: database.url });
  api = new pg.Client({ connectionString: database.apiUrl });
  await owner.connect();
  await api.connect();
});
after(async () => {
  await owner.end();
  await api.end();
  await database.drop();
});

beforeEach(async () => {
  await owner.query('BEGIN');
});

/** Runs statements of the database's owner, and takes them back; answers the last rows, or the code of the error. */
async function asOwner(...statements: readonly string[]): Promise<unknown> {
  try {
    let rows: unknown = [];
    for (const statement of statements) {
      rows = (await owner.query(statement)).rows;
    }
    return rows;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await owner.query('ROLLBACK');
  }
}

const asCaller = (claims: string): string =>
  `SELECT set_config('request.jwt.claims', '${claims}', true), set_config('role', 'authenticated', true)`;
const unguarded = 'ALTER TABLE storage.objects DISABLE TRIGGER objects_10_reference';

describe('rows of objects', () => {
  test('a version whose bytes are not stored is attached by nobody', async () => {
    const insert = `INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('mine', 'a', '${id('0b')}')`;

    assert.equal(await asOwner(unguarded, insert), '23503');
  });

  for (const name of ['', '.', '..', 'a/../b', '/a', 'a/', 'a//b', 'a/.', 'a\nb', 'x'.repeat(1025)]) {
    test(`the database refuses names that could be paths by itself: ${JSON.stringify(name.slice(0, 8))}`, async () => {
      const insert = `INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('mine', $$${name}$$, '${id('0a')}')`;

      assert.equal(await asOwner(unguarded, insert), '23514');
    });
  }

  test('TRUNCATE would lose track of bytes and is refused, to the owner too', async () => {
    for (const table of ['objects CASCADE', 'versions CASCADE', 'uploads']) {
      assert.equal(await asOwner(`TRUNCATE storage.${table}`), '0A000', table);
      await owner.query('BEGIN');
    }
    await owner.query('ROLLBACK');
  });
});

describe('policies behind a visible row', () => {
  test('a bucket that everybody sees is changed and deleted by its owner only', async () => {
    const mallory = asCaller('{"sub":"mallory"}');
    const changed = await asOwner(mallory, "UPDATE storage.buckets SET overwrite = 'deny' RETURNING id");
    await owner.query('BEGIN');
    const deleted = await asOwner(mallory, 'DELETE FROM storage.buckets RETURNING id');

    assert.deepEqual(changed, [{ id: 'mine' }]);
    assert.deepEqual(deleted, [{ id: 'mine' }]);
  });

  test('who sees a file by its entity does not delete it', async () => {
    const rows = await asOwner(
      `INSERT INTO metadata.files (entity_type, entity_id, file_name, file_type, file_size, s3_original_key, created_by)
       VALUES ('ticket', '1', 'x', 'text/plain', 1, 'x', 'victor')`,
      asCaller('{"sub":"mallory"}'),
      `WITH gone AS (DELETE FROM metadata.files RETURNING id)
       SELECT (SELECT count(*)::int FROM metadata.files) AS seen, (SELECT count(*)::int FROM gone) AS deleted`,
    );

    assert.deepEqual(rows, [{ seen: 1, deleted: 0 }]);
  });

  test('a caller without an identity may attach nothing', async () => {
    const ask = "SELECT metadata.files_can_attach('never_attached', '1') AS yes";
    const nobody = await asOwner(asCaller('{}'), ask);
    await owner.query('BEGIN');
    const somebody = await asOwner(asCaller('{"sub":"mallory"}'), ask);

    assert.deepEqual([nobody, somebody], [[{ yes: false }], [{ yes: true }]]);
  });

  test('what the policies refuse leaves neither intent nor version', async () => {
    await owner.query('ROLLBACK');
    const begin = (bucket: string): Promise<unknown> =>
      api
        .query(
          `SELECT storage_internal.begin_upload(gen_random_uuid(), gen_random_uuid(), $1, 'new', 'authenticated', '{"sub":"mallory"}',
             'text/plain', 1, NULL, NULL, 'disk', 'objects/' || gen_random_uuid(), NULL, 1000)`,
          [bucket],
        )
        .then(
          () => 'begun',
          (error: { code: string }) => error.code,
        );

    const outcomes = [await begin('shown'), await begin('mine'), await begin('all')];

    const [left] = await database.query<{ buckets: string[] }>(
      "SELECT array_agg(bucket_id ORDER BY bucket_id) AS buckets FROM storage.uploads WHERE name = 'new'",
    );
    assert.deepEqual(outcomes, ['42501', 'begun', 'begun']);
    assert.deepEqual(left?.buckets, ['all', 'mine']);
  });
});

describe('a purge', () => {
  const begin = (version: string): string => `SELECT key FROM storage_internal.purge_begin('${version}')`;
  const attach = `INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('mine', 'a', '${id('0a')}')`;

  test('takes what nothing points at', async () => {
    assert.deepEqual(await asOwner(begin(id('0a'))), [{ key: 'objects/0a/a' }]);
  });

  test('bytes that an object, a variant or an open upload points at are not purged', async () => {
    const variant = `INSERT INTO storage.variants (source_version_id, preset, status, version_id) VALUES ('${id('0b')}', 'small', 'completed', '${id('0a')}')`;
    const upload = `INSERT INTO storage.uploads (id, version_id, kind, bucket_id, name, caller_role, caller_claims, size_max, overwrite, expires_at)
      VALUES (gen_random_uuid(), '${id('0a')}', 'body', 'mine', 'x', 'authenticated', '{}', 1, true, now() + interval '1 hour')`;
    for (const reference of [`${unguarded}; ${attach}`, variant, upload]) {
      assert.deepEqual(await asOwner(reference, begin(id('0a'))), [], reference);
      await owner.query('BEGIN');
    }
    await owner.query('ROLLBACK');
  });

  test('bytes that may still be arriving are not purged', async () => {
    assert.deepEqual(await asOwner(begin(id('0b'))), []);
  });

  test('what was never stored leaves a tombstone for a week, and what was leaves nothing', async () => {
    const end = (version: string): string[] => [
      `UPDATE storage.versions SET expires_at = now() WHERE id = '${id('0b')}'`,
      begin(version),
      `SELECT storage_internal.purge_end('${version}')`,
      `SELECT state, expires_at > now() + interval '6 days' AS for_a_week FROM storage.versions WHERE id = '${version}'`,
    ];
    const never = await asOwner(...end(id('0b')));
    await owner.query('BEGIN');
    const stored = await asOwner(...end(id('0a')));

    assert.deepEqual(never, [{ state: 'gone', for_a_week: true }]);
    assert.deepEqual(stored, []);
  });

  test('of bytes that are being purged keeps others from attaching them', async () => {
    assert.equal(await asOwner(begin(id('0a')), unguarded, attach), '23503');
  });
});
