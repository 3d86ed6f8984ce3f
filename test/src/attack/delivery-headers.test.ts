/** Rows 115, 116, 119, 120 and 123 of the list of attacks: what goes along with bytes, and what is in them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { handSigned, sendPlainly } from './hand-signed-url.ts';
import { type Attacked, assertRefused, attacked } from './standing.ts';

const good = 'https://app.example.com';

let open: Attacked;

before(async () => {
  open = await attacked({ config: { cors_origins: [good, 'https://admin.example.com'] } });
  await open.send('POST', '/storage/v1/bucket', { name: 'vault' }, 'olivia');
  await open.send('POST', '/storage/v1/bucket', { name: 'plaza', policy: 'public' }, 'olivia');
  const headers = { 'content-type': 'text/plain', 'cache-control': 'public, max-age=31536000, s-maxage=99, immutable' };
  for (const path of ['vault/a.txt', 'plaza/a.txt']) {
    const put = await open.service.fetch(`/storage/v1/object/${path}`, {
      as: 'olivia',
      method: 'POST',
      headers,
      body: 'a',
    });
    assert.equal(put.status, 201);
  }
  await open.remember();
});
afterEach(() => open.assertUnharmed());
after(() => open.stop());

async function signedUrl(name: string, preset?: string): Promise<string> {
  const body = preset === undefined ? {} : { transform: { preset } };
  const answer = await open.send('POST', `/storage/v1/object/sign/vault/${name}`, body, 'olivia');
  return ((await answer.json()) as { readonly url: string }).url;
}

/** The path and query of a presigned GET of an object of the vault. */
async function presigned(name: string, query: readonly (readonly [string, string])[] = []): Promise<string> {
  const [row] = await open.database.query<{ key: string }>(
    'SELECT v.key FROM storage.objects AS o JOIN storage.versions AS v ON v.id = o.version_id WHERE o.bucket_id = $1 AND o.name = $2',
    ['vault', name],
  );
  const { bucket, access_key_id, secret_access_key } = open.service.config.backend;
  const { host } = new URL(open.service.url);
  return handSigned({ method: 'GET', path: `/${bucket}/${row?.key}`, host, access_key_id, secret_access_key, query });
}

test('115 no shared cache may keep a private object, whatever was stored with it', async () => {
  const ways: readonly (readonly [string, RequestInit & { readonly as?: string }])[] = [
    ['/storage/v1/object/vault/a.txt', { as: 'olivia' }],
    ['/storage/v1/object/vault/a.txt', { as: 'olivia', method: 'HEAD' }],
    ['/storage/v1/object/vault/a.txt', { as: 'olivia', headers: { range: 'bytes=0-0' } }],
    ['/storage/v1/object/vault/a.txt', { as: 'olivia', headers: { 'if-none-match': '*' } }],
    ['/storage/v1/object/authenticated/vault/a.txt', { as: 'service' }],
    [await signedUrl('a.txt'), {}],
    [await presigned('a.txt'), {}],
  ];

  for (const [path, init] of ways) {
    const answer = await open.service.fetch(path, init);
    const policy = answer.headers.get('cache-control') ?? '';
    assert.ok(answer.ok || answer.status === 304, `${path}: ${answer.status}`);
    assert.match(policy, /^private, (no-cache|max-age=\d+)$/, path);
    assert.equal(answer.headers.get('set-cookie'), null);
  }
  const shared = await open.service.fetch('/storage/v1/object/public/plaza/a.txt');
  assert.match(shared.headers.get('cache-control') ?? '', /^public/, 'a control: what is public says so');
});

test('115 what is no file is kept by nobody: answers about files, and errors', async () => {
  const answers = [
    await open.service.fetch('/storage/v1/bucket', { as: 'olivia' }),
    await open.service.fetch('/storage/v1/bucket'),
    await open.service.fetch('/storage/v1/object/info/vault/a.txt', { as: 'olivia' }),
    await open.send('POST', '/storage/v1/object/list/vault', {}, 'olivia'),
    await open.send('POST', '/storage/v1/object/sign/vault/a.txt', {}, 'olivia'),
    await open.send('GET', '/rpc/get_file_storage_stats', undefined, 'olivia'),
    await open.service.fetch('/storage/v1/object/vault/a.txt'),
    await open.service.fetch('/storage/v1/object/vault/a.txt', { as: 'mallory' }),
    await open.service.fetch('/storage/v1/object/plaza/none.txt'),
    await open.service.fetch('/storage/v1/object/plaza/a.txt', { headers: { range: 'bytes=9-' } }),
    await open.service.fetch('/storage/v1/object/plaza/a.txt', { headers: { 'if-match': '"x"' } }),
    await open.service.fetch('/storage/v1/object/public/plaza/%ff'),
    await open.service.fetch('/storage/v1/object/sign/vault/a.txt?token=x'),
    await open.service.fetch('/civic-os-files/objects/x'),
    await open.service.fetch('/nowhere'),
    await open.service.fetch('/rpc/nothing'),
  ];

  for (const answer of answers) {
    assert.match(answer.headers.get('cache-control') ?? 'missing', /no-store/, `${answer.status} ${answer.url}`);
    assert.equal(answer.headers.get('set-cookie'), null);
  }
});

test('115 a cache policy that was written over SQL cannot carry another header', async () => {
  const write = (value: string): Promise<unknown> =>
    open.sql(
      { role: 'authenticated', sub: 'olivia' },
      "UPDATE storage.objects SET cache_control = $1 WHERE name = 'a.txt' AND bucket_id = 'plaza'",
      [value],
    );

  for (const value of ['public\r\nset-cookie: a=b', 'public\nx: y', '\u0001', 'p\u00fcblic', '\u{1f600}', '']) {
    const refusal = await write(value).catch((error: unknown) => error);
    const answer = await open.service.fetch('/storage/v1/object/public/plaza/a.txt');

    assert.ok(value === '' || refusal instanceof Error, `"${value}" was written`);
    assert.equal(answer.status, 200, value);
    assert.equal(answer.headers.get('set-cookie'), null);
  }
  await write('public, max-age=60');
  await open.remember();
});

const evil: readonly string[] = [
  'null',
  'https://evil.com',
  'https://app.example.com.evil.com',
  'https://evil-app.example.com',
  'https://sub.app.example.com',
  'http://app.example.com',
  'https://app.example.com:8443',
  'https://app.example.com/',
  'https://app.example.com@evil.com',
  'https://APP.example.com.',
  'file://',
  '*',
  'https://app.example.com, https://evil.com',
];

describe('116 scripts of other origins', () => {
  const paths = [
    '/storage/v1/object/public/plaza/a.txt',
    '/storage/v1/bucket',
    '/rpc/get_file_storage_stats',
    '/nowhere',
  ];

  test('116 are told of no right unless their origin is listed, and never of credentials', async () => {
    for (const origin of evil) {
      for (const path of paths) {
        for (const method of ['GET', 'OPTIONS'] as const) {
          const headers = {
            origin,
            'access-control-request-method': 'PUT',
            'access-control-request-headers': 'x-upsert',
          };
          const answer = await sendPlainly(open.service.url, { method, path, headers });
          const allowed = answer.headers['access-control-allow-origin'];
          assert.ok(allowed === undefined || allowed === good, `${method} ${path} from ${origin}: ${allowed}`);
          assert.notEqual(allowed, origin);
          assert.equal(answer.headers['access-control-allow-credentials'], undefined);
          assert.match(String(answer.headers['vary']), /\borigin\b/i, `${method} ${path}`);
        }
      }
    }
  });

  test('116 of a listed origin are told of exactly theirs, and may read what transfers need', async () => {
    for (const path of paths) {
      const answer = await sendPlainly(open.service.url, { method: 'GET', path, headers: { origin: good } });
      assert.equal(answer.headers['access-control-allow-origin'], good);
      assert.match(String(answer.headers['vary']), /\borigin\b/i);
      const exposed = String(answer.headers['access-control-expose-headers']);
      for (const name of ['etag', 'content-range', 'location']) assert.match(exposed, new RegExp(`\\b${name}\\b`));
    }
  });

  test('116 ask first with whatever headers, and get no error of ours', async () => {
    for (const asked of [
      'authorization,x-upsert,content-type,x-metadata',
      'x'.repeat(4000),
      '__proto__',
      'a\tb',
      '*',
      '',
    ]) {
      const answer = await sendPlainly(open.service.url, {
        method: 'OPTIONS',
        path: '/storage/v1/object/vault/x',
        headers: { origin: good, 'access-control-request-method': 'POST', 'access-control-request-headers': asked },
      });
      assert.equal(answer.status, 204, asked.slice(0, 40));
      assert.equal(answer.headers['access-control-allow-origin'], good);
    }
  });
});

test('119 what a browser would run is saved and locked up, by every address', async () => {
  const files: readonly (readonly [string, string, string])[] = [
    ['page.html', 'text/html', '<!doctype html><script>alert(1)</script>'],
    ['page.png', 'image/png', '<!doctype html><script>alert(1)</script>'],
    ['image.svg', 'image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'],
    ['paper.pdf', 'application/pdf', '%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj'],
  ];

  for (const [name, type, body] of files) {
    const init = { as: 'olivia', method: 'POST', headers: { 'content-type': type }, body };
    assert.equal((await open.service.fetch(`/storage/v1/object/vault/${name}`, init)).status, 201);
    for (const [path, as] of [
      [`/storage/v1/object/vault/${name}`, 'olivia'],
      [`/storage/v1/object/authenticated/vault/${name}`, 'olivia'],
      [await signedUrl(name), undefined],
      [await presigned(name, type === 'image/png' ? [] : [['response-content-type', type]]), undefined],
    ] as const) {
      const answer = await open.service.fetch(path, { as });
      const served = answer.headers.get('content-type');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', path);
      assert.equal(answer.headers.get('referrer-policy'), 'no-referrer', path);
      if (served !== 'application/octet-stream') {
        assert.match(answer.headers.get('content-disposition') ?? '', /^attachment/, path);
        assert.match(answer.headers.get('content-security-policy') ?? '', /\bsandbox(;|$)/, path);
      }
    }
    await open.service.fetch(`/storage/v1/object/vault/${name}`, { as: 'olivia', method: 'DELETE' });
  }
});

test('120 pictures that are derived say nothing of where and when the original was taken', async () => {
  const photo = await sharp({ create: { width: 800, height: 600, channels: 3, background: 'teal' } })
    .jpeg()
    .withExif({
      IFD0: { Copyright: 'somebody at home', Artist: 'somebody', Software: 'EXIFMARK' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 0/1', GPSLongitudeRef: 'E', GPSLongitude: '7/1 0/1 0/1' },
    })
    .toBuffer();
  assert.ok(photo.includes('EXIFMARK'), 'a control: the original does say it');
  const init = { as: 'olivia', method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: photo };
  await open.service.fetch('/storage/v1/object/vault/photo.jpg', init);
  await open.settle();

  for (const preset of ['small', 'medium', 'large']) {
    const url = `/storage/v1/render/image/authenticated/vault/photo.jpg?preset=${preset}`;
    const answer = await open.service.fetch(url, { as: 'olivia' });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const { exif, xmp, iptc } = await sharp(bytes).metadata();
    assert.deepEqual([answer.status, exif, xmp, iptc], [200, undefined, undefined, undefined]);
    assert.ok(!bytes.includes('EXIFMARK') && !bytes.includes('somebody'));
  }
  const columns = await open.database.query<{ name: string }>(
    `SELECT column_name AS name FROM information_schema.column_privileges
     WHERE column_name ~* 'gps|latitude|longitude|exif' AND (grantee = 'anon'
       OR (grantee = 'authenticated' AND (table_schema, table_name) <> ('storage', 'image_locations')))`,
  );
  assert.deepEqual(
    columns,
    [],
    'and no column that application roles may read does, but where a policy judges positions',
  );
  await open.service.fetch('/storage/v1/object/vault/photo.jpg', { as: 'olivia', method: 'DELETE' });
});

test('123 nobody gets or finds bytes by knowing their hash', async () => {
  const secret = 'a contract that mallory has the hash of';
  const [hex, base64] = (['hex', 'base64'] as const).map((form) => createHash('sha256').update(secret).digest(form));
  await open.service.fetch('/storage/v1/object/vault/contract.txt', { as: 'olivia', method: 'POST', body: secret });
  await open.remember();
  const claims: readonly Readonly<Record<string, string>>[] = [
    { 'x-amz-checksum-sha256': String(base64) },
    { 'if-none-match': `"${hex}"` },
    { 'if-match': `"${hex}"` },
    { 'x-amz-copy-source': 'vault/contract.txt' },
    { 'x-copy-source-sha256': String(hex) },
  ];

  for (const headers of claims) {
    const put = await open.service.fetch('/storage/v1/object/files/mine.txt', {
      as: 'mallory',
      method: 'PUT',
      headers,
    });
    if (!put.ok) {
      await assertRefused(put, [400, 404, 409, 412]);
      continue;
    }
    const read = await open.service.fetch('/storage/v1/object/files/mine.txt', { as: 'mallory' });
    assert.equal(await read.text(), '', JSON.stringify(headers));
    await open.service.fetch('/storage/v1/object/files/mine.txt', { as: 'mallory', method: 'DELETE' });
  }
  await open.service.fetch('/storage/v1/object/files/same.txt', { as: 'mallory', method: 'POST', body: secret });
  const keys = await open.database.query(
    "SELECT DISTINCT v.key FROM storage.objects AS o JOIN storage.versions AS v ON v.id = o.version_id WHERE o.name IN ('contract.txt', 'same.txt')",
  );
  assert.equal(keys.length, 2, 'the same bytes of two people are kept twice');
  await open.service.fetch('/storage/v1/object/files/same.txt', { as: 'mallory', method: 'DELETE' });
});
