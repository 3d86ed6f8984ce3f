/** URLs that the database signs for a real S3 store: Ceph's RADOS gateway takes them, and nothing that differs from them. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Database } from '@rowlock/server';
import { cephStore, createMigratedDatabase, type MigratedDatabase, performJob, requires } from '@rowlock/test-harness';
import pg from 'pg';
import { openS3Backend, type S3Backend } from '../../../packages/server/dist/backend/s3/s3-backend.js';
import { withoutTriggers } from '../database/presign-stores.ts';

const stored = '00000000-0000-7000-8000-000000000001';
const coming = '00000000-0000-7000-8000-000000000002';
const object = '00000000-0000-7000-8000-000000000003';
const request = '00000000-0000-7000-8000-000000000004';
const upload = '00000000-0000-7000-8000-000000000005';

describe('URLs that the database signs for a RADOS gateway', { skip: requires('ceph') }, () => {
  let database: MigratedDatabase;
  let backend: S3Backend;

  before(async () => {
    const ceph = await cephStore();
    backend = await openS3Backend({
      endpoint: ceph.endpoint,
      region: ceph.region,
      bucket: await ceph.newBucket(),
      credentials: ceph.credentials,
      key_prefix: 'rowlock/',
      flavour: 'ceph',
    });
    database = await createMigratedDatabase();
    const db = new Database({
      url: database.workerUrl,
      connectionsMax: 1,
      statementTimeoutMs: 5000,
      applicationName: 'ceph test',
    });
    await performJob({ db, backend }, 'signing_keys_rotate', {});
    await db.close();
    await backend.put('objects/a/b.jpg', asBytes('picture'));
    await database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('box', 'ann')");
    await withoutTriggers(
      database,
      `INSERT INTO storage.versions (id, backend, key, state, size, stored_at, expires_at, content_type) VALUES
         ('${stored}', '${backend.name}', 'objects/a/b.jpg', 'stored', 7, now(), NULL, 'image/jpeg'),
         ('${coming}', '${backend.name}', 'issue/1/x/original.txt', 'writing', NULL, NULL, now() + interval '1 day', NULL);
       INSERT INTO storage.objects (id, bucket_id, name, owner_id, version_id, size, content_type)
         VALUES ('${object}', 'box', 'b.jpg', 'ann', '${stored}', 7, 'image/jpeg');
       INSERT INTO storage.uploads (id, version_id, kind, bucket_id, name, caller_role, caller_claims, size_max, overwrite, expires_at)
         VALUES ('${upload}', '${coming}', 'direct', 'files', 'x', 'authenticated', '{}', 9, false, now() + interval '1 day');
       INSERT INTO metadata.file_upload_requests (id, upload_id, entity_type, entity_id, file_name, file_type, s3_key, requested_by)
         VALUES ('${request}', '${upload}', 'issue', '1', 'x.txt', 'text/plain; charset=utf-8', 'issue/1/x/original.txt', 'ann')`,
    );
  });
  after(async () => {
    await backend?.close();
    await database?.drop();
  });

  /** As ann, in a transaction that only reads. */
  async function asAnn(call: string): Promise<string> {
    const client = new pg.Client({ connectionString: database.apiUrl });
    await client.connect();
    try {
      await client.query(`BEGIN READ ONLY; SELECT set_config('request.jwt.claims', '{"sub":"ann"}', true),
        set_config('role', 'authenticated', true)`);
      return (await client.query<{ url: string }>(`SELECT ${call} AS url`)).rows[0]?.url ?? '';
    } finally {
      await client.end();
    }
  }

  test('a GET answers the bytes with what was signed', async () => {
    const url = await asAnn(`public.get_download_url('${object}', 60, 'My “photo” 100%.jpg')`);

    const answer = await fetch(url);

    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), 'picture');
    assert.equal(answer.headers.get('content-type'), 'image/jpeg');
    assert.match(
      answer.headers.get('content-disposition') ?? '',
      /^attachment; filename="My _photo_ 100_\.jpg"; filename\*=UTF-8''/,
    );
    assert.equal((await fetch(url.replace('b.jpg', 'c.jpg'))).status, 403);
    assert.equal((await fetch(url, { method: 'PUT', body: 'x' })).status, 403);
  });

  test('a PUT is taken with the type that was asked for, and with no other', async () => {
    const url = await asAnn(`storage.presign_put('${request}', 60)`);
    const put = (type: string): Promise<Response> =>
      fetch(url, { method: 'PUT', body: 'text', headers: { 'content-type': type } });

    assert.equal((await put('text/html')).status, 403);
    assert.equal((await put('text/plain; charset=utf-8')).status, 200);
    assert.equal((await backend.head('issue/1/x/original.txt'))?.size, 4);
  });
});

async function* asBytes(text: string): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from(text);
}
