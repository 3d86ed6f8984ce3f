/**
 * Presets and variants as rows, without anybody who makes them: who writes presets and what a preset can be, which variants are
 * given a job again, when, and which are left alone.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createMigratedDatabase, type MigratedDatabase } from '@rowlock/test-harness';

const id = (last: string): string => `00000000-0000-7000-8000-0000000000${last}`;

let database: MigratedDatabase;

before(async () => {
  database = await createMigratedDatabase();
  await database.query(`
    INSERT INTO storage.buckets (id) VALUES ('photos');
    ALTER TABLE storage.objects DISABLE TRIGGER objects_10_reference`);
});
after(() => database.drop());

async function asRole(role: string, text: string): Promise<void> {
  await database.query(`BEGIN; SET LOCAL ROLE ${role}; ${text}; COMMIT`);
}

const asService = (text: string): Promise<void> => asRole('service_role', text);

/** What PostgreSQL says to a statement that it refuses. */
async function refusalOf(attempt: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Error && 'code' in error, 'it was refused');
  return { code: String(error.code), message: error.message };
}

/** A stored image with a job for its three variants, which `set` changes. */
async function image(last: string, set = "status = 'pending'"): Promise<void> {
  await database.query(`
    INSERT INTO storage.versions (id, backend, key, state, size, content_type, stored_at)
    VALUES ('${id(last)}', 'disk', 'objects/${last}/x', 'stored', 10, 'image/jpeg', now());
    INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('photos', '${last}.jpg', '${id(last)}');
    UPDATE storage.variants SET ${set} WHERE source_version_id = '${id(last)}'`);
}

const withoutJob = (last: string): Promise<unknown> =>
  database.query(`DELETE FROM metadata.river_job WHERE args ->> 'version_id' = '${id(last)}'`);

const minutesAgo = (minutes: number): string => `updated_at = now() - interval '${minutes} minutes'`;

const nothing = async (): Promise<void> => {
  await database.query(`DELETE FROM storage.objects; DELETE FROM storage.variants; DELETE FROM storage.versions;
    DELETE FROM metadata.river_job`);
};

/** The images that one call gives a job, oldest first as far as the limit lets them. */
async function requeued(limit = 100): Promise<readonly string[]> {
  await database.query('DELETE FROM metadata.river_job WHERE priority = 3');
  const [row] = await database.query<{ n: string }>(`SELECT storage_internal.requeue_variants(${limit}) AS n`);
  const jobs = await database.query<{ version: string }>(
    "SELECT args ->> 'version_id' AS version FROM metadata.river_job WHERE priority = 3 ORDER BY 1",
  );
  assert.equal(Number(row?.n), jobs.length);
  return jobs.map(({ version }) => version.slice(-2));
}

describe('rows of presets', () => {
  const values = (more: string): string =>
    `INSERT INTO storage.variant_presets (preset_set, name, width, height${more.split(' = ')[0]}) VALUES ('odd', 'odd', 10, 10${more.split(' = ')[1] ?? ''})`;

  test('are read by everybody, and written by the service alone', async () => {
    for (const role of ['anon', 'authenticated']) {
      for (const statement of [
        values(''),
        'UPDATE storage.variant_presets SET width = 1',
        'DELETE FROM storage.variant_presets',
      ]) {
        assert.equal((await refusalOf(asRole(role, statement))).code, '42501', `${role}: ${statement}`);
      }
      await asRole(role, 'SELECT 1 / count(*) FROM storage.variant_presets');
    }
    await asService(`${values('')}; DELETE FROM storage.variant_presets WHERE preset_set = 'odd'`);
  });

  test('that no decoder could follow are refused by name', async () => {
    const odd: readonly (readonly [string, RegExp])[] = [
      [values(', fit = , $$crop$$'), /fit/],
      [values(', quality = , 101'), /quality/],
      [values(', format = , $$gif$$'), /format/],
      [values(', background = , $$transparent$$'), /background/],
      [values(', position = , $$focal$$'), /focal_x/],
      [values(', watermark_opacity = , 0.5'), /watermark_whole/],
      ["INSERT INTO storage.variant_presets (preset_set, name, width) VALUES ('odd', 'odd', 4097)", /4096/],
      ["INSERT INTO storage.variant_presets (preset_set, name, width) VALUES ('none', 'odd', 10)", /named/],
      ["INSERT INTO storage.variant_presets (preset_set, name, width) VALUES ('odd', '../odd', 10)", /named/],
      [
        "INSERT INTO storage.variant_presets (preset_set, name, width) SELECT 'odd', 'n' || n, n FROM generate_series(1, 21) AS n",
        /20 presets/,
      ],
    ];

    for (const [statement, why] of odd) {
      const { code, message } = await refusalOf(asService(statement));

      assert.equal(code, '23514', statement);
      assert.match(message, why);
    }
  });
});

describe('a variant is given a job again', () => {
  beforeEach(nothing);

  test('when it waited for five minutes and no job is there that would make it', async () => {
    for (const last of ['a1', 'a2', 'a3', 'a4', 'a5']) await image(last, minutesAgo(last === 'a2' ? 4 : 6));
    for (const last of ['a1', 'a2', 'a5']) await withoutJob(last);
    await database.query(`UPDATE metadata.river_job SET state = 'running', attempt = 1, attempted_at = now()
      WHERE args ->> 'version_id' = '${id('a4')}'`);
    await database.query(
      `UPDATE storage.versions SET quarantined_at = now(), quarantine_reason = 'x' WHERE id = '${id('a5')}'`,
    );

    assert.deepEqual(await requeued(), ['a1'], 'not what is new, has a job that waits or runs, or is in quarantine');
    assert.deepEqual(await requeued(), [], 'and once');
  });

  test('the oldest first, at most so many at a time', async () => {
    for (const [last, minutes] of [
      ['b1', 6],
      ['b2', 8],
      ['b3', 7],
    ] as const) {
      await image(last, minutesAgo(minutes));
      await withoutJob(last);
    }

    assert.deepEqual([await requeued(2), await requeued(2)], [['b2', 'b3'], ['b1']]);
  });

  test('after it failed for a reason that may pass: after one hour, four, sixteen and sixty-four, and then not', async () => {
    await image('c1');
    await withoutJob('c1');
    const variants = `ARRAY(SELECT id FROM storage.variants WHERE source_version_id = '${id('c1')}')`;
    const hours: (number | null)[] = [];
    for (let failure = 1; failure <= 5; failure += 1) {
      await database.query(
        `SELECT storage_internal.variants_fail('${id('c1')}', ${variants}, 'timeout', 'too slow', false)`,
      );
      const [row] = await database.query<{ hours: number | null }>(
        'SELECT DISTINCT round(extract(epoch FROM retry_at - now()) / 3600)::int AS hours FROM storage.variants',
      );
      hours.push(row?.hours ?? null);
      assert.deepEqual(await requeued(), [], 'not before');
      await database.query(
        "UPDATE storage.variants SET retry_at = now() - interval '1 second' WHERE retry_at IS NOT NULL",
      );
      assert.deepEqual(await requeued(), failure < 5 ? ['c1'] : []);
    }

    assert.deepEqual(hours, [1, 4, 16, 64, null]);
  });

  test('when its file was recorded while triggers were off', async () => {
    await image('d1');
    await database.query(`DELETE FROM storage.variants; DELETE FROM metadata.river_job;
      INSERT INTO metadata.files (entity_type, entity_id, file_name, file_type, file_size, s3_original_key, object_id, created_at)
      SELECT 'ticket', '1', 'a.jpg', 'image/jpeg', 1, 'k', id, now() - interval '6 minutes' FROM storage.objects`);

    const [row] = await database.query<{ n: string }>('SELECT storage_internal.begin_forgotten_variants(100) AS n');

    assert.equal(row?.n, '1');
    assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM storage.variants'), [{ n: 3 }]);
    assert.deepEqual(await database.query('SELECT args FROM metadata.river_job'), [{ args: { version_id: id('d1') } }]);
  });
});

describe('a version', () => {
  beforeEach(nothing);

  const states = (): Promise<unknown> =>
    database.query('SELECT preset, status FROM storage.variants WHERE status <> $1 ORDER BY preset', ['completed']);
  const jobs = async (): Promise<number> =>
    (await database.query("DELETE FROM metadata.river_job WHERE kind = 'thumbnail_generate' RETURNING id")).length;

  test('that comes into a bucket with other presets gets those whose names are new, and only then a job', async () => {
    await database.query(`
      INSERT INTO storage.variant_presets (preset_set, name, width) VALUES ('tiles', 'tile', 10), ('tiles', 'small', 10);
      INSERT INTO storage.buckets (id, preset_set) VALUES ('tiled', 'tiles'), ('letterboxed', 'civic-os'), ('same', 'default')`);
    await image('a1');
    await jobs();

    await database.query("UPDATE storage.objects SET bucket_id = 'same'");
    await database.query("UPDATE storage.objects SET bucket_id = 'letterboxed'");
    const known = await jobs();
    await database.query("UPDATE storage.objects SET bucket_id = 'tiled'");

    assert.deepEqual([known, await jobs()], [0, 1]);
    assert.deepEqual(
      ((await states()) as { preset: string }[]).map(({ preset }) => preset),
      ['large', 'medium', 'small', 'tile'],
    );
  });

  test('whose presets were taken away has none to wait for, until it comes where they are', async () => {
    await image('a1');
    await database.query(`
      DELETE FROM metadata.river_job;
      INSERT INTO metadata.files (entity_type, entity_id, file_name, file_type, file_size, s3_original_key, object_id)
      SELECT 'ticket', '1', 'a.jpg', 'image/jpeg', 1, 'k', id FROM storage.objects`);
    await database.query(
      `SELECT storage_internal.variants_not_applicable('${id('a1')}', ARRAY(SELECT id FROM storage.variants))`,
    );
    const [file] = await database.query<{ thumbnail_status: string }>('SELECT thumbnail_status FROM metadata.files');
    const untouched = await requeued();

    await database.query(
      `INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ('photos', 'copy.jpg', '${id('a1')}')`,
    );

    assert.deepEqual([file?.thumbnail_status, untouched, await jobs()], ['not_applicable', [], 1]);
    assert.deepEqual(
      ((await states()) as { status: string }[]).map(({ status }) => status),
      ['pending', 'pending', 'pending'],
    );
  });
});

describe('a rebuild', () => {
  beforeEach(nothing);

  test('leaves alone what a deployed system made: its rows name the keys', async () => {
    await image('e1');
    const wanted = async (key: string): Promise<number> => {
      await database.query(`
        INSERT INTO storage.versions (id, backend, key, state, size, stored_at)
        VALUES ('${id('ee')}', 'disk', '${key}', 'stored', 10, now()) ON CONFLICT (id) DO UPDATE SET key = EXCLUDED.key;
        UPDATE storage.variants SET status = 'processing' WHERE source_version_id = '${id('e1')}' AND status = 'pending';
        UPDATE storage.variants SET status = 'completed', version_id = '${id('ee')}'
        WHERE source_version_id = '${id('e1')}' AND preset = 'small'`);
      const [row] = await database.query<{ wanted: string }>(
        "SELECT wanted FROM storage_internal.rebuild_variants('photos', '', 10, 'small', false, true)",
      );
      return Number(row?.wanted);
    };

    assert.equal(await wanted('issues/1/f/thumb-small.jpg'), 0);
    assert.equal(await wanted(`objects/ee/${id('ee')}`), 1);
  });

  test('goes through a bucket by pages, whatever their size, and gives one job to each image', async () => {
    for (const last of ['f1', 'f2', 'f3', 'f4', 'f5']) await image(last);
    await database.query("DELETE FROM storage.variants WHERE preset = 'large'; DELETE FROM metadata.river_job");
    const pages: unknown[] = [];

    for (let after: string | null = ''; after !== null; ) {
      const [page]: Record<string, string | null>[] = await database.query(
        `SELECT last_name, examined, wanted, enqueued FROM storage_internal.rebuild_variants('photos', '${after}', 2, NULL, true, false)`,
      );
      pages.push([page?.['examined'], page?.['wanted'], page?.['enqueued']]);
      after = page?.['last_name'] ?? null;
    }

    assert.deepEqual(pages, [
      ['2', '6', '2'],
      ['2', '6', '2'],
      ['1', '3', '1'],
    ]);
    assert.deepEqual(
      await database.query(
        "SELECT priority, count(*)::int AS n FROM metadata.river_job WHERE kind = 'thumbnail_generate' GROUP BY 1",
      ),
      [{ priority: 4, n: 5 }],
    );
    const again = await database.query(
      "SELECT wanted, enqueued FROM storage_internal.rebuild_variants('photos', '', 10, NULL, true, false)",
    );
    assert.deepEqual(again, [{ wanted: '15', enqueued: '0' }], 'they wait for the jobs that they have');
  });
});
