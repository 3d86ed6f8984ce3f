/** Uploading, reading and deleting over HTTP: statuses, limits, conditions, ranges. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { startService, type TestService } from '@rowlock/test-harness';

let service: TestService;

const json = { 'content-type': 'application/json' };

before(async () => {
  service = await startService({ workers: false });
  for (const bucket of [
    { name: 'box' },
    { name: 'small', file_size_limit: 1000 },
    { name: 'pictures', allowed_mime_types: ['image/*'] },
    { name: 'fixed', overwrite: 'deny' },
    { name: 'open', public: true },
  ]) {
    const made = await service.fetch('/storage/v1/bucket', {
      as: 'ann',
      method: 'POST',
      headers: json,
      body: JSON.stringify(bucket),
    });
    assert.equal(made.status, 201);
  }
});
after(() => service.stop());

const put = (
  path: string,
  body: string | Buffer | ReadableStream,
  headers: Record<string, string> = {},
  method = 'POST',
): Promise<Response> =>
  service.fetch(`/storage/v1/object/${path}`, {
    as: 'ann',
    method,
    body,
    headers,
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  } as RequestInit & { as: string });

async function reasonOf(response: Response): Promise<string> {
  return ((await response.json()) as { reason: string }).reason;
}

test('an upload answers in both dialects and the object comes back byte for byte', async () => {
  const bytes = Buffer.from('héllo');

  const created = await put('box/été/a b+c.txt', bytes, { 'content-type': 'Text/Plain; charset=utf-8' });
  const body = (await created.json()) as Record<string, unknown>;
  const read = await service.fetch('/storage/v1/object/box/%C3%A9t%C3%A9/a%20b+c.txt', { as: 'ann' });

  assert.equal(created.status, 201);
  assert.equal(body['Key'], 'box/été/a b+c.txt');
  assert.equal(body['Id'], body['id']);
  assert.equal(body['path'], 'été/a b+c.txt');
  assert.equal(body['size'], 6);
  assert.equal(body['content_type'], 'text/plain');
  assert.equal(body['owner_id'], 'ann');
  assert.equal(read.headers.get('content-type'), 'text/plain');
  assert.equal(read.headers.get('etag'), `"${createHash('sha256').update(bytes).digest('hex')}"`);
  assert.deepEqual(Buffer.from(await read.arrayBuffer()), bytes);
});

test('overwriting answers 200, and is refused where it was not wanted', async () => {
  assert.equal((await put('box/o.txt', '1')).status, 201);

  assert.equal((await put('box/o.txt', '2')).status, 200);
  assert.equal(await reasonOf(await put('box/o.txt', '3', { 'x-upsert': 'false' })), 'object_exists');
  const conditional = await put('box/o.txt', '4', { 'if-none-match': '*' });
  assert.equal(conditional.status, 412);
  assert.equal((await put('fixed/o.txt', '1')).status, 201);
  assert.equal((await put('fixed/o.txt', '2')).status, 409);
  assert.equal(await (await service.fetch('/storage/v1/object/box/o.txt', { as: 'ann' })).text(), '2');
});

test('a body over the limit is refused before a byte is written when its length is declared', async () => {
  const before = await readdir(join(service.root, '.tmp'));

  const refused = await put('small/big', 'x'.repeat(1001));

  assert.equal(refused.status, 413);
  assert.equal(await reasonOf(refused), 'too_large');
  assert.deepEqual(await readdir(join(service.root, '.tmp')), before);
  const [uploads] = await service.database.query<{ n: string }>(
    "SELECT count(*) AS n FROM storage.uploads WHERE bucket_id = 'small'",
  );
  assert.equal(uploads?.n, '0');
  assert.equal((await put('small/exact', 'x'.repeat(1000))).status, 201);
});

test('a body without a length is cut at the limit and leaves no object', async () => {
  const chunks = Readable.toWeb(Readable.from(Array.from({ length: 50 }, () => Buffer.alloc(100)))) as ReadableStream;

  const refused = await put('small/chunked', chunks);

  assert.equal(refused.status, 413);
  assert.equal((await service.fetch('/storage/v1/object/small/chunked', { as: 'ann' })).status, 404);
});

test('a media type outside the allow-list is refused, also when the bytes say it', async () => {
  const declared = await put('pictures/a.txt', 'text', { 'content-type': 'text/plain' });
  const disguised = await put('pictures/a.png', '<!doctype html><script>alert(1)</script>', {
    'content-type': 'image/png',
  });

  assert.equal(await reasonOf(declared), 'media_type_not_allowed');
  assert.equal(declared.status, 415);
  assert.equal(disguised.status, 415);
});

test('an upload to a missing bucket is 404 and creates nothing', async () => {
  const response = await put('nowhere/a', 'x');

  assert.equal(response.status, 404);
  assert.equal(await reasonOf(response), 'bucket_not_found');
});

test('a wrong checksum is refused and nothing is stored', async () => {
  const refused = await put('box/sum', 'hello', { 'content-md5': createHash('md5').update('other').digest('base64') });
  const accepted = await put('box/sum', 'hello', { 'content-md5': createHash('md5').update('hello').digest('base64') });

  assert.equal(await reasonOf(refused), 'bad_digest');
  assert.equal(accepted.status, 201);
});

test('names that could be paths are refused by every door', async () => {
  for (const name of ['..%2f..%2fetc%2fpasswd', 'a%00b', 'a//b', 'a/', '%ff%fe', 'a%0d%0ab', '%2e%2e%2fx']) {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const response = await service.fetch(`/storage/v1/object/box/${name}`, {
        as: 'ann',
        method,
        ...(method === 'POST' ? { body: 'x' } : {}),
      });
      assert.equal(response.status, 400, `${method} ${name}`);
    }
  }
});

test('ranges, conditions and HEAD follow RFC 9110', async () => {
  await put('box/range', '0123456789');
  const get = (headers: Record<string, string>, method = 'GET') =>
    service.fetch('/storage/v1/object/box/range', { as: 'ann', headers, method });
  const etag = (await get({})).headers.get('etag') ?? '';

  const part = await get({ range: 'bytes=2-5' });
  const suffix = await get({ range: 'bytes=-3' });
  const beyond = await get({ range: 'bytes=10-' });
  const same = await get({ 'if-none-match': etag });
  const head = await get({}, 'HEAD');
  const stale = await get({ range: 'bytes=0-0', 'if-range': '"other"' });
  const other = await get({ 'if-match': '"other"' });

  assert.equal(part.status, 206);
  assert.equal(part.headers.get('content-range'), 'bytes 2-5/10');
  assert.equal(await part.text(), '2345');
  assert.equal(await suffix.text(), '789');
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers.get('content-range'), 'bytes */10');
  assert.equal(same.status, 304);
  assert.equal(head.headers.get('content-length'), '10');
  assert.equal(await stale.text(), '0123456789');
  assert.equal(other.status, 412);
});

test('active content is served as an attachment in a sandbox', async () => {
  await put('box/page.png', '<html><script>alert(1)</script></html>', { 'content-type': 'image/png' });

  const served = await service.fetch('/storage/v1/object/box/page.png', { as: 'ann' });

  assert.match(served.headers.get('content-disposition') ?? '', /^attachment/);
  assert.match(served.headers.get('content-security-policy') ?? '', /sandbox/);
  assert.equal(served.headers.get('x-content-type-options'), 'nosniff');
});

test('only public objects may be kept by shared caches', async () => {
  await put('open/a.txt', 'a', { 'cache-control': 'max-age=60' });
  await put('box/a.txt', 'a', { 'cache-control': 'max-age=60' });

  const shared = await service.fetch('/storage/v1/object/public/open/a.txt');
  const own = await service.fetch('/storage/v1/object/box/a.txt', { as: 'ann' });
  const refused = await service.fetch('/storage/v1/object/public/box/a.txt', { as: 'ann' });

  assert.equal(shared.headers.get('cache-control'), 'max-age=60');
  assert.equal(own.headers.get('cache-control'), 'private, max-age=60');
  assert.equal(refused.status, 404);
});

test('a signed URL opens one object until it expires, and nothing else', async () => {
  await put('box/signed.txt', 'signed');
  await put('box/other.txt', 'other');
  const sign = async (body: unknown) =>
    service.fetch('/storage/v1/object/sign/box/signed.txt', {
      as: 'ann',
      method: 'POST',
      headers: json,
      body: JSON.stringify(body),
    });
  const { url, signedURL, expires_at } = (await (await sign({ expiresIn: 60 })).json()) as Record<string, string>;

  const opened = await fetch(url ?? '');
  const elsewhere = await fetch((url ?? '').replace('signed.txt', 'other.txt'));
  const tampered = await fetch(`${(url ?? '').slice(0, -20)}x${(url ?? '').slice(-19)}`.replace('token=e', 'token=f'));

  assert.equal(await opened.text(), 'signed');
  assert.match(signedURL ?? '', /^\/object\/sign\/box\/signed\.txt\?token=/);
  assert.ok(Date.parse(expires_at ?? '') > Date.now());
  assert.equal(elsewhere.status, 403);
  assert.equal(tampered.status, 403);
  for (const expiresIn of [0, -1, 1e9, 3600.5]) {
    assert.equal((await sign({ expiresIn })).status, 400, String(expiresIn));
  }
});

test('a signed URL does not follow the name to another object', async () => {
  await put('box/swap.txt', 'first');
  const { url } = (await (
    await service.fetch('/storage/v1/object/sign/box/swap.txt', { as: 'ann', method: 'POST' })
  ).json()) as { url: string };
  await service.fetch('/storage/v1/object/box/swap.txt', { as: 'ann', method: 'DELETE' });
  await put('box/swap.txt', 'second');

  assert.equal((await fetch(url)).status, 404);
});

test('listing shows folders once and objects with what is known of them', async () => {
  for (const name of ['l/a.txt', 'l/b/c.txt', 'l/b/d.txt', 'l/b-e.txt', 'lx.txt']) {
    await put(`box/${name}`, 'x');
  }
  const list = async (body: object) =>
    (await (
      await service.fetch('/storage/v1/object/list/box', {
        as: 'ann',
        method: 'POST',
        headers: json,
        body: JSON.stringify(body),
      })
    ).json()) as {
      name: string;
      id: string | null;
      metadata: Record<string, unknown> | null;
    }[];

  const all = await list({ prefix: 'l' });
  const paged = [...(await list({ prefix: 'l/', limit: 2 })), ...(await list({ prefix: 'l/', limit: 2, offset: 2 }))];

  assert.deepEqual(
    all.map((entry) => entry.name),
    ['a.txt', 'b-e.txt', 'b'],
  );
  assert.equal(all[2]?.id, null);
  assert.equal(all[0]?.metadata?.['size'], 1);
  assert.deepEqual(
    paged.map((entry) => entry.name),
    ['a.txt', 'b-e.txt', 'b'],
  );
});

test('deleting is idempotent, and a bucket must be empty to go', async () => {
  await put('box/d.txt', 'x');
  const del = (path: string) => service.fetch(`/storage/v1/${path}`, { as: 'ann', method: 'DELETE' });

  const first = await del('object/box/d.txt');
  const second = await del('object/box/d.txt');
  const full = await del('bucket/box');
  const many = await service.fetch('/storage/v1/object/open', {
    as: 'ann',
    method: 'DELETE',
    headers: json,
    body: '{"prefixes":["a.txt","none"]}',
  });
  const empty = await del('bucket/open');

  assert.equal(first.status, 200);
  assert.equal(second.status, 200);
  assert.equal(full.status, 409);
  assert.equal(((await full.json()) as { code: string }).code, 'BUCKET_NOT_EMPTY');
  assert.equal(((await many.json()) as unknown[]).length, 1);
  assert.equal(empty.status, 200);
});

test('of a hundred concurrent creates of one name exactly one succeeds', async () => {
  const statuses = await Promise.all(
    Array.from(
      { length: 100 },
      async (_, i) => (await put('box/race.txt', `writer ${i}`, { 'x-upsert': 'false' })).status,
    ),
  );

  assert.equal(statuses.filter((status) => status === 201).length, 1);
  assert.equal(statuses.filter((status) => status === 409).length, 99);
  const [left] = await service.database.query<{ n: string }>(
    "SELECT count(*) AS n FROM storage.uploads WHERE name = 'race.txt'",
  );
  assert.equal(left?.n, '0', 'the losers gave their uploads up');
});

test('null in a bucket means no limit, and numbers are not read from texts', async () => {
  const make = (body: object) =>
    service.fetch('/storage/v1/bucket', { as: 'ann', method: 'POST', headers: json, body: JSON.stringify(body) });

  const made = await make({ name: 'nulls', allowed_mime_types: null, file_size_limit: null });
  const uploaded = await put('nulls/a', 'x');
  const wrong = await make({ name: 'wrong', allowed_mime_types: 'image/png' });
  const listed = await service.fetch('/storage/v1/bucket?limit=1&offset=1', { as: 'ann' });
  const unlisted = await service.fetch('/storage/v1/bucket?limit=x', { as: 'ann' });

  assert.equal(((await made.json()) as { allowed_mime_types: unknown }).allowed_mime_types, null);
  assert.equal(uploaded.status, 201);
  assert.equal(wrong.status, 400);
  assert.equal(((await listed.json()) as unknown[]).length, 1);
  assert.equal(unlisted.status, 400);
});
