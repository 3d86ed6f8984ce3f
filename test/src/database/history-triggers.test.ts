/**
 * What the database keeps of objects by itself, with the server away: cascades, plain SQL, settings that change, limits
 * and times. Who may see it, is for attack/version-policies.test.ts.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertInvariants, startService, type TestService } from '@rowlock/test-harness';
import sharp from 'sharp';
import { makeBucket, put, read, remove, restore, sqlAs, versions } from '../service/versioned-site.ts';

const as = 'bertha';

let service: TestService;

before(async () => {
  service = await startService({ workers: false });
  await makeBucket(service, 'kept', { versioning: 'on' });
  await makeBucket(service, 'bin', { soft_delete_seconds: 3600 });
  await makeBucket(service, 'few', { versioning: 'on', history_keep: 2 });
});
after(() => service.stop());

const query = <Row extends Record<string, unknown>>(text: string, values: unknown[] = []): Promise<Row[]> =>
  service.database.query<Row>(text, values);

/** Entries of a name, oldest first: `v` for a version, `-` for a marker. */
async function entriesOf(bucket: string, name: string): Promise<string> {
  const rows = await query<{ entry: string }>(
    `SELECT CASE WHEN version_id IS NULL THEN '-' ELSE 'v' END AS entry FROM storage.object_history
     WHERE bucket_id = $1 AND name = $2 ORDER BY sequence`,
    [bucket, name],
  );
  return rows.map(({ entry }) => entry).join('');
}

/** Versions that a purge was asked for. */
async function purgesOf(version: string | undefined): Promise<number> {
  const rows = await query(
    "SELECT FROM metadata.river_job WHERE kind = 'version_purge' AND args -> 'version_ids' ? $1",
    [version],
  );
  return rows.length;
}

async function versionNow(bucket: string, name: string): Promise<string | undefined> {
  const [row] = await query<{ version_id: string }>(
    'SELECT version_id FROM storage.objects WHERE bucket_id = $1 AND name = $2',
    [bucket, name],
  );
  return row?.version_id;
}

describe('what is kept', () => {
  test('a cascade over many objects keeps each of them, and asks for no purge', async () => {
    await put(service, 'kept/original', 'text', as);
    await query(
      `CREATE TABLE public.album (id int PRIMARY KEY);
       INSERT INTO public.album VALUES (1);
       CREATE TABLE public.page (object_id uuid REFERENCES storage.objects (id) ON DELETE CASCADE, album int REFERENCES public.album ON DELETE CASCADE);
       INSERT INTO storage.objects (bucket_id, name, version_id)
         SELECT 'kept', 'album/' || n, version_id FROM storage.objects, generate_series(1, 200) AS n
         WHERE bucket_id = 'kept' AND name = 'original';
       CREATE FUNCTION public.drop_pages() RETURNS trigger LANGUAGE plpgsql AS
         'BEGIN DELETE FROM storage.objects WHERE id IN (SELECT object_id FROM gone); RETURN NULL; END';
       CREATE TRIGGER drop_pages AFTER DELETE ON public.page REFERENCING OLD TABLE AS gone
         FOR EACH STATEMENT EXECUTE FUNCTION public.drop_pages();
       INSERT INTO public.page SELECT id, 1 FROM storage.objects WHERE name LIKE 'album/%';`,
    );
    const version = await versionNow('kept', 'original');

    await query('DELETE FROM public.album');

    const [counts] = await query(
      `SELECT count(version_id)::int AS versions, count(marker_id)::int AS markers FROM storage.object_history
       WHERE bucket_id = 'kept' AND name LIKE 'album/%'`,
    );
    assert.deepEqual(counts, { versions: 200, markers: 200 });
    assert.equal(await purgesOf(version), 0);
  });

  test('a purge is asked for once nothing points at a version: no object, no history', async () => {
    await put(service, 'kept/once', 'text', as);
    const version = await versionNow('kept', 'once');
    await sqlAs(service, as, "DELETE FROM storage.objects WHERE bucket_id = 'kept' AND name = 'once'");
    const kept = await purgesOf(version);

    await sqlAs(service, as, 'SELECT storage.purge_version($1, $2, $3)', ['kept', 'once', version]);

    assert.deepEqual([kept, await purgesOf(version)], [0, 1]);
    assert.equal(await entriesOf('kept', 'once'), '');
  });

  test('a purge that is asked for by mistake leaves what history keeps', async () => {
    await put(service, 'kept/mistaken', 'text', as);
    const version = await versionNow('kept', 'mistaken');
    await remove(service, 'kept/mistaken', as);

    assert.deepEqual(await query('SELECT * FROM storage_internal.purge_begin($1)', [version]), []);
    assert.equal(await read(service, 'kept/mistaken', as, version), 'text');
  });

  test('only changes of bytes or names make entries: metadata alone makes none', async () => {
    await put(service, 'kept/described', 'text', as);

    await sqlAs(service, as, `UPDATE storage.objects SET user_metadata = '{"a": 1}' WHERE name = 'described'`);

    assert.equal(await entriesOf('kept', 'described'), '');
  });

  test('a bucket keeps so many versions of a name, and markers above the oldest of them', async () => {
    for (const text of ['1', '2']) await put(service, 'few/a', text, as);
    await remove(service, 'few/a', as);
    for (const text of ['3', '4', '5']) await put(service, 'few/a', text, as);

    assert.equal(await entriesOf('few', 'a'), 'vv');
    const texts = (await versions(service, 'few/a', as)).map(({ version }) => read(service, 'few/a', as, version));
    assert.deepEqual(await Promise.all(texts), ['5', '4', '3']);
  });

  test('versions that are not current have a time where the bucket says so', async () => {
    await makeBucket(service, 'timed', { versioning: 'on', noncurrent_days: 30 });
    await put(service, 'timed/a', 'text', as);
    await remove(service, 'timed/a', as);

    const days = await query(
      "SELECT extract(day FROM purge_after - now())::int AS days FROM storage.object_history WHERE bucket_id = 'timed'",
    );

    assert.deepEqual(
      days,
      [{ days: 30 }, { days: 30 }].map(({ days: most }) => ({ days: most - 1 })),
    );
  });

  test('thumbnails stay as long as the version that they show', async () => {
    const photo = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'teal' } })
      .png()
      .toBuffer();
    await service.fetch('/storage/v1/object/kept/photo', { as, method: 'PUT', body: new Uint8Array(photo) });
    const version = await versionNow('kept', 'photo');
    await put(service, 'kept/photo', 'no photo any more', as);

    const rows = await query('SELECT preset FROM storage.variants WHERE source_version_id = $1', [version]);

    assert.equal(rows.length, 3);
  });

  test('a file row goes with its object, and does not come back with it', async () => {
    await put(service, 'bin/file', 'text', as);
    await query(
      `INSERT INTO metadata.files (entity_type, entity_id, file_name, file_type, file_size, s3_original_key, object_id)
       SELECT 'issue', '1', 'a', 'text/plain', 4, 'k', id FROM storage.objects WHERE bucket_id = 'bin' AND name = 'file'`,
    );
    await query("DELETE FROM metadata.files WHERE entity_id = '1'");

    assert.equal(await restore(service, 'bin/file', as), 200);
    assert.deepEqual(await query("SELECT FROM metadata.files WHERE entity_id = '1'"), []);
  });
});

describe('versioning that changes', () => {
  const set = (bucket: string, versioning: string) =>
    sqlAs(service, as, 'UPDATE storage.buckets SET versioning = $2 WHERE id = $1', [bucket, versioning]);

  test('suspended keeps what was written before, and nothing that is written then', async () => {
    await makeBucket(service, 'paused', { versioning: 'on' });
    await put(service, 'paused/a', 'before', as);
    await set('paused', 'suspended');

    await put(service, 'paused/a', 'during', as);
    await put(service, 'paused/a', 'during too', as);
    const overwritten = await entriesOf('paused', 'a');
    await remove(service, 'paused/a', as);

    assert.deepEqual([overwritten, await entriesOf('paused', 'a')], ['v', 'v-']);
    assert.equal(await restore(service, 'paused/a', as), 200);
    assert.equal(await read(service, 'paused/a', as), 'before');
  });

  test('off leaves what there is, to be read, restored and purged, and keeps nothing more', async () => {
    await makeBucket(service, 'ended', { versioning: 'on' });
    await put(service, 'ended/a', 'before', as);
    await put(service, 'ended/a', 'then', as);
    await set('ended', 'off');

    await put(service, 'ended/a', 'after', as);
    const kept = await entriesOf('ended', 'a');
    const taken = await restore(service, 'ended/a', as, (await versions(service, 'ended/a', as))[1]?.version);
    await remove(service, 'ended/a', as);

    assert.deepEqual([kept, taken, await entriesOf('ended', 'a')], ['v', 409, 'v-']);
    assert.equal(await restore(service, 'ended/a', as), 200);
    assert.equal(await read(service, 'ended/a', as), 'before');
    await set('ended', 'on');
    await put(service, 'ended/a', 'again', as);
    assert.equal(await entriesOf('ended', 'a'), 'v');
  });

  test('settings come in the body of a bucket, in every route, and are answered', async () => {
    const json = { 'content-type': 'application/json' };
    const settings = { versioning: 'on', soft_delete_seconds: 60, history_keep: 5, noncurrent_days: 7 };
    const created = await service.fetch('/storage/v1/bucket', {
      as,
      method: 'POST',
      headers: json,
      body: JSON.stringify({ name: 'settings', ...settings }),
    });
    const changed = await service.fetch('/storage/v1/bucket/settings', {
      as,
      method: 'PATCH',
      headers: json,
      body: JSON.stringify({ versioning: 'suspended', history_keep: null }),
    });
    const wrong = await service.fetch('/storage/v1/bucket/settings', {
      as,
      method: 'PATCH',
      headers: json,
      body: JSON.stringify({ versioning: 'sometimes' }),
    });

    const pick = (row: unknown): unknown => {
      const { versioning, soft_delete_seconds, history_keep, noncurrent_days } = row as typeof settings;
      return { versioning, soft_delete_seconds, history_keep, noncurrent_days };
    };
    assert.deepEqual(pick(await created.json()), settings);
    assert.deepEqual(pick(await changed.json()), { ...settings, versioning: 'suspended', history_keep: null });
    assert.equal(wrong.status, 400);
  });
});

describe('a bucket with history', () => {
  const drop = (name: string, caller: string, query = '') =>
    service.fetch(`/storage/v1/bucket/${name}${query}`, { as: caller, method: 'DELETE' });

  test('is not deleted, says so, and goes with its history when that is asked for', async () => {
    await makeBucket(service, 'full', { versioning: 'on' });
    await put(service, 'full/a', 'text', as);
    await remove(service, 'full/a', as);

    const refused = await drop('full', as);
    const stranger = await drop('full', 'mallory', '?force=true');
    const left = await entriesOf('full', 'a');
    const forced = await drop('full', as, '?force=true');

    const { reason, message } = (await refused.json()) as { reason: string; message: string };
    assert.deepEqual([refused.status, reason], [409, 'bucket_not_empty']);
    assert.match(message, /force=true/);
    assert.deepEqual([stranger.status, left, forced.status], [404, 'v-', 200]);
  });

  test('keeps its history while it has objects, whatever is asked', async () => {
    await makeBucket(service, 'used', { versioning: 'on' });
    await put(service, 'used/a', 'old', as);
    await put(service, 'used/a', 'new', as);

    assert.equal((await drop('used', as, '?force=true')).status, 409);
    assert.equal(await entriesOf('used', 'a'), 'v');
  });
});

test('after all of it every invariant holds', async () => {
  await assertInvariants(service);
});
