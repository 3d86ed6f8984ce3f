/** Rows 71 to 75, 84 and 122 of the list of attacks, for our own signed URLs: what opens one, and what closes it. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { createServer } from '@rowlock/server';
import { freePort, jwtSecret, signToken } from '@rowlock/test-harness';
import sharp from 'sharp';
import { handMadeToken, unsignedToken } from './hand-made-token.ts';
import { type Attacked, assertRefused, attacked } from './standing.ts';

const base = '/storage/v1/object/sign/vault';
const variantBase = '/storage/v1/render/image/sign/vault';

let open: Attacked;
let picture: Buffer;

before(async () => {
  open = await attacked();
  picture = await sharp({ create: { width: 32, height: 32, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();
  await open.send('POST', '/storage/v1/bucket', { name: 'vault' }, 'olivia');
  await upload('a.png', picture);
  await upload('b.png', picture);
  await open.remember();
});
afterEach(() => open.assertUnharmed());
after(() => open.stop());

async function upload(name: string, body: Buffer | string, as = 'olivia'): Promise<void> {
  const headers = { 'content-type': typeof body === 'string' ? 'text/plain' : 'image/png' };
  const put = await open.service.fetch(`/storage/v1/object/vault/${name}`, { as, method: 'PUT', headers, body });
  assert.ok(put.ok, await put.text());
}

/** The token of a URL that the owner signed. */
async function tokenFor(name: string, preset?: string): Promise<string> {
  const body = { expiresIn: 60, ...(preset === undefined ? {} : { transform: { preset } }) };
  const answer = await open.send('POST', `/storage/v1/object/sign/vault/${name}`, body, 'olivia');
  const { url } = (await answer.json()) as { readonly url: string };
  return new URL(url).searchParams.get('token') ?? '';
}

const openBy = (token: string, path = `${base}/a.png`): Promise<Response> =>
  open.service.fetch(`${path}?token=${encodeURIComponent(token)}`);

test('71 a token with one character changed, cut or added is refused', async () => {
  const token = await tokenFor('a.png');
  assert.equal((await openBy(token)).status, 200, 'a control');

  // The last character of a part may hold bits that nobody reads.
  const ends = new Set([token.indexOf('.') - 1, token.lastIndexOf('.') - 1, token.length - 1]);
  for (let place = 0; place < token.length; place += 1) {
    const other = token[place] === 'A' ? 'B' : 'A';
    const changed = token.slice(0, place) + other + token.slice(place + 1);
    if (ends.has(place)) continue;
    await assertRefused(await openBy(changed), 403, 'invalid_signature');
  }
  for (const changed of [token.slice(1), token.slice(0, -2), `${token}AA`, `${token}.`, `.${token}`, ` ${token}`]) {
    await assertRefused(await openBy(changed), 403, 'invalid_signature');
  }
});

test('71 a token opens its own object in its own bucket, and nothing else', async () => {
  const token = await tokenFor('a.png');
  const variant = await tokenFor('a.png', 'small');
  const elsewhere: readonly (readonly [string, string])[] = [
    [token, `${base}/b.png`],
    [token, '/storage/v1/object/sign/files/a.png'],
    [token, `${base}/A.png`],
    [token, `${base}/a.png%20`],
    [token, `${variantBase}/a.png`],
    [variant, `${base}/a.png`],
    [variant, `${variantBase}/b.png`],
  ];

  for (const [each, path] of elsewhere) await assertRefused(await openBy(each, path), 403, 'invalid_signature');
  assert.equal((await openBy(variant, `${variantBase}/a.png`)).status, 200, 'a control: the variant by its own');
});

test('72 a signed URL reads, and does nothing else', async () => {
  const token = await tokenFor('a.png');

  const head = await open.service.fetch(`${base}/a.png?token=${token}`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  for (const [method, path] of [
    ['PUT', `${base}/a.png`],
    ['DELETE', `${base}/a.png`],
    ['PATCH', `${base}/a.png`],
    ['POST', `${base}/a.png`],
    ['PUT', '/storage/v1/object/vault/a.png'],
    ['POST', '/storage/v1/object/vault/new.png'],
    ['DELETE', '/storage/v1/object/vault/a.png'],
    ['GET', '/storage/v1/object/vault/a.png'],
    ['GET', '/storage/v1/object/info/vault/a.png'],
    ['GET', '/storage/v1/object/authenticated/vault/a.png'],
    ['GET', '/storage/v1/object/public/vault/a.png'],
  ] as const) {
    const body = method === 'GET' ? {} : { body: 'of mallory' };
    const answer = await open.service.fetch(`${path}?token=${token}`, { method, ...body });
    assert.ok([400, 401, 404, 405, 415].includes(answer.status), `${method} ${path}: ${answer.status}`);
    const asBearer = { method, headers: { authorization: `Bearer ${token}` }, ...body };
    const bearer = await open.service.fetch(path, asBearer);
    assert.ok([400, 401, 403, 404, 405, 415].includes(bearer.status), `bearer ${method} ${path}: ${bearer.status}`);
  }
});

test('73 a lifetime is a whole number of seconds up to seven days', async () => {
  const path = '/storage/v1/object/sign/vault/a.png';
  for (const expiresIn of [0, -1, 3600.5, 604_801, 1e9, 1e300, '60', null, [60], true]) {
    await assertRefused(await open.send('POST', path, { expiresIn }, 'olivia'), 400);
  }
  for (const expires of [
    '0',
    '-1',
    '3600.5',
    '604801',
    '1e3',
    '0x10',
    '',
    '%20',
    'NaN',
    'Infinity',
    '60&expires_in=61',
  ]) {
    await assertRefused(await open.send('POST', `${path}?expires_in=${expires}`, {}, 'olivia'), 400);
  }
  for (const expiresIn of [1, 604_800]) {
    assert.equal((await open.send('POST', path, { expiresIn }, 'olivia')).status, 200);
  }
});

/** What the server puts into a token; `changes` are an attacker's who knows the form, or the secret. */
async function forged(changes: object, header: object = {}, secret?: string): Promise<string> {
  const [head = '', payload = ''] = (await tokenFor('a.png')).split('.');
  const read = (part: string): object => JSON.parse(Buffer.from(part, 'base64url').toString()) as object;
  const { signed_urls } = open.service.config;
  return handMadeToken(
    { ...read(head), ...header },
    { ...read(payload), ...changes },
    secret ?? signed_urls.current.secret,
  );
}

test('73 a token is refused after its time, before it, and without one', async () => {
  const now = Math.floor(Date.now() / 1000);

  await assertRefused(await openBy(await forged({ exp: now - 1 })), 410, 'url_expired');
  await assertRefused(await openBy(await forged({ exp: now - 1 }, {}, 'another')), 403, 'invalid_signature');
  for (const changes of [{ exp: undefined }, { exp: null }, { exp: '9999999999' }, { exp: [] }, { nbf: now + 60 }]) {
    await assertRefused(await openBy(await forged(changes)), 403, 'invalid_signature');
  }
  assert.equal((await openBy(await forged({}))).status, 200, 'a control: the form is right');
});

test('75 a token twice, in another case or as a list is refused, and what is not signed means nothing', async () => {
  const token = await tokenFor('a.png');
  const path = `${base}/a.png`;

  for (const query of [
    '',
    '?token',
    '?token=',
    `?token=${token}&token=${token}`,
    `?token=x&token=${token}`,
    `?token=${token}&token=x`,
    `?token[]=${token}`,
    `?token[0]=${token}`,
    `?TOKEN=${token}`,
    `?Token=${token}`,
    `?token=${'A'.repeat(9000)}`,
  ]) {
    await assertRefused(await open.service.fetch(`${path}${query}`), [400, 403]);
  }
  const later = await open.service.fetch(`${path}?token=${token}&expires=99999999999&response-content-type=text/html`);
  assert.equal(later.headers.get('content-type'), 'image/png');
  assert.equal(later.headers.get('content-disposition'), null);
});

test('84 what is no token is refused like a wrong one', async () => {
  const secret = open.service.config.signed_urls.current.secret;
  const [, payload = ''] = (await tokenFor('a.png')).split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  const kid = 'test';
  const tokens = [
    '.',
    '..',
    'a.b.c',
    '\u00e9.\u00e9.\u00e9',
    '\u{1f600}',
    '%00',
    unsignedToken({ alg: 'none', typ: 'rowlock-url+jwt', kid }, claims),
    unsignedToken({ alg: 'HS256', typ: 'rowlock-url+jwt', kid }, claims),
    handMadeToken({ alg: 'HS256', typ: 'rowlock-url+jwt', kid }, claims, ''),
    handMadeToken({ alg: 'HS256', typ: 'rowlock-url+jwt' }, claims, secret),
    handMadeToken({ alg: 'HS256', typ: 'rowlock-url+jwt', kid: '__proto__' }, claims, secret),
    handMadeToken({ alg: 'HS512', typ: 'rowlock-url+jwt', kid }, claims, secret),
    handMadeToken({ alg: 'HS256', typ: 'JWT', kid }, claims, secret),
    handMadeToken({ alg: 'HS256', kid }, claims, secret),
    handMadeToken({ alg: 'HS256', typ: 'rowlock-url+jwt', kid }, claims, jwtSecret),
    handMadeToken({ alg: 'HS256', typ: 'rowlock-url+jwt', kid }, { ...claims, op: 'upload' }, secret),
    handMadeToken({ alg: 'HS256', typ: 'rowlock-url+jwt', kid }, { ...claims, o: { id: 1 } }, secret),
    handMadeToken({ alg: 'HS256', typ: 'rowlock-url+jwt', kid, crit: ['x'], x: 1 }, claims, secret),
    await signToken({ ...claims, sub: 'olivia' }),
  ];

  for (const token of tokens) await assertRefused(await openBy(token), 403, 'invalid_signature');
});

describe('74 and 122 what happened after a URL was signed', () => {
  test('74 a URL goes on for its owner’s successor only while it is the same object', async () => {
    await upload('brief.txt', 'first');
    const token = await tokenFor('brief.txt');
    const path = `${base}/brief.txt`;

    await upload('brief.txt', 'second');
    const overwritten = await openBy(token, path);
    await open.service.fetch('/storage/v1/object/vault/brief.txt', { as: 'olivia', method: 'DELETE' });
    const deleted = await openBy(token, path);
    await upload('brief.txt', 'third, of the same name');
    const another = await openBy(token, path);
    await open.service.fetch('/storage/v1/object/vault/brief.txt', { as: 'olivia', method: 'DELETE' });

    assert.equal(await overwritten.text(), 'second', 'a URL names the object, not one version of it');
    await assertRefused(deleted, 404, 'object_not_found');
    await assertRefused(another, 404, 'object_not_found');
    await open.settle();
    await open.remember();
  });

  test('122 a deleted object is gone by every address it had', async () => {
    await upload('going.png', picture);
    await open.settle();
    const { bucket } = open.service.config.backend;
    const urls = {
      signed: `${base}/going.png?token=${await tokenFor('going.png')}`,
      variant: `${variantBase}/going.png?token=${await tokenFor('going.png', 'small')}`,
      own: '/storage/v1/object/vault/going.png',
      render: '/storage/v1/render/image/authenticated/vault/going.png?preset=small',
      info: '/storage/v1/object/info/vault/going.png',
    };
    const ask = async (): Promise<number[]> =>
      Promise.all(Object.values(urls).map(async (url) => (await open.service.fetch(url, { as: 'olivia' })).status));
    assert.deepEqual(await ask(), [200, 200, 200, 200, 200]);
    const keys = await open.database.query<{ key: string }>(
      `SELECT v.key FROM storage.versions AS v JOIN storage.objects AS o ON o.version_id = v.id WHERE o.name = 'going.png'`,
    );

    await open.service.fetch('/storage/v1/object/vault/going.png', { as: 'olivia', method: 'DELETE' });

    assert.deepEqual(await ask(), [404, 404, 404, 404, 404], 'at once');
    await open.settle();
    const bytes = await open.database.query("SELECT FROM storage.versions WHERE key = $1 AND state <> 'gone'", [
      keys[0]?.key,
    ]);
    assert.deepEqual([keys.length, bytes.length, bucket], [1, 0, 'civic-os-files'], 'and its bytes soon after');
    await open.remember();
  });

  test('74 a URL that was renamed away from opens nothing, under either name', async () => {
    await upload('old.txt', 'bytes');
    const token = await tokenFor('old.txt');
    await open.sql(
      { role: 'authenticated', sub: 'olivia' },
      "UPDATE storage.objects SET name = 'new.txt' WHERE name = 'old.txt'",
    );

    await assertRefused(await openBy(token, `${base}/old.txt`), 404);
    await assertRefused(await openBy(token, `${base}/new.txt`), 403);
    await open.service.fetch('/storage/v1/object/vault/new.txt', { as: 'olivia', method: 'DELETE' });
    await open.remember();
  });

  test('74 after a rotation the previous key opens what it signed, and a key that was taken out opens nothing', async () => {
    const token = await tokenFor('a.png');
    const { current } = open.service.config.signed_urls;
    const next = { id: 'next', secret: 'the-next-secret-of-at-least-thirty-two-bytes' };
    const statusWith = async (previous: readonly (typeof next)[]): Promise<number> => {
      const port = await freePort();
      const other = await createServer({ ...open.service.config, port, signed_urls: { current: next, previous } });
      const answer = await fetch(`${other.url}${base}/a.png?token=${token}`);
      await answer.arrayBuffer();
      await other.stop();
      return answer.status;
    };

    assert.deepEqual([await statusWith([current]), await statusWith([])], [200, 403]);
  });

  test('72 where one secret was configured for both, neither kind of token is the other', async () => {
    const port = await freePort();
    const config = { ...open.service.config, port, signed_urls: { current: { id: 'one', secret: jwtSecret } } };
    const other = await createServer(config);
    const authorization = `Bearer ${open.tokens.olivia}`;
    const sign = { method: 'POST', headers: { authorization } };
    const answer = await fetch(`${other.url}/storage/v1/object/sign/vault/a.png`, sign);
    const token = new URL(((await answer.json()) as { readonly url: string }).url).searchParams.get('token') ?? '';
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object;

    const asBearer = await fetch(`${other.url}/storage/v1/bucket`, { headers: { authorization: `Bearer ${token}` } });
    const bearer = handMadeToken({ alg: 'HS256', typ: 'JWT', kid: 'one' }, claims, jwtSecret);
    const asUrl = await fetch(`${other.url}${base}/a.png?token=${bearer}`);
    const control = await fetch(`${other.url}${base}/a.png?token=${token}`);

    await assertRefused(asBearer, 401, 'invalid_token');
    await assertRefused(asUrl, 403, 'invalid_signature');
    assert.equal(control.status, 200);
    await control.arrayBuffer();
    await other.stop();
  });
});
