/**
 * A service with two backends: whatever reads, deletes, sweeps, checks or signs goes to the one that has a version's bytes, and
 * what would leave bytes of a bucket elsewhere is refused.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { fsck, sweep } from '@rowlock/server';
import { assertInvariants, performJob, seededRandom, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { unzipped } from '../service/unzipped.ts';
import { type BackendsSite, startBackendsSite } from './backends-site.ts';

const random = seededRandom();
const json = { 'content-type': 'application/json' };

let site: BackendsSite;

before(async () => {
  site = await startBackendsSite();
  await site.bucket('box');
  await site.bucket('rows');
});
after(() => site.stop());
beforeEach(async () => {
  await site.service.database.query('UPDATE storage.buckets SET backend = NULL');
  await site.service.database.query('DELETE FROM storage.objects');
});

const ask = (path: string, init: RequestInit = {}, as: string | undefined = 'ann'): Promise<Response> =>
  site.service.fetch(`/storage/v1/${path}`, { as, ...init });

/** Objects of the same bytes, each on one backend alone: on the disk and in the database. */
async function onBoth(body: Buffer, type?: string): Promise<void> {
  await site.put('box/a/rows', body, type);
  await site.copy({ bucket: 'box', graceSeconds: 0 });
  const parts = { db: site.db, backend: site.backends.default, backends: site.backends };
  const retired = await site.service.database.query<{ id: string }>(
    "SELECT id FROM storage.versions WHERE state = 'purging'",
  );
  await performJob(parts, 'version_purge', { version_ids: retired.map(({ id }) => id) });
  await site.put('box/a/disk', body, type);
  const backends = [(await site.placeOf('box/a/rows')).backend, (await site.placeOf('box/a/disk')).backend];
  assert.deepEqual(backends, ['postgres', 'disk']);
}

test('objects on either backend are read whole, by ranges, by signed URLs and in one ZIP', async (t) => {
  t.diagnostic(`seed ${random.seed}`);
  const body = random.bytes(900_000);
  await onBoth(body);

  for (const name of ['rows', 'disk']) {
    const range = await ask(`object/box/a/${name}`, { headers: { range: 'bytes=262100-600000' } });
    const head = await ask(`object/box/a/${name}`, { method: 'HEAD' });
    const signed = await ask(`object/sign/box/a/${name}`, { method: 'POST', headers: json, body: '{"expiresIn":60}' });
    const { signedURL } = (await signed.json()) as { signedURL: string };
    const bySignature = await ask(signedURL.replace(/^\//, ''), {}, undefined);

    assert.deepEqual(await site.read(`box/a/${name}`), body);
    assert.equal(range.status, 206);
    assert.ok(Buffer.from(await range.arrayBuffer()).equals(body.subarray(262_100, 600_001)));
    assert.equal(head.headers.get('content-length'), '900000');
    assert.ok(Buffer.from(await bySignature.arrayBuffer()).equals(body));
  }
  const files = await unzipped(Buffer.from(await (await ask('object/zip/box/a')).arrayBuffer()));
  assert.deepEqual([...files.keys()].sort(), ['disk', 'rows']);
  assert.ok([...files.values()].every((each) => each.equals(body)));
  await assertInvariants(site.service);
});

test('what is uploaded goes where its bucket says, by a body, a form and a signed upload, large or small', async (t) => {
  t.diagnostic(`seed ${random.seed}`);
  // In memory of the process a bucket has the backend that it had a few seconds ago.
  await site.service.database.query("SELECT storage.set_bucket_backend('rows', 'postgres')");
  const isKnown = async (): Promise<boolean> => {
    await site.put('rows/known', 'x');
    return (await site.placeOf('rows/known')).backend === 'postgres';
  };
  await until(isKnown, { timeoutMs: 15_000, what: 'the server knows where new bytes go' });
  const large = random.bytes(1_500_000);
  const form = new FormData();
  form.append('file', new Blob(['of a form']), 'a.txt');

  await site.put('rows/large', large);
  const formed = await ask('object/rows/form', { method: 'POST', body: form });
  const signed = await ask('object/upload/sign/rows/signed', { method: 'POST', headers: json, body: '{}' });
  const { url } = (await signed.json()) as { url: string };
  const bySignature = await ask(url.replace(/^\//, ''), { method: 'PUT', body: 'signed' }, undefined);
  const tooLarge = await ask('object/rows/too-large', { method: 'POST', body: new Uint8Array(16 * 2 ** 20 + 1) });
  const places = await Promise.all(['large', 'form', 'signed'].map(async (name) => await site.placeOf(`rows/${name}`)));

  assert.ok(formed.ok && bySignature.ok, `${formed.status} ${bySignature.status}`);
  assert.deepEqual(
    places.map(({ backend }) => backend),
    ['postgres', 'postgres', 'postgres'],
  );
  assert.deepEqual(await site.read('rows/large'), large);
  assert.equal(tooLarge.status, 413);
  assert.match(((await tooLarge.json()) as { message: string }).message, /at most 16777216 are accepted/);
  await assertInvariants(site.service);
});

test('what is deleted is purged where its bytes are, one store being away or not', async () => {
  await onBoth(Buffer.from('bytes'));
  const places = [await site.placeOf('box/a/rows'), await site.placeOf('box/a/disk')];
  await ask('object/box/a/rows', { method: 'DELETE' });
  await ask('object/box/a/disk', { method: 'DELETE' });
  const [stray] = await site.service.database.query<{ id: string }>(
    `INSERT INTO storage.versions (id, backend, key, state, expires_at)
     VALUES (gen_random_uuid(), 'away', 'objects/00/away', 'purging', now()) RETURNING id`,
  );

  const parts = { db: site.db, backend: site.backends.default, backends: site.backends };
  const purge = performJob(parts, 'version_purge', {
    version_ids: [stray?.id, ...places.map(({ version_id }) => version_id)],
  });

  await assert.rejects(purge, { reason: 'unavailable' });
  for (const { backend, key } of places) assert.equal(await site.backends.of(backend).head(key), undefined);
  await site.service.database.query("DELETE FROM storage.versions WHERE backend = 'away'");
  await assertInvariants(site.service);
});

test('a version on a backend that is not there is answered 503, and others are read', async () => {
  await onBoth(Buffer.from('bytes'));
  await site.service.database.query(
    "UPDATE storage.versions SET backend = 'away' WHERE backend = 'postgres' AND state = 'stored'",
  );

  const away = await ask('object/box/a/rows');
  const { reason, message } = (await away.json()) as { reason: string; message: string };
  const { elsewhere } = await fsck({ db: site.db, backend: site.backends.default, others: ['postgres'] });
  await site.service.database.query("UPDATE storage.versions SET backend = 'postgres' WHERE backend = 'away'");

  assert.deepEqual([away.status, reason], [503, 'unavailable']);
  assert.doesNotMatch(message, /away/);
  assert.deepEqual(await site.read('box/a/disk'), Buffer.from('bytes'));
  assert.equal(elsewhere, 1);
  await assertInvariants(site.service);
});

test('a move or a copy into a bucket with a backend of its own is refused where the bytes are elsewhere', async () => {
  await onBoth(Buffer.from('bytes'));
  await site.service.database.query("SELECT storage.set_bucket_backend('rows', 'postgres')");
  const relocate = (what: string, from: string, to: string): Promise<Response> =>
    ask(`object/${what}`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ bucketId: 'box', sourceKey: from, destinationBucket: 'rows', destinationKey: to }),
    });

  const refused = [await relocate('move', 'a/disk', 'm'), await relocate('copy', 'a/disk', 'c')];
  const folder = await ask('object/move-prefix', {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ bucketId: 'box', sourcePrefix: 'a/', destinationBucket: 'rows', destinationPrefix: 'b/' }),
  });
  const reasons = await Promise.all(refused.map(async (each) => ((await each.json()) as { reason: string }).reason));
  const copied = await relocate('copy', 'a/rows', 'copied');
  const moved = await relocate('move', 'a/rows', 'moved');

  assert.deepEqual(
    refused.map(({ status }) => status),
    [409, 409],
  );
  assert.deepEqual(reasons, ['different_backend', 'different_backend']);
  assert.equal(((await folder.json()) as { reason: string }).reason, 'different_backend');
  assert.deepEqual([copied.status, moved.status], [200, 200]);
  assert.deepEqual(await site.read('rows/moved'), Buffer.from('bytes'));
  assert.deepEqual(await site.read('box/a/disk'), Buffer.from('bytes'));
  await assertInvariants(site.service);
});

test('a restore brings back bytes that are still where the bucket had them before', async () => {
  await site.service.database.query("UPDATE storage.buckets SET versioning = 'on' WHERE id = 'box'");
  await site.put('box/a', 'old');
  const { version_id } = await site.placeOf('box/a');
  await ask('object/box/a', { method: 'DELETE' });
  await site.service.database.query("SELECT storage.set_bucket_backend('box', 'postgres')");

  const restored = await ask('object/restore/box/a', {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ version: version_id }),
  });

  assert.equal(restored.status, 200, await restored.text());
  assert.deepEqual(await site.read('box/a'), Buffer.from('old'));
  await site.service.database.query("UPDATE storage.buckets SET versioning = 'off', backend = NULL WHERE id = 'box'");
  await site.service.database.query('DELETE FROM storage.objects');
  await site.service.database.query('DELETE FROM storage.object_history');
  await assertInvariants(site.service);
});

test('thumbnails are made of bytes on either backend, and are kept beside them', async () => {
  const picture = await sharp({ create: { width: 600, height: 400, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();
  await onBoth(picture, 'image/png');
  const parts = { db: site.db, backend: site.backends.default, backends: site.backends };

  for (const name of ['rows', 'disk']) {
    const { version_id } = await site.placeOf(`box/a/${name}`);
    await performJob(parts, 'thumbnail_generate', { version_id });
  }
  const variants = await site.service.database.query<{ source: string; own: string; n: number }>(
    `SELECT s.backend AS source, v.backend AS own, count(*)::int AS n FROM storage.variants AS d
       JOIN storage.versions AS s ON s.id = d.source_version_id JOIN storage.versions AS v ON v.id = d.version_id
     GROUP BY 1, 2 ORDER BY 1`,
  );
  const report = await site.copy({ from: 'disk', to: 'postgres', bucket: 'box' });

  assert.deepEqual(variants, [
    { source: 'disk', own: 'disk', n: 3 },
    { source: 'postgres', own: 'postgres', n: 3 },
  ]);
  assert.deepEqual([report.copied, report.left], [4, 0]);
  await assertInvariants(site.service);
});

test('presigned URLs of each backend open its own bytes at its own door, and no other', async () => {
  await onBoth(Buffer.from('bytes'));
  const { key } = await site.placeOf('box/a/rows');

  const url = await site.backends.of('postgres').presignGet(key, { expirySeconds: 60 });
  const opened = await fetch(url);
  const elsewhere = await fetch(await site.backends.of('disk').presignGet('objects/00/none', { expirySeconds: 60 }));
  const crossed = await fetch(url.replace('/rowlock-blobs/', '/civic-os-files/'));
  const uninvited = await fetch(
    await site.backends.of('postgres').presignPut('objects/00/none', { expirySeconds: 60 }),
    {
      method: 'PUT',
      body: 'x',
    },
  );

  assert.deepEqual([opened.status, await opened.text()], [200, 'bytes']);
  assert.deepEqual([elsewhere.status, crossed.status, uninvited.status], [404, 403, 410]);
  await assertInvariants(site.service);
});

test('files of entities go to the backend of their bucket, by a presigned PUT at its door', async () => {
  await site.service.database.query("SELECT storage.set_bucket_backend('files', 'postgres')");
  const rpc = (name: string, body: object): Promise<Response> =>
    site.service.fetch(`/rpc/${name}`, { as: 'ann', method: 'POST', headers: json, body: JSON.stringify(body) });
  const parts = { db: site.db, backend: site.backends.default, backends: site.backends };

  const asked = await rpc('request_upload_url', {
    p_entity_type: 'issues',
    p_entity_id: '1',
    p_file_name: 'a.txt',
    p_file_type: 'text/plain',
  });
  const request_id = (await asked.json()) as string;
  await performJob(parts, 's3_presign', { request_id });
  const [row] = await site.service.database.query<{ presigned_url: string; upload_id: string; s3_bucket: string }>(
    'SELECT presigned_url, upload_id, s3_bucket FROM metadata.file_upload_requests WHERE id = $1',
    [request_id],
  );
  const stored = await fetch(row?.presigned_url ?? '', {
    method: 'PUT',
    body: 'a file',
    headers: { 'content-type': 'text/plain' },
  });
  await performJob(parts, 'upload_complete', { upload_id: row?.upload_id });
  const [version] = await site.service.database.query<{ backend: string }>(
    "SELECT v.backend FROM storage.objects AS o JOIN storage.versions AS v ON v.id = o.version_id WHERE o.bucket_id = 'files'",
  );
  const report = await site.copy({ from: 'postgres', to: 'disk', bucket: 'files' });
  const [file] = await site.service.database.query<{ s3_bucket: string }>('SELECT s3_bucket FROM metadata.files');

  assert.equal(asked.status, 200, request_id);
  assert.equal(row?.s3_bucket, 'rowlock-blobs');
  assert.equal(stored.status, 200, await stored.text());
  assert.equal(version?.backend, 'postgres');
  assert.equal(report.copied, 1);
  assert.equal(file?.s3_bucket, 'civic-os-files');
  await assertInvariants(site.service);
});

test('a sweep clears unfinished bytes and tombstones of every backend', async () => {
  await site.service.database.query(
    "INSERT INTO storage.blobs (id, touched_at) VALUES (gen_random_uuid(), now() - interval '1 day')",
  );
  await site.service.database.query(
    `INSERT INTO storage.versions (id, backend, key, state, expires_at)
     SELECT gen_random_uuid(), backend, 'objects/00/late', 'gone', now() FROM unnest(ARRAY['disk', 'postgres']) AS backend`,
  );
  async function* late(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('late');
  }
  for (const backend of site.backends) await backend.put('objects/00/late', late());

  const report = await sweep({ db: site.db, backends: site.backends }, { graceSeconds: 3600, limit: 100 });

  assert.deepEqual([report.unfinished, report.forgotten], [1, 2]);
  for (const backend of site.backends) assert.equal(await backend.head('objects/00/late'), undefined);
  await assertInvariants(site.service);
});
