/** Rows 51 to 57 of the list of attacks: who somebody says to be. Every token here claims to be the owner. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, test } from 'node:test';
import type { ServerConfig } from '@rowlock/server';
import { jwtSecret, signToken } from '@rowlock/test-harness';
import { handMadeToken, privatelySignedToken, unsignedToken } from './hand-made-token.ts';
import { type Attacked, assertRefused, attacked } from './standing.ts';

const soon = Math.floor(Date.now() / 1000) + 600;
const owner = { sub: 'olivia', role: 'authenticated', exp: soon };
const service = { ...owner, role: 'service_role' };
const hs256 = { alg: 'HS256', typ: 'JWT' };
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keys: NonNullable<ServerConfig['tokens']['jwks']> = {
  keys: [
    { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'r' },
    { ...ec.publicKey.export({ format: 'jwk' }), kid: 'e' },
  ],
};

let open: Attacked;

before(async () => {
  open = await attacked({ config: { tokens: { secret: jwtSecret, jwks: keys } } });
  await arrange(open);
});
afterEach(() => open.assertUnharmed());
after(() => open.stop());

async function arrange({ send, service: { fetch }, remember }: Attacked): Promise<void> {
  await send('POST', '/storage/v1/bucket', { name: 'vault' }, 'olivia');
  const put = await fetch('/storage/v1/object/vault/secret.txt', { as: 'olivia', method: 'POST', body: 'secret' });
  assert.equal(put.status, 201);
  await remember();
}

const attempts: readonly (readonly [string, string, RequestInit])[] = [
  ['reads the object', '/storage/v1/object/vault/secret.txt', {}],
  ['overwrites it', '/storage/v1/object/vault/secret.txt', { method: 'PUT', body: 'mine' }],
  ['deletes it', '/storage/v1/object/vault/secret.txt', { method: 'DELETE' }],
  ['signs a URL', '/storage/v1/object/sign/vault/secret.txt', { method: 'POST' }],
  ['sees the bucket', '/storage/v1/bucket/vault', {}],
  ['calls a function', '/rpc/get_file_storage_stats', {}],
];

/** Asserts that a bearer token opens nothing; `statuses` are those that it may be answered with. */
async function opensNothing(
  token: string,
  what: string,
  statuses: readonly number[] = [401],
  target: Attacked = open,
): Promise<void> {
  for (const [attempt, path, init] of attempts) {
    const answer = await target.service.fetch(path, { ...init, headers: { authorization: `Bearer ${token}` } });
    const text = await answer.text();
    assert.ok(statuses.includes(answer.status), `${what} ${attempt}: ${answer.status} ${text}`);
    assert.doesNotMatch(text, /secret/, what);
    if (answer.status === 403)
      assert.match(text, /"code":"RoleNotAllowed"/, `${what}: refused before the database is asked`);
  }
}

test('a control: the token that all of these imitate opens the object', async () => {
  const answer = await open.service.fetch('/storage/v1/object/vault/secret.txt', {
    headers: { authorization: `Bearer ${handMadeToken(hs256, owner, jwtSecret)}` },
  });

  assert.equal(await answer.text(), 'secret');
});

test('51 a token without an algorithm, or signed with nothing, is refused', async () => {
  const tokens: Readonly<Record<string, string>> = {
    none: unsignedToken({ alg: 'none' }, service),
    'none with a signature': handMadeToken({ alg: 'none' }, service, jwtSecret),
    None: unsignedToken({ alg: 'None' }, service),
    NONE: unsignedToken({ alg: 'NONE' }, service),
    'none with a NUL': unsignedToken({ alg: 'none\u0000' }, service),
    'no algorithm': handMadeToken({ typ: 'JWT' }, service, jwtSecret),
    'an array of algorithms': handMadeToken({ alg: ['HS256'] }, service, jwtSecret),
    'an empty signature': unsignedToken(hs256, service),
    'signed with an empty key': handMadeToken(hs256, service, ''),
    'a header that is no object': handMadeToken('"HS256"', service, jwtSecret),
    'a header that is null': handMadeToken('null', service, jwtSecret),
    'another hash than promised': handMadeToken({ alg: 'HS512' }, service, jwtSecret),
  };

  for (const [what, token] of Object.entries(tokens)) await opensNothing(token, what);
});

test('52 a token signed with a public key as if it were a secret is refused', async () => {
  const spellings = (key: KeyObject): readonly (string | Buffer)[] => {
    const pem = key.export({ format: 'pem', type: 'spki' }).toString();
    const der = key.export({ format: 'der', type: 'spki' });
    const jwk = key.export({ format: 'jwk' });
    return [pem, pem.trim(), der, der.toString('base64'), JSON.stringify(jwk), JSON.stringify(keys)];
  };

  for (const [kid, key] of [
    ['r', rsa.publicKey],
    ['e', ec.publicKey],
  ] as const) {
    for (const confused of spellings(key)) {
      await opensNothing(handMadeToken({ ...hs256, kid }, service, confused), `HS256 with ${kid}`);
      await opensNothing(handMadeToken({ alg: 'RS256', kid }, service, confused), `RS256 with ${kid}`);
    }
  }
  const crossed = privatelySignedToken({ alg: 'PS256', kid: 'r' }, service, rsa.privateKey);
  await opensNothing(crossed, 'an algorithm that the key is not pinned to');
});

test('54 keys that a token brings along, or says where to fetch, are ignored', async () => {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    response.end(JSON.stringify(own));
  });
  const base = await listening(server);
  const mallory = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = mallory.publicKey.export({ format: 'jwk' });
  const own = { keys: [{ ...jwk, kid: 'e' }] };
  const bring = { jwk, jku: `${base}/keys`, x5u: `${base}/x5u`, x5c: ['AAAA'] };

  for (const kid of ['e', 'r', 'm']) {
    const header = { alg: 'ES256', kid, ...bring };
    await opensNothing(privatelySignedToken(header, service, mallory.privateKey), kid);
  }
  await opensNothing(handMadeToken({ ...hs256, ...bring, jwk: { kty: 'oct', k: 'AAAA' } }, service, 'AAAA'), 'oct');

  server.close();
  assert.equal(asked, 0, 'nothing was fetched');
});

test('55 a token whose time is over, not yet come or not a time is refused', async () => {
  const now = Math.floor(Date.now() / 1000);
  const payloads: Readonly<Record<string, object | string>> = {
    'expired a second ago': { ...owner, exp: now - 1 },
    'not valid before in half a minute': { ...owner, nbf: now + 30 },
    'no expiry': { sub: 'olivia', role: 'authenticated' },
    'an expiry as a text': { ...owner, exp: String(soon) },
    'an expiry of null': { ...owner, exp: null },
    'an expiry as a list': { ...owner, exp: [soon] },
    'an expiry beyond numbers': '{"sub":"olivia","exp":1e400}',
    'an expiry beyond whole numbers': '{"sub":"olivia","exp":1e300}',
    'a negative expiry': { ...owner, exp: -1 },
    'not before as a text': { ...owner, nbf: '0' },
  };

  for (const [what, payload] of Object.entries(payloads)) {
    await opensNothing(handMadeToken(hs256, payload, jwtSecret), what);
  }
});

test('56 claims that can be read in two ways, or cannot be kept, are refused', async () => {
  const json = JSON.stringify(owner).slice(1);
  const payloads: Readonly<Record<string, string>> = {
    'two roles': `{"role":"service_role",${json}`,
    'two subjects, one of them escaped': `{"s\\u0075b":"mallory",${json}`,
    'a thousand levels': `{"deep":${'['.repeat(1000)}${']'.repeat(1000)},${json}`,
    'a NUL': `{"x":"a\\u0000b",${json}`,
    'half a surrogate pair': `{"x":"\\ud800",${json}`,
    'an id that JavaScript rounds to that of somebody else': `{"user":{"user_id":9007199254740993},${json}`,
    'a list': `[{${json}]`,
    'a text': '"olivia"',
    'no JSON': '{',
  };

  for (const [what, payload] of Object.entries(payloads)) {
    await opensNothing(handMadeToken(hs256, payload, jwtSecret), what);
  }
});

test('56 a critical header that nobody knows, JWE, and what is hardly a token are refused', async () => {
  const token = handMadeToken(hs256, owner, jwtSecret);
  const [head = '', body = '', signature = ''] = token.split('.');
  const jwe = [{ alg: 'dir', enc: 'A256GCM' }, '', 'iv', 'text', 'tag'];
  const tokens: Readonly<Record<string, string>> = {
    'a critical header': handMadeToken({ ...hs256, crit: ['exp'], exp: soon }, owner, jwtSecret),
    'an unencoded payload': handMadeToken({ ...hs256, b64: false, crit: ['b64'] }, owner, jwtSecret),
    JWE: jwe.map((each) => Buffer.from(JSON.stringify(each)).toString('base64url')).join('.'),
    'two parts': `${head}.${body}`,
    'four parts': `${token}.${signature}`,
    'a signature that goes on': `${token}AAAA`,
    'a signature with padding': `${token}==`,
    'a payload of somebody else': `${head}.${Buffer.from(JSON.stringify(service)).toString('base64url')}.${signature}`,
    dots: '..',
    'not a token': 'olivia',
  };

  for (const [what, each] of Object.entries(tokens)) await opensNothing(each, what);
  for (const credential of [`Bearer  ${head} .${body}.${signature}`, `Basic ${token}`, token, 'Bearer', 'Bearer ,']) {
    const answer = await open.service.fetch('/storage/v1/bucket/vault', { headers: { authorization: credential } });
    await assertRefused(answer, 401, 'invalid_token');
  }
});

test('56 a token of a megabyte is refused before it is read', async () => {
  const long = handMadeToken(hs256, { ...owner, x: 'x'.repeat(1_000_000) }, jwtSecret);
  const overLimit = handMadeToken(hs256, { ...owner, x: 'x'.repeat(13_000) }, jwtSecret);

  await opensNothing(overLimit, 'more than a token may have', [401, 431]);
  await opensNothing(long, 'a megabyte', [431]).catch((error: unknown) => {
    // The server may close the connection while the client still sends.
    assert.ok(error instanceof TypeError, String(error));
  });
});

test('56 two Authorization headers are refused, whichever of them is good', async () => {
  const good = `Bearer ${open.tokens.olivia}`;
  const statuses: number[] = [];

  for (const values of [
    [good, 'Bearer nonsense'],
    ['Bearer nonsense', good],
    [good, good],
  ]) {
    statuses.push(await statusWith({ authorization: values }));
  }

  assert.deepEqual(statuses, [401, 401, 401]);
  assert.equal(await statusWith({ authorization: [good] }), 200, 'a control: one is fine');
});

test('57 a role that is not allowed is refused, whatever it is', async () => {
  const roles = [
    'postgres',
    'pg_read_all_data',
    'pg_execute_server_program',
    'rowlock_owner',
    'rowlock_worker',
    'rowlock_authenticator',
    'none',
    'AUTHENTICATED',
    '"; drop table storage.objects; --',
    '',
    ' authenticated',
    'authenticated\u200b',
    'x'.repeat(6000),
    ['service_role'],
    { toString: 'service_role' },
    7,
    true,
  ];

  for (const role of roles) {
    await opensNothing(await signToken({ ...owner, role }), JSON.stringify(role).slice(0, 40), [403]);
  }
});

test('57 an anonymous token, and one whose role nobody signed, get no further than no token', async () => {
  const anonymous = await signToken({ role: 'anon', sub: 'olivia' });

  for (const [attempt, path, init] of attempts.slice(0, 5)) {
    const answer = await open.service.fetch(path, { ...init, headers: { authorization: `Bearer ${anonymous}` } });
    assert.ok([401, 403, 404].includes(answer.status), `${attempt}: ${answer.status}`);
  }
  await opensNothing(handMadeToken(hs256, service, 'mallory knows no secret, only its length'), 'service role');
});

describe('tokens of published keys, for one issuer and audience', () => {
  const mallory = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let fetches = 0;
  let published: Server;
  let strict: Attacked;

  before(async () => {
    published = createServer((_request, response) => {
      fetches += 1;
      response.setHeader('content-type', 'application/json').end(JSON.stringify(keys));
    });
    strict = await attacked({
      config: {
        tokens: { jwks_url: `${await listening(published)}/keys`, issuer: 'https://ours', audience: 'rowlock' },
        rules: {
          anonymous_role: 'anon',
          default_role: 'authenticated',
          allowed_roles: ['anon', 'authenticated', 'rowlock_owner', 'rowlock_worker', 'nobody_of_that_name'],
          role_claim: ['role'],
        },
      },
    });
  });
  after(async () => {
    published.close();
    await strict.stop();
  });

  const signed = (claims: object, header: object = {}, key: KeyObject = ec.privateKey): string =>
    privatelySignedToken(
      { alg: 'ES256', kid: 'e', ...header },
      { iss: 'https://ours', aud: 'rowlock', ...owner, ...claims },
      key,
    );
  const statusFor = async (token: string): Promise<number> =>
    (await strict.service.fetch('/storage/v1/bucket', { headers: { authorization: `Bearer ${token}` } })).status;

  test('53 unknown and hostile key ids are refused, and cost one fetch in a while', async () => {
    assert.equal(await statusFor(signed({})), 200, 'a control');
    const kids = ['../../../../dev/null', "' OR 1=1 --", 'x'.repeat(9000), '__proto__', 'constructor', '', 'e\u0000'];
    const hostile = [...kids, ...Array.from({ length: 200 }, (_, i) => `unknown-${i}`)];

    const statuses = new Set<number>();
    for (const kid of hostile) {
      statuses.add(await statusFor(signed({ sub: `mallory ${kid.slice(0, 20)}` }, { kid }, mallory.privateKey)));
    }
    statuses.add(await statusFor(signed({}, { kid: ['e'] }, mallory.privateKey)));
    statuses.add(await statusFor(handMadeToken({ ...hs256, kid: '/dev/null' }, service, '')));

    assert.deepEqual([...statuses], [401]);
    assert.ok(fetches <= 2, `${fetches} fetches`);
  });

  test('55 another issuer or audience, or none, is refused', async () => {
    const claims = [
      { iss: 'https://theirs' },
      { iss: 'https://ours/' },
      { iss: ['https://ours'] },
      { iss: undefined },
      { aud: 'another' },
      { aud: ['another', 'one'] },
      { aud: undefined },
      { aud: { rowlock: true } },
    ];

    for (const changed of claims) assert.equal(await statusFor(signed(changed)), 401, JSON.stringify(changed));
    assert.equal(await statusFor(signed({ aud: ['another', 'rowlock'] })), 200, 'a control: one of several');
  });

  test('57 a role on the list that the login role was not granted is refused', async () => {
    for (const role of ['rowlock_owner', 'rowlock_worker', 'nobody_of_that_name']) {
      assert.equal(await statusFor(signed({ role })), 403, role);
      const read = await strict.service.fetch('/storage/v1/object/standing/x', {
        headers: { authorization: `Bearer ${signed({ role })}` },
      });
      await assertRefused(read, 403);
    }
    assert.deepEqual(strict.internalErrors, []);
  });
});

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The status of a request with a header of several values, each on a line of its own. */
function statusWith(headers: Readonly<Record<string, readonly string[]>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const lines = Object.entries(headers).flatMap(([name, values]) => values.flatMap((value) => [name, value]));
    const sent = request(`${open.service.url}/storage/v1/bucket/vault`, { headers: ['host', 'localhost', ...lines] });
    sent.on('response', (response) => resolve(response.resume().statusCode ?? 0));
    sent.on('error', reject).end();
  });
}
