/**
 * An adopted system whose bytes are in a real S3 store, as its frontend uses it: the PUT that names an ACL, and thumbnails
 * that the browser reads without us.
 */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { type BackendConfig, installAdoption, openBackend, type RunningWorker, switchAdoption } from '@rowlock/server';
import { cephStore, requires, until } from '@rowlock/test-harness';
import pg from 'pg';
import sharp from 'sharp';
import { alice, type CivicOs, createCivicOs } from './civic-os.ts';

/** What the API does when the store says that bytes are there. */
async function announce(url: string, bucket: string, keys: readonly string[]): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query('SELECT * FROM storage_internal.bytes_announced($1, $2, $3)', [
    's3',
    bucket,
    keys,
  ]);
  await client.end();
  return rows[0];
}

describe('an adopted system on S3', { skip: requires('ceph') }, () => {
  let site: CivicOs;
  let worker: RunningWorker | undefined;
  let bucket: string;
  let kept: BackendConfig;

  before(async () => {
    const store = await cephStore();
    bucket = await store.newBucket();
    site = await createCivicOs();
    await installAdoption(site.target);
    const { endpoint, region, credentials } = store;
    kept = { kind: 's3', endpoint, region, credentials, bucket, flavour: 'ceph' };
    worker = await site.startWorker({ backend: kept, upload_acl: 'public-read' });
    await switchAdoption(site.target);
  });
  after(async () => {
    await worker?.stop();
    await site.drop();
  });

  test('an upload of the deployed frontend arrives, and its thumbnails are there for a browser without any token', async () => {
    const bytes = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#936' } })
      .jpeg()
      .toBuffer();
    const [asked] = await site.call<{ id: string }>(
      alice,
      "SELECT public.request_upload_url('issues', '1', 'Lamp.JPG', 'image/jpeg') AS id",
    );
    const signed = await until(
      async () => {
        const [row] = await site.call<{ status: string; url: string; file_id: string }>(
          alice,
          'SELECT * FROM public.get_upload_url($1)',
          [asked?.id],
        );
        return row?.status === 'completed' ? row : undefined;
      },
      { what: 'the URL is there' },
    );
    const headers = { 'content-type': 'image/jpeg', 'x-amz-acl': 'public-read' };
    const unsigned = await fetch(signed.url, { method: 'PUT', body: bytes, headers: { 'content-type': 'image/jpeg' } });
    const put = await fetch(signed.url, { method: 'PUT', body: bytes, headers });
    // The frontend takes bucket and key from the path, without decoding it.
    const [, named, ...rest] = new URL(signed.url).pathname.split('/');

    await site.call(alice, 'SELECT public.create_file_record($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
      signed.file_id,
      'issues',
      '1',
      'Lamp.JPG',
      'image/jpeg',
      bytes.length,
      named,
      rest.join('/'),
      'pending',
    ]);
    const [file] = await until(
      async () => {
        const rows = await site.call<{ thumbnail_status: string; s3_thumbnail_small_key: string }>(
          alice,
          'SELECT * FROM public.files WHERE id = $1',
          [signed.file_id],
        );
        return rows[0]?.thumbnail_status === 'completed' ? rows : undefined;
      },
      { what: 'the thumbnails are there', timeoutMs: 20_000 },
    );

    assert.deepEqual([unsigned.status, put.status, named], [403, 200, bucket]);
    assert.equal(rest.join('/'), `issues/1/${signed.file_id}/original.jpg`);
    const shown = await fetch(new URL(`/${bucket}/${file?.s3_thumbnail_small_key}`, signed.url));
    assert.deepEqual([shown.status, shown.headers.get('content-type')], [200, 'image/jpeg']);
    const { width, height } = await sharp(Buffer.from(await shown.arrayBuffer())).metadata();
    assert.deepEqual([width, height], [150, 150]);
  });

  test('R119 a file that was registered before its bytes came gets its thumbnails when the store says that they are there', async () => {
    const file_id = '0f000000-0000-7000-8000-000000000119';
    const key = `issues/1/${file_id}/original.jpg`;
    await site.call(alice, 'SELECT public.create_file_record($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
      file_id,
      ...['issues', '1', 'Late.jpg', 'image/jpeg', 1, bucket, key, 'pending'],
    ]);
    const statusOf = async (): Promise<string | undefined> =>
      (
        await site.query<{ thumbnail_status: string }>('SELECT thumbnail_status FROM metadata.files WHERE id = $1', [
          file_id,
        ])
      )[0]?.thumbnail_status;
    await until(async () => (await statusOf()) === 'failed', {
      what: 'there was nothing to render',
      timeoutMs: 20_000,
    });
    const store = await openBackend(kept);
    const bytes = await sharp({ create: { width: 30, height: 20, channels: 3, background: '#369' } })
      .jpeg()
      .toBuffer();
    await store.put(key, Readable.from([bytes]));
    await store.close();

    const told = await announce(site.apiUrl, bucket, [key, key, `issues/1/${alice}/original.jpg`]);
    await until(async () => (await statusOf()) === 'completed', {
      what: 'the thumbnails are there',
      timeoutMs: 20_000,
    });
    const again = await announce(site.apiUrl, bucket, [key]);
    const jobs = await site.query("SELECT FROM metadata.river_job WHERE args ->> 'file_id' = $1", [file_id]);

    assert.deepEqual(told, { arrived: 0, rechecked: 0, adopted: 1, unknown: 1 });
    assert.deepEqual(again, { arrived: 0, rechecked: 0, adopted: 1, unknown: 0 });
    assert.equal(jobs.length, 2, 'the job of the row, and that of the event');
  });
});
