/**
 * Uploads in parts by functions alone, as applications make them that know only PostgREST: asked for, signed by the database,
 * listed, completed and given up, on the disk and on a real S3 store.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { createClient, type MultipartRequestState } from '@rowlock/client';
import { RowlockFiles } from '@rowlock/client/files';
import { Database, openBackends, sweep } from '@rowlock/server';
import { assertInvariants, requires, signToken, until } from '@rowlock/test-harness';
import { cephConfig } from '../backends/ceph-backend.ts';
import { type Application, ann, bob, startApplication } from './application.ts';

const partBytes = 5 * 2 ** 20;
const skipped = requires('ceph');

let app: Application;

before(async () => {
  const others = skipped === false ? [{ kind: 's3', ...(await cephConfig()) } as const] : [];
  app = await startApplication({ config: { other_backends: others } });
});
after(() => app.stop());

const asked = { p_entity_type: 'issue', p_entity_id: '7', p_file_name: 'film.mp4', p_file_type: 'video/mp4' };
const bytes = (size: number): Buffer<ArrayBuffer> => Buffer.from(randomBytes(size));
const put = (url: string, body: Uint8Array<ArrayBuffer>): Promise<Response> => fetch(url, { method: 'PUT', body });

interface PartUrl {
  readonly part_number: number;
  readonly size: number;
  readonly url: string;
}
interface Listed {
  readonly status: string;
  readonly parts: readonly { readonly part_number: number; readonly size: number; readonly etag: string }[];
}

async function state(upload_id: string): Promise<MultipartRequestState> {
  const path = '/rpc/get_multipart_upload';
  return (await app.postgrest.ask({ method: 'GET', path, query: { p_upload_id: upload_id }, as: ann })).json();
}

/** Asks, and waits until a worker has begun it at the store. */
async function begun(size: number, changes: object = {}): Promise<MultipartRequestState> {
  const answer = await app.call('request_multipart_upload', {
    ...asked,
    p_file_size: size,
    p_part_size: partBytes,
    ...changes,
  });
  assert.equal(answer.status, 200, answer.bytes.toString());
  const { upload_id } = answer.json<MultipartRequestState>();
  return await until(
    async () => {
      const now = await state(upload_id);
      return now.status === 'pending' ? undefined : now;
    },
    { what: 'the store has begun the upload' },
  );
}

async function urlsOf(upload_id: string, parts: readonly number[]): Promise<PartUrl[]> {
  return (await app.call('get_part_urls', { p_upload_id: upload_id, p_parts: parts })).json<PartUrl[]>();
}

async function listed(upload_id: string): Promise<Listed> {
  return await until(
    async () => {
      const now = (await app.call('list_parts', { p_upload_id: upload_id })).json<Listed>();
      return now.status === 'completed' ? now : undefined;
    },
    { what: 'the parts are listed' },
  );
}

async function completed(upload_id: string, parts?: unknown): Promise<MultipartRequestState> {
  await app.call('complete_multipart_upload', {
    p_upload_id: upload_id,
    ...(parts === undefined ? {} : { p_parts: parts }),
  });
  return await until(
    async () => {
      const now = await state(upload_id);
      return now.status === 'completing' ? undefined : now;
    },
    { timeoutMs: 30_000, what: 'a worker has put it together' },
  );
}

for (const store of ['disk', 's3'] as const) {
  describe(`in parts, on ${store}`, { skip: store === 's3' && skipped }, () => {
    before(async () => {
      await app.service.database.query('SELECT storage.set_bucket_backend($1, $2)', ['files', store]);
      // Its keys were derived when the worker began, and are asked for only now.
      await until(
        async () =>
          (await app.service.database.query('SELECT FROM storage.s3_signing_keys WHERE backend = $1', [store])).length >
          0,
        { what: 'the database has keys of the store' },
      );
    });

    test('a file is asked for, signed, listed, completed and registered', async () => {
      const [first, second] = [bytes(partBytes), bytes(1234)];
      const upload = await begun(partBytes + 1234);
      const urls = await urlsOf(upload.upload_id, [2, 1, 3]);

      const sent = [await put(urls[0]?.url ?? '', second), await put(urls[1]?.url ?? '', first)];
      const { parts } = await listed(upload.upload_id);
      const ended = await completed(upload.upload_id, parts);
      const record = {
        ...asked,
        p_id: ended.file_id,
        p_file_size: 1,
        p_s3_bucket: ended.bucket,
        p_s3_original_key: ended.key,
      };
      const file = (await app.call('create_file_record', record)).json<Record<string, unknown>>();
      const read = await app.service.fetch(`/storage/v1/object/files/${ended.key}`, { as: 'ann' });

      assert.equal(upload.status, 'open');
      assert.deepEqual(
        urls.map(({ part_number, size }) => [part_number, size]),
        [
          [2, 1234],
          [1, partBytes],
        ],
      );
      assert.deepEqual(
        sent.map(({ status }) => status),
        [200, 200],
      );
      assert.deepEqual(
        parts.map(({ part_number, size }) => [part_number, size]),
        [
          [1, partBytes],
          [2, 1234],
        ],
      );
      assert.deepEqual([ended.status, ended.error], ['completed', null]);
      assert.equal(file['file_size'], partBytes + 1234);
      assert.ok(Buffer.from(await read.arrayBuffer()).equals(Buffer.concat([first, second])));
    });

    test('a missing or a wrong part is told, and the upload goes on; its URLs end with it', async () => {
      const upload = await begun(partBytes + 9);
      const [first, second] = await urlsOf(upload.upload_id, [1, 2]);
      await put(first?.url ?? '', bytes(partBytes));
      const missing = await completed(upload.upload_id);
      const other = await put(second?.url ?? '', bytes(10));

      const answer = await put(second?.url ?? '', bytes(9));
      const wrong = await completed(upload.upload_id, [
        { part_number: 1, etag: 'x' },
        { part_number: 2, etag: answer.headers.get('etag') },
      ]);
      const ended = await completed(upload.upload_id);
      const again = (
        await app.call('complete_multipart_upload', { p_upload_id: upload.upload_id })
      ).json<MultipartRequestState>();
      const late = await put(second?.url ?? '', bytes(9));

      assert.deepEqual([missing.status, missing.error], ['open', 'Part 2 of 2 has not arrived']);
      assert.equal(other.status, 403);
      assert.deepEqual([wrong.status, wrong.error], ['open', 'Part 1 is not the one that was named']);
      assert.deepEqual([ended.status, again.status], ['completed', 'completed']);
      assert.equal(late.status, store === 's3' ? 404 : 410);
      assert.deepEqual(await urlsOf(upload.upload_id, [1]), []);
    });

    test('what is given up is gone at the store too, and what the store has begun for nobody is swept', async () => {
      const backends = await openBackends(app.service.config);
      const url = app.service.database.workerUrl;
      const db = new Database({ url, connectionsMax: 2, statementTimeoutMs: 10_000, applicationName: 'parts test' });
      const parts = backends.of(store).parts;
      const upload = await begun(partBytes + 9);
      const [first] = await urlsOf(upload.upload_id, [1]);
      await put(first?.url ?? '', bytes(partBytes));
      // As after a crash between the store's answer and its record.
      const lost = { key: 'objects/ab/lost', store_id: (await parts?.create('objects/ab/lost')) ?? '' };

      await sweep({ db, backends }, { graceSeconds: 0, limit: 1000 });
      const kept = await listed(upload.upload_id);
      const given = (
        await app.call('abort_multipart_upload', { p_upload_id: upload.upload_id })
      ).json<MultipartRequestState>();
      await until(async () => (await put(first?.url ?? '', bytes(partBytes))).status !== 200, {
        what: 'its URLs have ended',
      });

      assert.equal(kept.parts.length, 1);
      assert.deepEqual([given.status, given.error], ['failed', 'the upload was given up']);
      await assert.rejects(parts?.list(lost) ?? Promise.resolve(), { reason: 'upload_gone' });
      await Promise.all([db.close(), backends.close()]);
    });

    test('the client does all of it by itself', async () => {
      const client = createClient({
        url: app.service.url,
        token: await signToken({ sub: 'ann', role: 'authenticated' }),
      });
      const body = bytes(partBytes + 77);
      const sent: number[] = [];

      const uploaded = await client.upload(body, {
        entityType: 'issue',
        entityId: '8',
        propertyName: 'film',
        fileName: 'large.bin',
        way: 'parts',
        partSize: partBytes,
        onProgress: ({ bytesSent }) => sent.push(bytesSent),
      });
      const [file] = await new RowlockFiles(client).getFiles('issue', '8');
      const read = await app.service.fetch(`/storage/v1/object/${uploaded.bucket}/${uploaded.name}`, {
        as: 'ann',
      });

      assert.deepEqual([file?.file_size, file?.property_name, sent.at(-1)], [body.length, 'film', body.length]);
      assert.ok(Buffer.from(await read.arrayBuffer()).equals(body));
    });
  });
}

test('beside the URLs of its parts there is none for the whole, whoever signs it', async () => {
  const { database, config } = app.service;
  await database.query("SELECT storage.set_bucket_backend('files', 'disk')");
  const upload = await begun(9);
  const query = { p_request_id: upload.request_id ?? '' };
  const asRequest = await app.postgrest.ask({ method: 'GET', path: '/rpc/get_upload_request', query, as: ann });
  const [signed] = await database.query('SELECT storage_sign.sign_put($1, 60) AS url', [upload.request_id]);
  const [begunTwice] = await database.query("SELECT storage_internal.multipart_begun($1, 'other', 'b') AS is_ours", [
    upload.upload_id,
  ]);
  const backends = await openBackends(config);
  const whole = await put(await backends.of('disk').presignPut(upload.key, { expirySeconds: 60 }), bytes(9));
  await backends.close();
  await app.call('abort_multipart_upload', { p_upload_id: upload.upload_id });

  assert.equal(asRequest.json<{ url: string | null }>().url, null);
  assert.deepEqual([signed, begunTwice], [{ url: null }, { is_ours: false }]);
  assert.equal(whole.status, 410);
});

test('for others an upload in parts is not there', async () => {
  const upload = await begun(partBytes);
  const calls = {
    get_part_urls: { p_parts: [1] },
    get_multipart_upload: {},
    list_parts: {},
    complete_multipart_upload: {},
    abort_multipart_upload: {},
  };

  for (const [name, args] of Object.entries(calls)) {
    const answer = await app.call(name, { p_upload_id: upload.upload_id, ...args }, bob);
    assert.deepEqual(answer.json<unknown>(), name === 'get_part_urls' ? [] : null, name);
  }

  assert.equal((await state(upload.upload_id)).status, 'open');
  await app.call('abort_multipart_upload', { p_upload_id: upload.upload_id });
});

test('31 one PUT above 5 GiB is told to come in parts, and parts have their limits', async () => {
  const gibi = 2 ** 30;
  const single = await app.call('request_upload', { ...asked, p_file_size: 5 * gibi + 1 });
  await app.service.database.query(`UPDATE storage.buckets SET file_size_limit = ${50 * gibi} WHERE id = 'files'`);
  const allowed = await app.call('request_upload', { ...asked, p_file_size: 5 * gibi + 1 });
  const refusals = await Promise.all(
    [
      { p_file_size: 50 * gibi + 1 },
      { p_part_size: 1 },
      { p_file_size: 0 },
      { p_file_size: 49 * gibi, p_part_size: partBytes },
    ].map((changes) => app.call('request_multipart_upload', { ...asked, p_file_size: gibi, ...changes })),
  );
  const many = await app.call('get_part_urls', {
    p_upload_id: '00000000-0000-7000-8000-000000000000',
    p_parts: Array(1001).fill(1),
  });
  await app.service.database.query("UPDATE storage.buckets SET file_size_limit = NULL WHERE id = 'files'");

  assert.equal(single.status, 400);
  assert.match(single.bytes.toString(), /at most 5368709120 are accepted/);
  assert.match(
    allowed.bytes.toString(),
    /one PUT carries at most 5368709120 bytes: upload the file in parts, by request_multipart_upload/,
  );
  assert.deepEqual(
    refusals.map(({ status }) => status),
    [400, 400, 400, 400],
  );
  assert.deepEqual(many.json<unknown>(), []);
});

test('what was written by all of this is whole', async () => {
  await assertInvariants(app.service);
});
