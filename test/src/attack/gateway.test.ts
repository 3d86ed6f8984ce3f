/**
 * The cookie of the gateway, used by whom it was not meant for: rows 59, 67, 90, 115, 116, 121 and 122. The gateway shares a
 * listener with the API here, so that only the host name is between them.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { signToken } from '@rowlock/test-harness';
import pg from 'pg';
import { type PlainAnswer, sendPlainly } from './hand-signed-url.ts';
import { RawSocket, rawRequest } from './raw-socket.ts';
import { type Attacked, assertSaysNothing, attacked, sqlStateOf } from './standing.ts';

const host = 'files.example.com';
const page = 'https://app.example.com';
const olivias = { role: 'authenticated', sub: 'olivia' } as const;

let open: Attacked;
const observed: unknown[] = [];

before(async () => {
  open = await attacked({
    config: { gateway: { origins: [page], hostname: host }, cors_origins: [page] },
    observe: (observation) => observed.push(observation),
  });
  await open.send('POST', '/storage/v1/bucket', { name: 'vault' }, 'olivia');
  const body = { method: 'POST', body: 'a secret' };
  assert.equal((await open.service.fetch('/storage/v1/object/vault/a.txt', { as: 'olivia', ...body })).status, 201);
  await open.remember();
});
after(() => open.stop());

type Headers = Readonly<Record<string, string>>;

const ask = (method: string, path: string, headers: Headers = {}, body?: string): Promise<PlainAnswer> =>
  sendPlainly(open.service.url, {
    method,
    path,
    headers: { host, ...headers },
    ...(body === undefined ? {} : { body }),
  });

async function begin(headers: Headers = {}, claims: Readonly<Record<string, unknown>> = olivias): Promise<PlainAnswer> {
  const authorization = `Bearer ${await signToken(claims)}`;
  return ask('POST', '/session', { origin: page, authorization, 'content-length': '0', ...headers });
}

const cookieOf = ({ headers }: PlainAnswer): string => headers['set-cookie']?.[0]?.split(';', 1)[0] ?? 'none';
const signIn = async (): Promise<{ readonly cookie: string }> => ({ cookie: cookieOf(await begin()) });
const read = (headers: Headers): Promise<PlainAnswer> => ask('GET', '/vault/a.txt', headers);
const sessions = async (): Promise<number> =>
  (await open.database.query('SELECT 1 FROM storage.gateway_sessions')).length;

test('59 a cookie reads as its caller, and opens nothing of the API', async () => {
  const { cookie } = await signIn();
  const api = { host: 'api.example.com', cookie };

  assert.equal((await read({ cookie })).text, 'a secret', 'a control');
  for (const path of [
    '/storage/v1/object/vault/a.txt',
    '/storage/v1/object/authenticated/vault/a.txt',
    '/vault/a.txt',
  ]) {
    const answer = await ask('GET', path, api);
    assert.ok([401, 404].includes(answer.status), `${path}: ${answer.status}`);
    assertSaysNothing(answer.text);
  }
  for (const path of [
    '/storage/v1/bucket',
    '/rpc/get_file_storage_stats',
    '/metrics',
    '/healthz',
    '/openapi.json',
    '/',
  ]) {
    const answer = await ask('GET', path, { cookie });
    assert.equal(answer.status, 404, path);
  }
  for (const [method, path] of [
    ['PUT', '/vault/a.txt'],
    ['POST', '/vault/a.txt'],
    ['DELETE', '/vault/a.txt'],
    ['PATCH', '/vault/a.txt'],
    ['POST', '/storage/v1/object/vault/b.txt'],
    ['POST', '/storage/v1/object/sign/vault/a.txt'],
    ['DELETE', '/storage/v1/bucket/vault'],
    ['GET', '/session'],
    ['PUT', '/session'],
  ] as const) {
    const answer = await ask(method, path, { cookie, origin: page }, method === 'GET' ? undefined : 'x');
    assert.ok([404, 405].includes(answer.status), `${method} ${path}: ${answer.status}`);
  }
});

test('59 a session has the rights that its caller has now, and ends where its role is allowed no more', async () => {
  const { cookie } = await signIn();
  const hash = createHash('sha256')
    .update(cookie.split('=')[1] ?? '')
    .digest();
  const login = new pg.Client({ connectionString: open.database.apiUrl });
  await login.connect();
  const lives = async (roles: readonly string[]): Promise<unknown> => {
    const text = `SELECT in_session, object_id IS NOT NULL AS found
      FROM storage_internal.read_key_as($1, $2, 'anon', '{"role":"anon"}', 'vault', 'a.txt', NULL, NULL, NULL)`;
    return (await login.query(text, [hash, roles])).rows[0];
  };

  try {
    assert.deepEqual(await lives(['anon', 'authenticated']), { in_session: true, found: true });
    assert.deepEqual(await lives(['anon']), { in_session: false, found: false });
  } finally {
    await login.end();
  }
  const give = (owner: string): Promise<unknown> =>
    open.database.query(`
      SET session_replication_role = replica;
      UPDATE storage.buckets SET owner_id = '${owner}' WHERE id = 'vault';
      UPDATE storage.objects SET owner_id = '${owner}' WHERE bucket_id = 'vault';
      RESET session_replication_role`);
  await give('other');
  const lost = await read({ cookie });
  await give('olivia');
  assert.equal(lost.status, 404);
});

test('67 nobody reads what a session is, makes one, or ends that of another', async () => {
  const { cookie } = await signIn();
  const mallory = { role: 'authenticated', sub: 'mallory' } as const;
  const count = 'SELECT count(*)::integer AS count FROM storage.gateway_sessions';

  for (const text of [
    'SELECT id_hash FROM storage.gateway_sessions',
    'SELECT caller_claims FROM storage.gateway_sessions',
    'UPDATE storage.gateway_sessions SET expires_at = now() + interval $$1 day$$',
    "INSERT INTO storage.gateway_sessions (id_hash, caller_role, caller_claims, expires_at) VALUES (sha256('x'), 'service_role', '{}', now())",
    "SELECT storage_internal.begin_session('service_role', '{}', sha256('x'), NULL, 60)",
    "SELECT storage_internal.end_session(sha256('x'))",
    "SELECT storage_internal.session_caller(sha256('x'), '{service_role}')",
  ]) {
    for (const caller of [mallory, olivias, { role: 'anon' }, { role: 'service_role' }] as const) {
      assert.equal(await sqlStateOf(open.sql(caller, text)), '42501', `${caller.role}: ${text}`);
    }
  }
  assert.deepEqual(await open.sql(mallory, count), [{ count: 0 }]);
  await open.sql(mallory, 'DELETE FROM storage.gateway_sessions');
  assert.equal((await read({ cookie })).status, 200, 'it was not hers to end');
  await open.sql(olivias, 'DELETE FROM storage.gateway_sessions');
  assert.equal((await read({ cookie })).status, 401, 'signed out everywhere');
});

describe('90 requests that two servers would read differently', () => {
  test('90 begin no session and leave nothing behind on their connection', async () => {
    const before = await sessions();
    const authorization = `Bearer ${open.tokens.olivia}`;
    const smuggled = rawRequest('GET /vault/a.txt', { host, ...(await signIn()) });
    const raw = await RawSocket.to(open.service.url);

    const head = { host, origin: page, authorization, 'content-length': 6, 'transfer-encoding': 'chunked' };
    raw.write(`${rawRequest('POST /session', head, '0\r\n\r\n')}${smuggled}`);
    const answer = await raw.answer();
    await raw.closed();

    assert.equal(answer.status, 400);
    assert.equal(answer.headers['set-cookie'], undefined);
    assert.equal(raw.received, '', 'nothing after it');
    assert.equal(await sessions(), before + 1);
  });

  test('90 that name two hosts, or one elsewhere than in Host, are not of the gateway', async () => {
    const { cookie } = await signIn();
    const api = 'api.example.com';
    const cases: Readonly<Record<string, string>> = {
      'two Host headers': `GET /vault/a.txt HTTP/1.1\r\nHost: ${host}\r\nHost: ${api}\r\nCookie: ${cookie}\r\n\r\n`,
      'the other way round': `GET /vault/a.txt HTTP/1.1\r\nHost: ${api}\r\nHost: ${host}\r\nCookie: ${cookie}\r\n\r\n`,
      'an absolute target': rawRequest(`GET http://${host}/vault/a.txt`, { host: api, cookie }),
      'an absolute target at the gateway': rawRequest(`GET http://${api}/vault/a.txt`, { host, cookie }),
      'an absolute target of another scheme': rawRequest(`GET ftp://${api}/vault/a.txt`, { host, cookie }),
      'a forwarded host': rawRequest('GET /vault/a.txt', { host: api, 'x-forwarded-host': host, cookie }),
      'a host in Forwarded': rawRequest('GET /vault/a.txt', { host: api, forwarded: `host=${host}`, cookie }),
      'a host with a user': rawRequest('GET /vault/a.txt', { host: `${host}@${api}`, cookie }),
      'a host with a dot behind': rawRequest('GET /vault/a.txt', { host: `${host}.`, cookie }),
    };
    for (const [what, bytes] of Object.entries(cases)) {
      const raw = await RawSocket.to(open.service.url);
      const answer = await raw.write(bytes).answer();
      raw.destroy();

      assert.ok([400, 401, 404].includes(answer.status), `${what}: ${answer.status} ${answer.body}`);
      assert.doesNotMatch(answer.body, /a secret/, what);
    }
  });

  test('90 that share a connection are each answered by their own host', async () => {
    const { cookie } = await signIn();
    const raw = await RawSocket.to(open.service.url);

    raw.write(rawRequest('GET /healthz', { host: 'api.example.com' }));
    raw.write(rawRequest('GET /vault/a.txt', { host: `${host.toUpperCase()}:443`, cookie }));
    raw.write(rawRequest('GET /storage/v1/object/vault/a.txt', { host: 'api.example.com', cookie }));
    const answers = [await raw.answer(), await raw.answer(), await raw.answer()];
    raw.destroy();

    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 401],
    );
    assert.equal(answers[1]?.body, 'a secret');
  });
});

test('115 an id that a browser brings along is never the id of a session, and two cookies are none', async () => {
  const chosen = `__Host-rowlock=${'A'.repeat(43)}`;
  const begun = await begin({ cookie: chosen });
  const { cookie } = await signIn();

  assert.equal(begun.status, 201);
  assert.notEqual(cookieOf(begun), chosen);
  assert.match(
    begun.headers['set-cookie']?.join() ?? '',
    /^__Host-rowlock=[A-Za-z0-9_-]{43}; Max-Age=\d+; Path=\/; Secure; HttpOnly; SameSite=Strict$/,
  );
  assert.match(String(begun.headers['cache-control']), /no-store/);
  for (const tossed of [
    chosen,
    `${cookie}; ${chosen}`,
    `${chosen}; ${cookie}`,
    `${cookie}; ${cookie}`,
    cookie.toLowerCase(),
  ]) {
    assert.equal((await read({ cookie: tossed })).status, 401, tossed);
  }
});

test('116 only a page of a listed origin begins and ends sessions', async () => {
  const { cookie } = await signIn();
  const before = await sessions();
  const evil = [
    'null',
    'https://evil.com',
    'https://evil.example.com',
    'https://files.example.com',
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://app.example.com.evil.com',
    'https://app.example.com/',
    `${page}, https://evil.com`,
    '*',
    '',
  ];

  for (const origin of evil) {
    const started = await begin({ origin });
    const ended = await ask('DELETE', '/session', { origin, cookie });
    const asked = await ask('OPTIONS', '/session', { origin, 'access-control-request-method': 'POST' });
    const shown = await read({ origin, cookie });

    assert.deepEqual([started.status, ended.status], [403, 403], origin);
    assert.equal(started.headers['set-cookie'], undefined);
    for (const { headers } of [started, ended, asked, shown]) {
      assert.equal(headers['access-control-allow-origin'], undefined, origin);
      assert.equal(headers['access-control-allow-credentials'], undefined, origin);
      assert.match(String(headers['vary']), /\borigin\b/i);
    }
  }
  const plain = await ask('DELETE', '/session', { cookie });
  assert.equal(plain.status, 403, 'without an origin');
  assert.equal(await sessions(), before);
  const good = await ask('OPTIONS', '/session', {
    origin: page,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization',
  });
  assert.equal(good.headers['access-control-allow-origin'], page);
  assert.equal(good.headers['access-control-allow-credentials'], 'true');
});

test('116 the origin alone begins nothing: a token is needed, and a cookie is none', async () => {
  const { cookie } = await signIn();
  const before = await sessions();

  for (const [headers, status] of [
    [{}, 401],
    [{ cookie }, 401],
    [{ authorization: 'Bearer x' }, 401],
    [{ authorization: `Bearer ${open.tokens.expired}` }, 401],
    [{ authorization: `Bearer ${await signToken({ role: 'anon' })}` }, 401],
    [{ authorization: `Bearer ${await signToken({ role: 'postgres', sub: 'x' })}` }, 403],
  ] as const) {
    const answer = await ask('POST', '/session', { origin: page, 'content-length': '0', ...headers });
    assert.equal(answer.status, status, JSON.stringify(headers));
    assert.equal(answer.headers['set-cookie'], undefined);
  }
  assert.equal(await sessions(), before);
});

test('116 no page of the same site runs a private file as its code, to learn what is in it', async () => {
  const { cookie } = await signIn();

  for (const dest of ['script', 'style', 'worker', 'sharedworker', 'serviceworker', 'xslt']) {
    const answer = await read({ cookie, 'sec-fetch-site': 'same-site', 'sec-fetch-dest': dest });
    assert.equal(answer.status, 403, dest);
    assert.doesNotMatch(answer.text, /a secret/);
  }
  for (const dest of ['image', 'iframe', 'document', 'empty', 'video']) {
    assert.equal((await read({ cookie, 'sec-fetch-site': 'same-site', 'sec-fetch-dest': dest })).status, 200, dest);
  }
});

test('121 a credential in a URL is refused, and neither the id nor the token is told or kept', async () => {
  observed.length = 0;
  const begun = await begin();
  const cookie = cookieOf(begun);
  for (const name of ['token', 'access_token', 'id_token', 'jwt', 'apikey', 'Authorization', 'session']) {
    const answer = await ask('GET', `/vault/a.txt?${name}=${open.tokens.olivia}`);
    assert.equal(answer.status, 400, name);
    assert.ok(!answer.text.includes(open.tokens.olivia), name);
  }
  assert.equal(
    (await ask('POST', `/session?token=${open.tokens.olivia}`, { origin: page, 'content-length': '0' })).status,
    400,
  );
  await read({ cookie });
  await read({ cookie: `${cookie}; ${cookie}` });

  const id = cookie.split('=')[1] ?? 'none';
  const rows = JSON.stringify(await open.database.query('SELECT g::text FROM storage.gateway_sessions AS g'));
  assert.ok(!JSON.stringify(observed).includes(id), 'the id is observed');
  assert.ok(!rows.includes(id), 'the id is kept');
  assert.ok(!begun.text.includes(id), 'a script reads the id');
});

test('122 after its end a session shows nothing from a cache either', async () => {
  const { cookie } = await signIn();
  const first = await read({ cookie });
  const etag = String(first.headers['etag']);
  assert.equal((await read({ cookie, 'if-none-match': etag })).status, 304, 'a control');

  assert.equal((await ask('DELETE', '/session', { cookie, origin: page })).status, 204);

  const after = await read({ cookie, 'if-none-match': etag });
  assert.equal(after.status, 401);
  assert.match(String(first.headers['cache-control']), /^private, no-cache$/);
  assert.match(String(after.headers['cache-control']), /no-store/);
});

test('none of it did any harm', () => open.assertUnharmed());
