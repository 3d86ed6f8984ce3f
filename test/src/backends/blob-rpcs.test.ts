/**
 * Upload and download for clients that know only PostgREST: a body of bytes to `upload_blob`, the bytes from `download_blob`,
 * each in one transaction under the caller's policies. Over a real PostgREST where POSTGREST_BIN names one.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  assertInvariants,
  type Postgrest,
  type PostgrestAnswer,
  type PostgrestClaims,
  seededRandom,
  startPostgrest,
} from '@rowlock/test-harness';
import { type BackendsSite, startBackendsSite } from './backends-site.ts';

const octets = { accept: 'application/octet-stream', 'content-type': 'application/octet-stream' };
const ann = { role: 'authenticated', sub: 'ann' };
const bob = { role: 'authenticated', sub: 'bob' };
const random = seededRandom();

let site: BackendsSite;
let postgrest: Postgrest;

before(async () => {
  site = await startBackendsSite();
  await site.bucket('rows', 'postgres');
  await site.bucket('files-on-disk');
  postgrest = await startPostgrest(site.service.database);
});
after(async () => {
  await postgrest.stop();
  await site.stop();
});

interface Uploading {
  readonly bucket?: string;
  readonly as?: PostgrestClaims | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

const upload = (name: string, body: Buffer | string, options: Uploading = {}): Promise<PostgrestAnswer> => {
  const { bucket = 'rows', headers = {} } = options;
  return postgrest.ask({
    method: 'POST',
    path: '/rpc/upload_blob',
    headers: {
      'content-type': 'application/octet-stream',
      'x-rowlock-bucket': bucket,
      'x-rowlock-name': encodeURIComponent(name),
      ...headers,
    },
    body: Buffer.from(body),
    as: 'as' in options ? options.as : ann,
  });
};

const download = (name: string, as: PostgrestClaims | undefined = ann, bucket = 'rows'): Promise<PostgrestAnswer> =>
  postgrest.ask({
    method: 'GET',
    path: '/rpc/download_blob',
    query: { p_bucket: bucket, p_name: name },
    headers: octets,
    as,
  });

const messageOf = (answer: PostgrestAnswer): unknown => answer.json<{ message: string }>().message;

test('bytes that were uploaded come back, here and over the storage API', async (t) => {
  t.diagnostic(`seed ${random.seed}`);
  const body = random.bytes(700_000);
  const name = 'photos/Ferien & Meer/ü %41.jpg';

  const uploaded = await upload(name, body, { headers: { 'x-rowlock-content-type': 'image/jpeg' } });
  const downloaded = await download(name);
  const overHttp = await site.read(`rows/${name.split('/').map(encodeURIComponent).join('/')}`);

  assert.equal(uploaded.status, 200, uploaded.bytes.toString());
  const { size, content_type, created, path } = uploaded.json<Record<string, unknown>>();
  assert.deepEqual([size, content_type, created, path], [700_000, 'image/jpeg', true, name]);
  assert.equal(downloaded.status, 200);
  assert.ok(downloaded.bytes.equals(body));
  assert.equal(downloaded.headers['content-type'], 'image/jpeg');
  assert.equal(downloaded.headers['content-disposition'], "attachment; filename*=UTF-8''%C3%BC%20%2541.jpg");
  assert.equal(downloaded.headers['x-content-type-options'], 'nosniff');
  assert.match(downloaded.headers['etag'] ?? '', /^"[0-9a-f]{64}"$/);
  assert.deepEqual(overHttp, body);
  await assertInvariants(site.service);
});

test('an empty body is an object of no bytes', async () => {
  const uploaded = await upload('empty', '');
  const downloaded = await download('empty');

  assert.equal(uploaded.status, 200);
  assert.deepEqual([downloaded.status, downloaded.bytes.length], [200, 0]);
});

test('a name that is taken is replaced or refused, as is asked, and the old bytes are purged', async () => {
  await upload('taken', 'first');

  const refused = await upload('taken', 'second', { headers: { 'x-upsert': 'false' } });
  const kept = await download('taken');
  const replaced = await upload('taken', 'third', { headers: { 'x-upsert': 'true' } });
  const now = await download('taken');
  await assertInvariants(site.service);
  const blobs = await site.service.database.query<{ n: string }>(
    'SELECT count(*) AS n FROM storage.blobs WHERE size = 5',
  );

  assert.equal(messageOf(refused), 'object_exists');
  assert.equal(kept.bytes.toString(), 'first');
  assert.equal(replaced.json<{ created: boolean }>().created, false);
  assert.equal(now.bytes.toString(), 'third');
  assert.equal(Number(blobs[0]?.n), 1);
});

test("the caller's policies judge both: nobody writes into another's bucket, and hidden and missing are alike", async () => {
  await upload('private', 'of Ann');

  const byBob = await upload('by-bob', 'x', { as: bob });
  const byNobody = await upload('by-nobody', 'x', { as: undefined });
  const [hidden, missing, anonymous] = [
    await download('private', bob),
    await download('never', bob),
    await postgrest.ask({
      method: 'GET',
      path: '/rpc/download_blob',
      query: { p_bucket: 'rows', p_name: 'private' },
      headers: octets,
    }),
  ];
  const left = await site.service.database.query(
    "SELECT FROM storage.uploads UNION ALL SELECT FROM storage.objects WHERE name LIKE 'by-%'",
  );

  assert.ok(byBob.status >= 400 && byNobody.status >= 400);
  assert.deepEqual([hidden.status, missing.status, anonymous.status], [404, 404, 404]);
  assert.equal(hidden.bytes.toString(), missing.bytes.toString());
  assert.deepEqual(left, []);
  await assertInvariants(site.service);
});

test('what does not belong into rows is refused with words, and leaves nothing', async () => {
  await site.service.database.query(
    "INSERT INTO storage.buckets (id, owner_id, allowed_mime_types) VALUES ('typed', 'ann', '{image/*}')",
  );
  await site.service.database.query("SELECT storage.set_bucket_backend('typed', 'postgres')");

  const answers = await Promise.all([
    upload('large', Buffer.alloc(5 * 2 ** 20 + 1)),
    upload('elsewhere', 'x', { bucket: 'files-on-disk' }),
    upload('typed', 'x', { bucket: 'typed', headers: { 'x-rowlock-content-type': 'image/png' } }),
    upload('../up', 'x'),
    upload('a\u0000b', 'x'),
    upload('type', 'x', { headers: { 'x-rowlock-content-type': 'text/html\r\nx: y' } }),
    upload('nowhere', 'x', { bucket: 'none' }),
    postgrest.ask({
      method: 'POST',
      path: '/rpc/upload_blob',
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.from('x'),
      as: ann,
    }),
  ]);
  const blobs = await site.service.database.query(
    "SELECT FROM storage.objects WHERE name IN ('large', 'elsewhere', 'typed', 'type', 'nowhere')",
  );

  assert.ok(
    answers.every(({ status }) => status >= 400),
    answers.map(({ status }) => status).join(),
  );
  assert.deepEqual(answers.slice(0, 3).map(messageOf), ['too_large', 'different_backend', 'media_type_not_allowed']);
  assert.equal(messageOf(answers[7] as PostgrestAnswer), 'invalid_request');
  assert.deepEqual(blobs, []);
  await assertInvariants(site.service);
});

test('a direct call of what stands behind is refused, with a forged upload too', async () => {
  const { database } = site.service;
  const calls = [
    "SELECT storage_internal.store_blob(NULL::storage.uploads, 'x')",
    'SELECT storage_internal.blob_uploaded(NULL::storage.uploads, true)',
    "SELECT storage_internal.blob_to_send('objects/00/x', 'postgres', 'text/html', 'e', 'n')",
    "SELECT * FROM storage_internal.blob_read('objects/00/x', 0, 10)",
    "SELECT storage.set_bucket_backend('rows', NULL)",
    "UPDATE storage.buckets SET backend = NULL WHERE id = 'rows'",
    "INSERT INTO storage.buckets (id, backend) VALUES ('mine', 'postgres')",
  ];
  // One transaction, which the error ends.
  const asAnn = (statement: string): string =>
    `SELECT set_config('role', 'authenticated', true), set_config('request.jwt.claims', '{"sub":"ann"}', true); ${statement}`;

  for (const statement of calls) {
    await assert.rejects(database.query(asAnn(statement)), { code: '42501' }, statement);
  }
});

test('an object whose bytes went elsewhere is read where they are', async () => {
  await upload('moves', 'some bytes');
  const report = await site.copy({ from: 'postgres', to: 'disk', bucket: 'rows', prefix: 'moves' });

  const byRpc = await download('moves');
  const byHttp = await site.read('rows/moves');

  assert.equal(report.copied, 1);
  assert.equal(byRpc.status, 409);
  assert.match(byRpc.bytes.toString(), /use the storage API/);
  assert.deepEqual(byHttp, Buffer.from('some bytes'));
  await assertInvariants(site.service);
});
