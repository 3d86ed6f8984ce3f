/**
 * Rows 59, 69, 71, 72, 74 and 103 of the list of attacks, for what our own signed URLs are bound to, how they are counted,
 * and who revokes them: each term broken one at a time, tokens by chance, and ids of somebody else.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { seededRandom } from '@rowlock/test-harness';
import { handMadeToken } from './hand-made-token.ts';
import { type Attacked, assertRefused, attacked } from './standing.ts';

const base = '/storage/v1/object/sign';
const path = `${base}/vault/secret.txt`;
const bytes = 'the bytes that nobody may have';
const json = { 'content-type': 'application/json' };

let open: Attacked;

before(async () => {
  open = await attacked();
  await open.send('POST', '/storage/v1/bucket', { name: 'vault' }, 'olivia');
  const put = await open.service.fetch('/storage/v1/object/vault/secret.txt', {
    as: 'olivia',
    method: 'PUT',
    headers: { 'content-type': 'text/plain' },
    body: bytes,
  });
  assert.ok(put.ok);
  await open.remember();
});
afterEach(() => open.assertUnharmed());
after(() => open.stop());

interface Signed {
  readonly id: string;
  readonly token: string;
}

async function sign(terms: object = {}): Promise<Signed> {
  const answer = await open.send('POST', path, { expiresIn: 60, ...terms }, 'olivia');
  const { id, url } = (await answer.json()) as { readonly id: string; readonly url: string };
  return { id, token: new URL(url).searchParams.get('token') ?? '' };
}

const openBy = (token: string, init: RequestInit = {}): Promise<Response> =>
  open.service.fetch(`${path}?token=${encodeURIComponent(token)}`, init);
const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
const encoded = (claims: object): string => Buffer.from(JSON.stringify(claims)).toString('base64url');

test('71 no term of a token can be changed, taken out or put in', async () => {
  const version = await (
    await open.send('GET', '/storage/v1/object/info/vault/secret.txt', undefined, 'olivia')
  ).json();
  const { token } = await sign({
    method: 'HEAD',
    version_id: (version as { readonly version: string }).version,
    content_type: 'text/plain',
    download: 'a.txt',
    size_max: 1000,
    sha256: (version as { readonly sha256: string }).sha256,
    addresses: ['127.0.0.1', '::1'],
    max_uses: 5,
  });
  const [header = '', , signature = ''] = token.split('.');
  const claims = claimsOf(token);
  const names = ['iat', 'exp', 'op', 'b', 'p', 'o', 'jti', 'ver', 'ct', 'dn', 'max', 'h', 'ip', 'n'];
  assert.deepEqual(Object.keys(claims).sort(), [...names].sort(), 'every term is in the token');
  assert.equal((await openBy(token, { method: 'HEAD' })).status, 200, 'a control');
  const { secret } = open.service.config.signed_urls.current;
  const head = JSON.parse(Buffer.from(header, 'base64url').toString()) as object;

  for (const name of names) {
    for (const value of [undefined, null, 'x', 0, 99_999_999_999, true, [], {}, ['127.0.0.1']]) {
      const changed = { ...claims, [name]: value };
      if (JSON.stringify(changed) === JSON.stringify(claims)) continue;
      const broken = `${header}.${encoded(changed)}.${signature}`;
      const resigned = handMadeToken(head, changed, `${secret}x`);
      for (const method of ['GET', 'HEAD']) {
        assert.equal((await openBy(broken, { method })).status, 403, `${name}: ${JSON.stringify(value)}`);
      }
      await assertRefused(await openBy(resigned), 403, 'invalid_signature');
    }
  }
  const reordered = Object.fromEntries(Object.entries(claims).reverse());
  await assertRefused(await openBy(`${header}.${encoded(reordered)}.${signature}`), 403, 'invalid_signature');
  await assertRefused(
    await openBy(`${header}.${encoded({ ...claims, v: 'small' })}.${signature}`),
    403,
    'invalid_signature',
  );
});

test('71 claims of another form than ours open nothing, even under the right key', async () => {
  const { token } = await sign();
  const claims = claimsOf(token);
  const head = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as object;
  const { secret } = open.service.config.signed_urls.current;
  assert.equal((await openBy(handMadeToken(head, claims, secret))).status, 200, 'a control');

  for (const changes of [
    { op: 'upload' },
    { op: undefined },
    { o: "' OR true --" },
    { o: null },
    { jti: undefined },
    { jti: "'||pg_sleep(9)||'" },
    { iat: undefined },
    { iat: '1' },
    { iat: -1 },
    { iat: 1e300 },
    { exp: 1e300 },
    { exp: Number(claims['iat']) + 700_000 },
    { ver: 'x' },
    { dn: 1 },
    { dn: false },
    { max: 1.5 },
    { max: '9' },
    { ip: '127.0.0.1' },
    { ip: [1] },
    { n: 1 },
    { v: 1 },
    { ct: ['text/plain'] },
    { h: 1 },
  ]) {
    await assertRefused(await openBy(handMadeToken(head, { ...claims, ...changes }, secret)), 403);
  }
});

test('71 tokens by chance get no byte', async () => {
  const random = seededRandom();
  const { token } = await sign();
  const [header = '', payload = '', signature = ''] = token.split('.');
  const characters = [...'AZaz09-_.=%+/ \u00e9\u{1f600}\n\0"{}'];
  const mutate = (text: string): string => {
    const at = random.integer(text.length + 1);
    const end = Math.min(text.length, at + random.integer(4));
    return text.slice(0, at) + (random.integer(2) === 0 ? random.pick(characters) : '') + text.slice(end);
  };
  const make = [
    () => mutate(token),
    () => mutate(mutate(token)),
    () => `${mutate(header)}.${payload}.${signature}`,
    () => `${header}.${mutate(payload)}.${signature}`,
    () => `${header}.${payload}.${mutate(signature)}`,
    () => [header, payload, signature].sort(() => random.next() - 0.5).join('.'),
    () => `${header}.${payload}.${random.bytes(32).toString('base64url')}`,
    () => random.bytes(random.integer(200)).toString('latin1'),
    () => `${header}.${encoded({ ...claimsOf(token), exp: random.integer(2 ** 31) })}.${signature}`,
  ];

  for (let round = 0; round < 400; round += 1) {
    const made = random.pick(make)();
    if (made === token) continue;
    const answer = await openBy(made);
    const body = await answer.text();
    assert.ok([400, 403, 404].includes(answer.status), `${answer.status} for ${JSON.stringify(made)}`);
    assert.ok(!body.includes(bytes.slice(0, 8)), JSON.stringify(made));
  }
});

test('72 a URL for HEAD shows what is there and gives no bytes, by no trick of methods', async () => {
  const { token } = await sign({ method: 'HEAD' });

  const head = await openBy(token, { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(bytes.length)]);
  for (const headers of [{}, { range: 'bytes=0-1' }, { 'if-none-match': '*' }]) {
    await assertRefused(await openBy(token, { headers }), 403, 'invalid_signature');
  }
  await assertRefused(await openBy(token, { headers: { 'x-http-method-override': 'HEAD' } }), [403, 501]);
});

test('71 an address is that of the connection, not what a header says', async () => {
  const { token } = await sign({ addresses: ['192.0.2.0/24'] });

  for (const headers of [
    {},
    { 'x-forwarded-for': '192.0.2.7' },
    { 'X-FORWARDED-FOR': '192.0.2.7, 192.0.2.7' },
    { forwarded: 'for=192.0.2.7' },
    { 'x-real-ip': '192.0.2.7' },
    { 'true-client-ip': '192.0.2.7' },
    { 'x-client-ip': '192.0.2.7' },
  ]) {
    await assertRefused(await openBy(token, { headers: headers as Record<string, string> }), 403, 'not_allowed');
  }
});

test('74 a URL for one use is used once, whoever was first, and never again', async () => {
  const { token } = await sign({ max_uses: 1 });

  const answers = await Promise.all(Array.from({ length: 30 }, () => openBy(token)));
  const later = await openBy(token);

  const bodies = await Promise.all(answers.map((answer) => answer.text()));
  assert.deepEqual(bodies.filter((body) => body === bytes).length, 1);
  assert.deepEqual([...new Set(answers.map(({ status }) => status))].sort(), [200, 410]);
  await assertRefused(later, 410, 'url_used_up');
});

test('74 after a revocation a URL opens nothing, by GET, HEAD or a range, and its id tells nobody more', async () => {
  const { id, token } = await sign();

  const answer = await open.send('POST', '/storage/v1/signed-urls/revoke', { id }, 'olivia');
  const again = await open.send('POST', '/storage/v1/signed-urls/revoke', { id }, 'olivia');

  assert.deepEqual([answer.status, again.status], [200, 200], 'revoking twice is revoking once');
  await assertRefused(await openBy(token), 410, 'url_revoked');
  await assertRefused(await openBy(token, { headers: { range: 'bytes=0-0' } }), 410, 'url_revoked');
  assert.equal((await openBy(token, { method: 'HEAD' })).status, 410);
});

test('69 what somebody else signed can be neither revoked nor seen, and a missing object is refused like a hidden one', async () => {
  const { id, token } = await sign({ max_uses: 5 });
  const info = await (await open.send('GET', '/storage/v1/object/info/vault/secret.txt', undefined, 'olivia')).json();
  const object = (info as { readonly id: string }).id;
  const ask = async (body: object, as?: string): Promise<string> => {
    const answer = await open.send('POST', '/storage/v1/signed-urls/revoke', body, as);
    return `${answer.status} ${await answer.text()}`;
  };

  const missing = { object: '01234567-89ab-4def-8123-456789abcdef' };
  assert.equal(await ask({ object }, 'mallory'), await ask(missing, 'mallory'));
  assert.equal(await ask({ id }, 'mallory'), await ask({ id: 'A'.repeat(32) }, 'mallory'));
  for (const body of [{ object }, { id }, { issuer: id.slice(0, 16) }, { all: true }]) {
    assert.match(await ask(body, 'mallory'), /^403 /);
    assert.match(await ask(body), /^401 /);
  }
  for (const query of ['', `?id=${id}`]) {
    await assertRefused(await open.send('DELETE', `${path}${query}`, undefined, 'mallory'), 404, 'bucket_not_found');
    await assertRefused(await open.send('DELETE', `${path}${query}`), 401, 'auth_required');
  }
  const listed = await open.send('GET', '/storage/v1/signed-urls', undefined, 'mallory');
  assert.deepEqual(await listed.json(), []);
  assert.equal(await (await openBy(token)).text(), bytes, 'it is as good as before');
});

test('69 by SQL nobody forges a revocation, changes a count, or reads what others signed', async () => {
  const { id, token } = await sign({ max_uses: 1 });
  await openBy(token);
  const mallory = { role: 'authenticated', sub: 'mallory' } as const;
  const refused = /row-level security|permission denied/;

  for (const statement of [
    "INSERT INTO storage.signed_url_revocations (scope, value) VALUES ('all', '*')",
    `INSERT INTO storage.signed_url_revocations (scope, value) VALUES ('id', '${id}')`,
    `INSERT INTO storage.signed_url_revocations (scope, value) VALUES ('issuer', '${id.slice(0, 16)}')`,
    "INSERT INTO storage.signed_url_revocations (scope, value, revoked_before) VALUES ('all', '*', now())",
    'SELECT * FROM storage.signed_url_revocations',
    'DELETE FROM storage.signed_url_revocations',
    'UPDATE storage.signed_url_revocations SET value = value',
    `UPDATE storage.signed_urls SET uses_left = 1 WHERE id = '${id}'`,
    'DELETE FROM storage.signed_urls',
    `INSERT INTO storage.signed_urls (id, object_id, bucket_id, name, signed_at, expires_at)
     VALUES ('${'A'.repeat(32)}', gen_random_uuid(), 'vault', 'x', now(), now())`,
    "SELECT storage.revoke_signed_urls('all')",
  ]) {
    await assert.rejects(open.sql(mallory, statement), refused, statement);
  }
  assert.deepEqual(await open.sql(mallory, 'SELECT id FROM storage.signed_urls'), []);
  assert.deepEqual(
    await open.sql(
      { role: 'authenticated', sub: 'olivia' },
      'SELECT id FROM storage.signed_urls WHERE uses_left = 0 AND id = $1',
      [id],
    ),
    [{ id }],
  );
  await assert.rejects(
    open.sql({ role: 'authenticated', sub: 'olivia' }, 'UPDATE storage.signed_urls SET uses_left = 1'),
    refused,
  );
});

test('59 in a batch hidden names look like missing ones, to everybody', async () => {
  for (const [as, bucket] of [
    ['mallory', 'vault'],
    ['mallory', 'files'],
    [undefined, 'vault'],
    [undefined, 'nihil'],
  ] as const) {
    const ask = async (name: string): Promise<string> => {
      const answer = await open.send('POST', `${base}/${bucket}`, { expiresIn: 60, paths: [name] }, as);
      return `${answer.status} ${(await answer.text()).replaceAll(name, 'NAME')}`;
    };

    assert.equal(await ask('secret.txt'), await ask('absent.txt'), `${as} in ${bucket}`);
  }
});

test('103 a batch is a thousand names: more, and a megabyte of them, are refused before anything is looked for', async () => {
  const many = JSON.stringify({ expiresIn: 60, paths: Array.from({ length: 100_000 }, (_, n) => `n${n}`) });
  const long = JSON.stringify({ expiresIn: 60, paths: Array.from({ length: 1000 }, () => 'x'.repeat(2000)) });
  const more = JSON.stringify({ expiresIn: 60, paths: Array.from({ length: 1001 }, () => 'x') });

  for (const [body, status] of [
    [many, [400, 413]],
    [long, 413],
    [more, 400],
  ] as const) {
    const init = { as: 'olivia', method: 'POST', headers: json, body };
    await assertRefused(await open.service.fetch(`${base}/vault`, init), status);
  }
});
