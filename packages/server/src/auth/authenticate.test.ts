import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { isRowlockError } from '@rowlock/client/contract';
import { exportJWK, exportSPKI, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose';
import { Caller } from '../domain/caller.ts';
import type { AccessRules } from './access-rules.ts';
import { authenticate } from './authenticate.ts';
import { createTokenVerifier, type TokenVerifierOptions } from './token-verifier.ts';

const secret = 'a-secret-of-more-than-thirty-two-bytes';
const rules: AccessRules = {
  anonymous_role: 'anon',
  default_role: 'authenticated',
  allowed_roles: ['anon', 'authenticated', 'service_role'],
  role_claim: ['role'],
};
const now = Math.floor(Date.now() / 1000);

const hs256 = (claims: Record<string, unknown>, key: string | Uint8Array = secret): Promise<string> =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .sign(typeof key === 'string' ? new TextEncoder().encode(key) : key);

/** A token with any header, signed with HMAC by hand: jose refuses to make most of these. */
function handMade(header: object, payload: object | string, key: string = secret): string {
  const part = (value: object | string) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const signed = `${part(header)}.${part(payload)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

const ask = (
  token: string | undefined,
  options: TokenVerifierOptions = { secret },
  wanted: AccessRules = rules,
): Promise<Caller> =>
  authenticate(token === undefined ? undefined : `Bearer ${token}`, createTokenVerifier(options), wanted);

const refused = (reason: 'invalid_token' | 'role_not_allowed' | 'unavailable') => (error: unknown) =>
  isRowlockError(error, reason);

describe('identity', () => {
  test('without a token the caller is anonymous', async () => {
    const caller = await ask(undefined);

    assert.equal(caller.role, 'anon');
    assert.equal(caller.anonymous, true);
    assert.deepEqual(JSON.parse(caller.claims), { role: 'anon' });
  });

  test('a caller can be made by verification only', () => {
    const identity = { role: 'service_role', claims: '{}', anonymous: false, subject: undefined, origin: undefined };

    assert.throws(() => new Caller(Symbol('forged'), identity), TypeError);
    assert.ok(!Caller.isVerified({ role: 'service_role', claims: '{}', anonymous: false }));
  });

  test('nested and numeric claims reach the policies as they are', async () => {
    const claims = {
      exp: now + 60,
      role: 'authenticated',
      user: {
        role: 'org_client',
        email: 'a@example.com',
        status: 'active',
        user_id: 73060937185904,
        organization_id: 7,
      },
      token_type: 'access_token',
      organization: { org_name: 'Org', organization_id: 7 },
    };

    const caller = await ask(await hs256(claims));

    assert.deepEqual(JSON.parse(caller.claims), claims);
  });

  test('the role may stand anywhere in the claims, and defaults where it is missing', async () => {
    const nested = await ask(
      await hs256({ exp: now + 60, app: { role: 'service_role' } }),
      { secret },
      { ...rules, role_claim: ['app', 'role'] },
    );
    const missing = await ask(await hs256({ exp: now + 60, sub: 'x' }));

    assert.equal(nested.role, 'service_role');
    assert.equal(missing.role, 'authenticated');
  });

  test('a role outside the allow-list is refused', async () => {
    for (const role of [
      'postgres',
      'pg_read_all_data',
      'rowlock_owner',
      '"; drop',
      '',
      'x'.repeat(10_000),
      ['anon'],
      7,
      { a: 1 },
    ]) {
      await assert.rejects(ask(await hs256({ exp: now + 60, role })), refused('role_not_allowed'), String(role));
    }
  });
});

describe('tokens that are refused', () => {
  const cases: Readonly<Record<string, () => string | Promise<string>>> = {
    'no expiry': () => hs256({ role: 'authenticated' }),
    'expired a second ago': () => hs256({ exp: now - 1 }),
    'not valid yet': () => hs256({ exp: now + 60, nbf: now + 30 }),
    'an expiry that is a text': () => handMade({ alg: 'HS256' }, '{"exp":"9999999999"}'),
    'an expiry beyond numbers': () => handMade({ alg: 'HS256' }, '{"exp":1e400}'),
    'a negative expiry': () => handMade({ alg: 'HS256' }, '{"exp":-1}'),
    'alg none': () =>
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(`{"exp":${now + 60}}`).toString('base64url')}.`,
    'alg None with a signature': () => handMade({ alg: 'None' }, { exp: now + 60 }),
    'no alg': () => handMade({}, { exp: now + 60 }),
    'another secret': () => hs256({ exp: now + 60 }, 'another-secret-of-thirty-two-bytes!!'),
    'a critical header that nobody knows': () => handMade({ alg: 'HS256', crit: ['x'], x: 1 }, { exp: now + 60 }),
    'a claim with NUL': () => handMade({ alg: 'HS256' }, { exp: now + 60, sub: 'a\u0000b' }),
    'a megabyte': () => hs256({ exp: now + 60, sub: 'x'.repeat(1_000_000) }),
    'an array as claims': () => handMade({ alg: 'HS256' }, '[]'),
    'no JWT at all': () => 'abc',
  };
  for (const [name, make] of Object.entries(cases)) {
    test(name, async () => {
      const token = await make();

      await assert.rejects(ask(token), refused('invalid_token'));
    });
  }

  test('another scheme than Bearer', async () => {
    await assert.rejects(authenticate('Basic abc', createTokenVerifier({ secret }), rules), refused('invalid_token'));
  });

  test('wrong issuer and audience, where they are configured', async () => {
    const token = await hs256({ exp: now + 60, iss: 'https://a', aud: 'x' });

    await assert.rejects(ask(token, { secret, issuer: 'https://b' }), refused('invalid_token'));
    await assert.rejects(ask(token, { secret, audience: 'y' }), refused('invalid_token'));
    await assert.doesNotReject(ask(token, { secret, issuer: 'https://a', audience: 'x' }));
  });
});

describe('public keys', () => {
  for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
    test(`${alg} verifies with its key, and a shared secret never does`, async () => {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1' }] } as JSONWebKeySet;
      const token = await new SignJWT({ exp: now + 60, sub: 'x' })
        .setProtectedHeader({ alg, kid: 'k1' })
        .sign(privateKey);
      const pem = await exportSPKI(publicKey);

      assert.equal(JSON.parse((await ask(token, { jwks })).claims).sub, 'x');
      for (const confused of [pem, pem.trim(), JSON.stringify(jwks.keys[0])]) {
        await assert.rejects(
          ask(handMade({ alg: 'HS256', kid: 'k1' }, { exp: now + 60 }, confused), { jwks }),
          refused('invalid_token'),
        );
        await assert.rejects(
          ask(handMade({ alg: 'HS256', kid: 'k1' }, { exp: now + 60 }, confused), { jwks, secret }),
          refused('invalid_token'),
        );
      }
      await assert.rejects(ask(await hs256({ exp: now + 60 }), { jwks }), refused('invalid_token'));
    });
  }

  test('keys that the token brings along are ignored', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const own = await generateKeyPair('ES256');
    const jwk = await exportJWK(publicKey);
    const token = await new SignJWT({ exp: now + 60 })
      .setProtectedHeader({ alg: 'ES256', jwk, jku: 'http://127.0.0.1:1/keys', x5u: 'http://127.0.0.1:1/x' })
      .sign(privateKey);

    await assert.rejects(
      ask(token, { jwks: { keys: [await exportJWK(own.publicKey)] } as JSONWebKeySet }),
      refused('invalid_token'),
    );
  });
});

describe('published keys', () => {
  let keys: JSONWebKeySet = { keys: [] };
  let fetches = 0;
  const server = createServer((_request, response) => {
    fetches += 1;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(keys));
  });
  let url = '';

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
  });
  after(() => server.close());

  test('are fetched once, again after a rotation, and not for every unknown key id', async () => {
    const first = await generateKeyPair('RS256', { extractable: true });
    const second = await generateKeyPair('RS256', { extractable: true });
    const sign = (pair: typeof first, kid: string) =>
      new SignJWT({ exp: now + 60 }).setProtectedHeader({ alg: 'RS256', kid }).sign(pair.privateKey);
    keys = { keys: [{ ...(await exportJWK(first.publicKey)), kid: '1', alg: 'RS256' }] } as JSONWebKeySet;
    const verifier = createTokenVerifier({ jwks_url: url });
    const check = async (token: string) => authenticate(`Bearer ${token}`, verifier, rules);

    await check(await sign(first, '1'));
    await check(await sign(first, '1'));
    const afterTwo = fetches;
    for (let i = 0; i < 20; i += 1) {
      await assert.rejects(check(await sign(second, `unknown-${i}`)), refused('invalid_token'));
    }

    assert.equal(afterTwo, 1);
    assert.ok(fetches <= 2, `${fetches} fetches`);
    const fresh = createTokenVerifier({ jwks_url: url });
    keys = { keys: [{ ...(await exportJWK(second.publicKey)), kid: '2', alg: 'RS256' }] } as JSONWebKeySet;
    await assert.doesNotReject(authenticate(`Bearer ${await sign(second, '2')}`, fresh, rules));
  });

  test('that cannot be fetched are 503, not 401', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const token = await new SignJWT({ exp: now + 60 }).setProtectedHeader({ alg: 'ES256', kid: '1' }).sign(privateKey);

    await assert.rejects(ask(token, { jwks_url: 'http://127.0.0.1:1/none' }), refused('unavailable'));
    for (const [status, body] of [
      [500, '{"keys":[]}'],
      [200, '<!doctype html>'],
      [200, '{"error":"later"}'],
    ] as const) {
      const broken = createServer((_request, response) => response.writeHead(status).end(body));
      await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
      const jwks_url = `http://127.0.0.1:${(broken.address() as AddressInfo).port}/`;
      await assert.rejects(ask(token, { jwks_url }), refused('unavailable'), body);
      broken.close();
    }
  });
});
