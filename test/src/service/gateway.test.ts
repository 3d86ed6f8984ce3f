/**
 * The gateway: private files for pages that can send nothing but a cookie. The permission matrix through it, the keys that
 * deployed applications use, what HTTP promises of bytes, and the life of a session.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertInvariants, signToken, startService, type TestService, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { askGateway, askSession, claimsOf, type GatewayAnswer, pageOrigin, signIn } from './gateway-browser.ts';

let service: TestService;
let gateway: string;
let photo: Buffer;

before(async () => {
  service = await startService({ config: { gateway: { origins: [pageOrigin], port: 0 } } });
  gateway = service.gatewayUrl ?? assert.fail('there is no gateway');
  photo = await sharp({ create: { width: 300, height: 200, channels: 3, background: 'teal' } })
    .jpeg()
    .toBuffer();
});
after(() => service.stop());

const get = (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<GatewayAnswer> =>
  askGateway(gateway, path, { method, headers });

async function upload(
  path: string,
  as: string,
  init: { readonly body: string; readonly type?: string },
): Promise<void> {
  const headers = { 'content-type': init.type ?? 'text/plain', 'cache-control': 'public, max-age=600' };
  const put = await service.fetch(`/storage/v1/object/${path}`, { as, method: 'POST', headers, body: init.body });
  assert.equal(put.status, 201, await put.text());
}

async function createBucket(body: Readonly<Record<string, unknown>>, as: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const made = await service.fetch('/storage/v1/bucket', { as, method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(made.status, 201);
}

/** Uploads a photo as an application does that knows only PostgREST; answers the row of its file. */
async function uploadFile(as: string): Promise<Readonly<Record<string, string>>> {
  const call = async (name: string, body: object): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' };
    return (await service.fetch(`/rpc/${name}`, { as, method: 'POST', headers, body: JSON.stringify(body) })).json();
  };
  const what = { p_entity_type: 'issue', p_entity_id: '7', p_file_name: 'a.jpg', p_file_type: 'image/jpeg' };
  const id = await call('request_upload_url', what);
  const { url, file_id } = await until(
    async () => {
      const rows = (await (await service.fetch(`/rpc/get_upload_url?p_request_id=${id}`, { as })).json()) as {
        readonly url: string | null;
        readonly file_id: string;
      }[];
      return rows[0]?.url ? { ...rows[0], url: rows[0].url } : undefined;
    },
    { what: 'the upload URL is signed' },
  );
  const put = await fetch(url, { method: 'PUT', body: photo, headers: { 'content-type': 'image/jpeg' } });
  assert.equal(put.status, 200);
  const [, bucket, ...key] = new URL(url).pathname.split('/');
  await call('create_file_record', {
    ...what,
    p_id: file_id,
    p_file_size: photo.byteLength,
    p_s3_bucket: bucket,
    p_s3_original_key: key.join('/'),
  });
  return until(
    async () => {
      const [row] = await service.database.query<Record<string, string>>('SELECT * FROM public.files WHERE id = $1', [
        file_id,
      ]);
      return row?.['thumbnail_status'] === 'completed' ? row : undefined;
    },
    { what: 'the thumbnails are there' },
  );
}

/** Requirements section 3.2: who reads. The object is olivia's, the bucket bertha's. */
const readers: Readonly<Record<string, readonly string[]>> = {
  public: ['nobody', 'oscar', 'olivia', 'bertha', 'service'],
  private: ['olivia', 'bertha', 'service'],
  authenticated: ['oscar', 'olivia', 'bertha', 'service'],
};

test('the permission matrix: with a session each reads what the token reads, and nothing else', async () => {
  const cookies = new Map<string, Readonly<Record<string, string>>>([['nobody', {}]]);
  for (const who of ['oscar', 'olivia', 'bertha', 'service']) cookies.set(who, await signIn(gateway, who));
  for (const policy of Object.keys(readers)) {
    await createBucket({ name: `g-${policy}`, policy }, 'bertha');
    await upload(`g-${policy}/a.txt`, 'bertha', { body: policy });
  }
  await service.database.query(`
    SET session_replication_role = replica;
    UPDATE storage.objects SET owner_id = 'olivia' WHERE bucket_id LIKE 'g-%';
    RESET session_replication_role`);

  for (const [policy, allowed] of Object.entries(readers)) {
    for (const [who, cookie] of cookies) {
      const what = `${who} in a ${policy} bucket`;
      const whole = await get(`/g-${policy}/a.txt`, cookie);
      const head = await get(`/g-${policy}/a.txt`, cookie, 'HEAD');
      const range = await get(`/g-${policy}/a.txt`, { ...cookie, range: 'bytes=0-2' });
      const missing = await get(`/g-${policy}/none.txt`, cookie);

      if (allowed.includes(who)) {
        assert.deepEqual([whole.status, head.status, range.status], [200, 200, 206], what);
        assert.deepEqual([whole.body.toString(), range.body.toString()], [policy, policy.slice(0, 3)], what);
        assert.equal(head.body.byteLength, 0);
      } else {
        const status = who === 'nobody' ? 401 : 404;
        assert.deepEqual([whole.status, head.status, range.status, missing.status], Array(4).fill(status), what);
        assert.deepEqual(whole.body, missing.body, `${what}: hidden and missing look the same`);
        assert.equal(whole.reason, missing.reason);
      }
    }
  }
});

describe('the keys that applications ask a store for', () => {
  test('lead to the original and its thumbnails, for whoever may see the file', async () => {
    const file = await uploadFile('ann');
    const [ann, bob] = [await signIn(gateway, 'ann'), await signIn(gateway, 'bob')];
    const original = `/${file['s3_bucket']}/${file['s3_original_key']}`;
    const beside = original.replace(/original\.jpg$/, 'thumb-small.jpg');
    const own = `/${file['s3_bucket']}/${file['s3_thumbnail_medium_key']}`;

    const whole = await get(original, ann);
    const [small, medium] = await Promise.all(
      [beside, own].map(async (path) => sharp((await get(path, ann)).body).metadata()),
    );
    const hidden = await Promise.all([original, beside, own].map((path) => get(path, bob)));
    const unsigned = await Promise.all([original, beside, own].map((path) => get(path)));

    assert.deepEqual(whole.body, photo);
    assert.equal(whole.headers['content-type'], 'image/jpeg');
    assert.deepEqual([small?.width, medium?.width], [150, 400]);
    assert.deepEqual(
      hidden.map(({ status }) => status),
      [404, 404, 404],
    );
    assert.deepEqual(
      unsigned.map(({ status }) => status),
      [401, 401, 401],
    );
    for (const wrong of [
      beside.replace('small', 'huge'),
      beside.replace('issue', 'other'),
      original.replace('.jpg', '.png'),
      own.replace('/objects/', '/variants/'),
      original.replace('civic-os-files', 'standing'),
    ]) {
      assert.equal((await get(wrong, ann)).status, 404, wrong);
    }
    const quarantine = (value: string): Promise<unknown> =>
      service.database.query(
        `UPDATE storage.versions SET quarantined_at = ${value}, quarantine_reason = ${value}::text
         WHERE id = (SELECT version_id FROM storage.objects WHERE id = $1)`,
        [file['object_id']],
      );
    await quarantine('now()');
    const quarantined = await Promise.all([original, beside, own].map((path) => get(path, ann)));
    await quarantine('NULL');
    assert.deepEqual(
      quarantined.map(({ status }) => status),
      [404, 404, 404],
    );
  });
});

describe('bytes', () => {
  test('have validators and a cache that asks each time, and no cookie is set with them', async () => {
    await createBucket({ name: 'bytes', policy: 'private' }, 'ann');
    await upload('bytes/a.txt', 'ann', { body: 'some text' });
    const ann = await signIn(gateway, 'ann');

    const whole = await get('/bytes/a.txt', ann);
    const etag = whole.headers['etag'] ?? '';
    const again = await get('/bytes/a.txt', { ...ann, 'if-none-match': etag });
    const stale = await get('/bytes/a.txt', { ...ann, range: 'bytes=0-3', 'if-range': '"other"' });
    const beyond = await get('/bytes/a.txt', { ...ann, range: 'bytes=100-' });

    assert.deepEqual([whole.status, again.status, stale.status, beyond.status], [200, 304, 200, 416]);
    assert.equal(again.body.byteLength, 0);
    for (const answer of [whole, again, stale]) {
      assert.equal(answer.headers['cache-control'], 'private, no-cache', 'whatever was stored with it');
      assert.match(answer.headers['vary'] ?? '', /Cookie/);
      assert.equal(answer.headers['cross-origin-resource-policy'], 'same-site');
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      assert.deepEqual(answer.cookies, []);
    }
  });

  test('that a browser would run are saved, in a sandbox', async () => {
    await createBucket({ name: 'active', policy: 'private' }, 'ann');
    const ann = await signIn(gateway, 'ann');
    for (const [name, type, body] of [
      ['a.html', 'text/html', '<!doctype html><script>alert(1)</script>'],
      ['a.svg', 'image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
      ['a.png', 'image/png', '<!doctype html><html><script>alert(1)</script></html>'],
    ] as const) {
      await upload(`active/${name}`, 'ann', { body, type });

      const answer = await get(`/active/${name}`, ann);

      assert.equal(answer.status, 200);
      assert.match(answer.headers['content-disposition'] ?? '', /^attachment/, name);
      assert.match(answer.headers['content-security-policy'] ?? '', /^sandbox;/, name);
    }
    const asked = await get('/active/a.html?download=other.html', ann);
    assert.match(asked.headers['content-disposition'] ?? '', /filename="other\.html"/);
  });

  test('are also for a token, which goes before the cookie', async () => {
    await createBucket({ name: 'bearer', policy: 'private' }, 'ann');
    await upload('bearer/a.txt', 'ann', { body: 'for ann' });
    const bob = await signIn(gateway, 'bob');
    const authorization = `Bearer ${await signToken(claimsOf('ann'))}`;

    assert.equal((await get('/bearer/a.txt', { authorization })).status, 200);
    assert.equal((await get('/bearer/a.txt', { authorization, ...bob })).status, 200);
    assert.equal((await get('/bearer/a.txt', bob)).status, 404);
  });
});

describe('a session', () => {
  const read = (cookie: Readonly<Record<string, string>>): Promise<GatewayAnswer> => get('/life/a.txt', cookie);
  const cookieOf = ({ cookies }: GatewayAnswer): { readonly cookie: string } => ({
    cookie: cookies[0]?.split(';', 1)[0] ?? 'none',
  });

  before(async () => {
    await createBucket({ name: 'life', policy: 'private' }, 'ann');
    await upload('life/a.txt', 'ann', { body: 'alive' });
  });

  test('lives as long as its token, and a day at most', async () => {
    const now = Math.floor(Date.now() / 1000);
    const short = await askSession(gateway, { ...claimsOf('ann'), exp: now + 120 });
    const long = await askSession(gateway, { ...claimsOf('ann'), exp: now + 10 * 86_400 });
    const over = await askSession(gateway, { ...claimsOf('ann'), exp: now - 1 });

    const seconds = (answer: GatewayAnswer): number => Number(/Max-Age=(\d+)/.exec(answer.cookies[0] ?? '')?.[1]);
    assert.ok(seconds(short) > 100 && seconds(short) <= 120, `${seconds(short)} s`);
    assert.equal(seconds(long), 86_400);
    assert.deepEqual([over.status, over.cookies], [401, []]);
    const expires = (JSON.parse(short.body.toString()) as { readonly expires_at: string }).expires_at;
    assert.ok(Math.abs(Date.parse(expires) - (now + 120) * 1000) < 5000, expires);
    await service.database.query(
      "UPDATE storage.gateway_sessions SET created_at = now() - interval '1 hour', expires_at = now()",
    );
    assert.equal((await read(cookieOf(short))).status, 401);
  });

  test('ends at once: when it is ended, by the next one of the same browser, and everywhere by SQL', async () => {
    const first = cookieOf(await askSession(gateway, claimsOf('ann')));
    const second = cookieOf(await askSession(gateway, claimsOf('ann'), first));
    const other = await signIn(gateway, 'ann');
    const bob = await signIn(gateway, 'bob');

    assert.deepEqual([(await read(first)).status, (await read(second)).status], [401, 200]);

    const ended = await askGateway(gateway, '/session', {
      method: 'DELETE',
      headers: { origin: pageOrigin, ...second },
    });
    const again = await askGateway(gateway, '/session', {
      method: 'DELETE',
      headers: { origin: pageOrigin, ...second },
    });

    assert.deepEqual([ended.status, again.status], [204, 204]);
    assert.match(ended.cookies[0] ?? '', /^__Host-rowlock=; Max-Age=0;/);
    assert.deepEqual([(await read(second)).status, (await read(other)).status], [401, 200]);

    await service.database.query("DELETE FROM storage.gateway_sessions WHERE owner_id = 'ann'");
    assert.deepEqual([(await read(other)).status, (await get('/life/a.txt', bob)).status], [401, 404]);
  });

  test('opens what is public when it has ended, like nobody', async () => {
    await createBucket({ name: 'open', policy: 'public' }, 'ann');
    await upload('open/a.txt', 'ann', { body: 'for all' });
    const ended = { cookie: `__Host-rowlock=${'x'.repeat(43)}` };

    const shared = await get('/open/a.txt', ended);

    assert.equal(shared.body.toString(), 'for all');
    assert.equal(shared.headers['cache-control'], 'public, max-age=600');
    assert.equal((await read(ended)).status, 401);
  });

  test('is one of fifty of its owner: the oldest makes room', async () => {
    const first = await signIn(gateway, 'many');
    await Promise.all(Array.from({ length: 55 }, () => signIn(gateway, 'many')));

    const [row] = await service.database.query<{ count: string }>(
      "SELECT count(*) FROM storage.gateway_sessions WHERE owner_id = 'many'",
    );

    assert.ok(Number(row?.count) <= 55, `${row?.count} sessions`);
    await signIn(gateway, 'many');
    const after = await service.database.query("SELECT 1 FROM storage.gateway_sessions WHERE owner_id = 'many'");
    assert.equal(after.length, 50);
    assert.equal((await get('/life/a.txt', first)).status, 401);
  });
});

test('everything that is promised holds afterwards', () => assertInvariants(service));
