/** The sweep's search for what lost its purge job: page by page, one statement a page, on from where the last one ended. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';

interface Swept extends Record<string, unknown> {
  readonly examined: string;
  readonly enqueued: string;
  readonly ended: boolean;
}

let database: MigratedDatabase;

const sweepPage = async (pageSize: number, limit = 1000, grace = '0'): Promise<Swept> => {
  const [swept] = await database.query<Swept>('SELECT * FROM storage_internal.sweep_unreferenced($1, $2, $3)', [
    grace,
    pageSize,
    limit,
  ]);
  assert.ok(swept);
  return swept;
};

const enqueued = async (): Promise<readonly string[]> => {
  const rows = await database.query<{ id: string }>(
    `SELECT jsonb_array_elements_text(args -> 'version_ids') AS id FROM metadata.river_job WHERE kind = 'version_purge'`,
  );
  return rows.map(({ id }) => id).sort();
};

const idOf = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;

/** Stored versions 1 to 9: 1 an object's, 2 a variant's, 3 in history, 4 an upload's, 5 too young, 6 to 9 nobody's. */
async function arrange(): Promise<void> {
  await database.query('TRUNCATE metadata.river_job');
  await database.query(`
    SET session_replication_role = replica;
    DELETE FROM storage.objects; DELETE FROM storage.object_history; DELETE FROM storage.uploads;
    DELETE FROM storage.variants; DELETE FROM storage.versions; DELETE FROM storage.buckets WHERE id = 'box';
    UPDATE storage.sweep_position SET after = '00000000-0000-0000-0000-000000000000';
    INSERT INTO storage.buckets (id, name) VALUES ('box', 'box');
    INSERT INTO storage.versions (id, backend, key, state, size, stored_at)
    SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'disk', 'objects/' || n, 'stored', 1,
      now() - CASE n WHEN 5 THEN interval '1 minute' ELSE interval '2 hours' END
    FROM generate_series(1, 9) AS n;
    INSERT INTO storage.objects (bucket_id, name, version_id, size, content_type) VALUES ('box', 'a', '${idOf(1)}', 1, 'a/b');
    INSERT INTO storage.variants (source_version_id, preset, status, version_id)
    VALUES ('${idOf(1)}', 'small', 'completed', '${idOf(2)}');
    INSERT INTO storage.object_history (bucket_id, name, object_id, version_id, reason, size, content_type, created_at, modified_at)
    VALUES ('box', 'b', gen_random_uuid(), '${idOf(3)}', 'delete', 1, 'a/b', now(), now());
    INSERT INTO storage.uploads (id, version_id, kind, bucket_id, name, caller_role, caller_claims, size_max, overwrite, expires_at)
    VALUES (gen_random_uuid(), '${idOf(4)}', 'body', 'box', 'c', 'anon', '{}', 1, true, now() + interval '1 hour');
    SET session_replication_role = origin;`);
}

describe('the sweep of what nothing points at', () => {
  before(async () => {
    database = await createMigratedDatabase();
  });
  beforeEach(arrange);
  after(() => database.drop());

  test('finds what nothing points at and is old enough, at any size of pages', async () => {
    for (const pageSize of [1, 2, 4, 9, 10, 1000]) {
      await arrange();
      let examined = 0;
      for (let ended = false; !ended; ) {
        const page = await sweepPage(pageSize, 1000, '1 hour');
        examined += Number(page.examined);
        ended = page.ended;
      }

      assert.equal(examined, 9);
      assert.deepEqual(await enqueued(), [6, 7, 8, 9].map(idOf), `pages of ${pageSize}`);
    }
  });

  test('goes on behind the last page, and from the beginning after the last one', async () => {
    const pages = [];
    for (let i = 1; i <= 4; i += 1) pages.push(await sweepPage(4));

    assert.deepEqual(
      pages.map(({ examined, enqueued: found, ended }) => [Number(examined), Number(found), ended]),
      [
        [4, 0, false],
        [4, 4, false],
        [1, 1, true],
        [4, 0, false],
      ],
    );
  });

  test('leaves what is beyond its limit to the next page, and skips none of it', async () => {
    for (let i = 1; i <= 3; i += 1) await sweepPage(1000, 2);

    assert.deepEqual(await enqueued(), [5, 6, 7, 8, 9].map(idOf));
  });

  test('asks nothing row by row', async () => {
    await database.query(
      `CREATE OR REPLACE FUNCTION storage_internal.version_is_referenced(wanted uuid) RETURNS boolean
       LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'asked of one row'; END $$`,
    );

    await sweepPage(1000);

    assert.equal((await enqueued()).length, 5);
  });
});
