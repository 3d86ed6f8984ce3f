/**
 * F17: many at once on the same thing, and the ground taken away in the middle: 64 writers on one name, deletes among
 * reads and thumbnails, and policy, bucket or entity gone before an upload ends.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertInvariants, History, performJob, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import {
  ask,
  bucket,
  deleteObject,
  type FaultySite,
  pathOf,
  readObject,
  startFaultySite,
  writeObject,
} from './faulty-site.ts';
import { beginUpload } from './slow-upload.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
let shared: FaultySite;

before(async () => {
  shared = await startFaultySite({ workers: true });
});
after(() => shared.stop());

const fresh = (): FaultySite => ({ ...shared, history: new History() });

test('of 64 writers that create one name exactly one wins, and its bytes are there', async () => {
  for (let round = 1; round <= rounds; round += 1) {
    const site = fresh();
    const name = `created-${round}`;

    const statuses = await Promise.all(
      Array.from({ length: 64 }, (_, i) => writeObject(site, name, `writer ${i} ${'x'.repeat(i * 1000)}`, 'create')),
    );

    assert.equal(statuses.filter((status) => status === 201).length, 1);
    assert.equal(statuses.filter((status) => status === 409).length, 63);
    await assertInvariants(site.service, { history: site.history });
  }
});

test('64 writers that overwrite one name among readers leave one of their bodies, and readers see whole ones', async () => {
  for (let round = 1; round <= rounds; round += 1) {
    const site = fresh();
    const name = `overwritten-${round}`;
    assert.equal(await writeObject(site, name, 'first'), 201);

    const [written, read] = await Promise.all([
      Promise.all(
        Array.from({ length: 64 }, (_, i) => writeObject(site, name, Buffer.alloc(site.random.integer(400_000), i))),
      ),
      Promise.all(Array.from({ length: 64 }, () => readObject(site, name))),
    ]);

    assert.deepEqual([...new Set(written)], [200]);
    assert.deepEqual(
      read.filter((status) => status !== 200 && status !== 404 && status !== 'lost'),
      [],
    );
    await assertInvariants(site.service, { history: site.history });
  }
});

test('writes and deletes of one name that cross are never refused as forbidden', async () => {
  const site = fresh();
  const act = async (): Promise<number | 'lost'> => {
    const name = `crossing-${site.random.integer(2)}`;
    return site.random.integer(2) === 0 ? await deleteObject(site, name) : await writeObject(site, name, name);
  };

  const statuses = new Set<number | 'lost'>();
  for (let batch = 0; batch < 40 * rounds; batch += 1) {
    for (const status of await Promise.all(Array.from({ length: 8 }, act))) statuses.add(status);
  }

  assert.deepEqual([...statuses].sort(), [200, 201]);
  await assertInvariants(site.service, { history: site.history });
});

test('deletes among writes, reads and thumbnails leave nothing behind and no pixel of another picture', async () => {
  for (let round = 1; round <= rounds; round += 1) {
    const site = fresh();
    const colours = ['#ff0000', '#00ff00', '#0000ff', '#ffffff'];
    const photos = await Promise.all(
      colours.map((background) =>
        sharp({ create: { width: 80, height: 60, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    const act = async (i: number): Promise<void> => {
      const place = site.random.integer(4);
      const name = `picture-${round}-${place}`;
      const choice = site.random.integer(4);
      if (choice < 2) await writeObject(site, name, photos[place] ?? '');
      if (choice === 2) await readObject(site, name);
      if (choice === 3 && i > 8) await deleteObject(site, name);
    };

    await Promise.all(Array.from({ length: 64 }, (_, i) => act(i)));
    for (const place of [0, 1, 2, 3]) await writeObject(site, `picture-${round}-${place}`, photos[place] ?? '');
    const shown = await Promise.all(colours.map((_, place) => colourOfThumbnail(site, `picture-${round}-${place}`)));

    assert.deepEqual(shown, colours);
    await assertInvariants(site.service, { history: site.history });
  }
});

/** The colour that the small thumbnail of a picture of one colour has. */
async function colourOfThumbnail({ service }: FaultySite, name: string): Promise<string> {
  const path = `/storage/v1/render/image/authenticated/${bucket}/${name}?preset=small`;
  const bytes = await until(
    async () => {
      const { status, body } = await ask(service, path);
      return status === 200 ? body : undefined;
    },
    { timeoutMs: 30_000, what: `${name} has its thumbnail` },
  );
  const { data } = await sharp(bytes).resize(1, 1).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const nearest = [...data.subarray(0, 3)].map((value) => (value > 127 ? 'ff' : '00'));
  return `#${nearest.join('')}`;
}

test('an upload whose right is withdrawn in the middle is refused and leaves nothing', async () => {
  const { service } = shared;
  await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('withdrawn', 'ann')");
  const upload = await beginUpload(service, { path: '/storage/v1/object/withdrawn/a', body: Buffer.alloc(10_000) });

  await service.database.query("UPDATE storage.buckets SET owner_id = 'eve' WHERE id = 'withdrawn'");
  const { status, body } = await upload.finish();

  assert.equal(status, 403, body);
  assert.deepEqual(await service.database.query("SELECT FROM storage.objects WHERE bucket_id = 'withdrawn'"), []);
  await assertInvariants(service);
});

test('an upload whose bucket is deleted in the middle is refused and leaves nothing', async () => {
  const { service } = shared;
  await service.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('dropped', 'ann')");
  const upload = await beginUpload(service, { path: '/storage/v1/object/dropped/a', body: Buffer.alloc(10_000) });

  const deleted = await ask(service, '/storage/v1/bucket/dropped', { method: 'DELETE' });
  const { status, body } = await upload.finish();

  assert.equal(deleted.status, 200, deleted.body.toString());
  assert.equal(status, 404, body);
  await assertInvariants(service);
});

test('an upload whose object is deleted in the middle writes it, since it was asked for', async () => {
  const site = fresh();
  assert.equal(await writeObject(site, 'gone', 'old'), 201);
  const headers = { 'x-upsert': 'true' };
  const upload = await beginUpload(site.service, { path: pathOf('gone'), body: Buffer.alloc(10_000, 'n'), headers });

  assert.equal(await deleteObject(site, 'gone'), 200);
  const { status } = await upload.finish();

  assert.equal(status, 201);
  assert.equal((await ask(site.service, pathOf('gone'))).body.length, 10_000);
  await assertInvariants(site.service);
});

test('a direct upload whose entity is deleted in the middle is seen by nobody and leaves nothing', async () => {
  const { service, photo, parts } = shared;
  await service.database.query(`
    CREATE TABLE public.report (id int PRIMARY KEY);
    GRANT SELECT ON public.report TO authenticated;
    INSERT INTO public.report VALUES (1);
    SELECT storage.attach_entity('public.report');`);
  const rpc = (name: string, body: object) =>
    ask(service, `/rpc/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const names = { p_entity_type: 'report', p_entity_id: '1', p_file_name: 'a.jpg', p_file_type: 'image/jpeg' };
  const made = await rpc('request_upload_url', names);
  assert.equal(made.status, 200, made.body.toString());
  const id = JSON.parse(made.body.toString()) as string;
  const [row] = await until(async () => {
    const rows = await service.database.query<{ url: string; file_id: string; key: string; upload_id: string }>(
      `SELECT presigned_url AS url, file_id, s3_key AS key, upload_id FROM metadata.file_upload_requests
       WHERE id = $1 AND presigned_url IS NOT NULL`,
      [id],
    );
    return rows.length === 1 ? rows : undefined;
  });
  assert.ok(row);
  const headers = { 'content-type': 'image/jpeg' };
  const upload = await beginUpload(service, { path: row.url, body: photo, headers });

  await service.database.query('DELETE FROM public.report WHERE id = 1');
  const { status } = await upload.finish();
  const record = await rpc('create_file_record', {
    ...names,
    p_id: row.file_id,
    p_file_size: 1,
    p_s3_original_key: row.key,
    p_s3_bucket: 'civic-os-files',
  });
  await performJob(parts, 'upload_complete', { upload_id: row.upload_id });

  assert.ok(status === 200 || status === 410, `the bytes may still arrive: ${status}`);
  assert.ok(record.status === 403 || record.status === 404, `${record.status} ${record.body.toString()}`);
  assert.equal((await ask(service, `/storage/v1/object/files/${row.key}`)).status, 404);
  await assertInvariants(service);
  assert.deepEqual(await service.database.query('SELECT FROM storage.objects WHERE name = $1', [row.key]), []);
});
