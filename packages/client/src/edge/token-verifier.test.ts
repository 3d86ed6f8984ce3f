import assert from 'node:assert/strict';
import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { type EdgeJwk, EdgeTokenVerifier } from './token-verifier.ts';

const secret = 'a-secret-for-tests-only-of-more-than-32-bytes';
const now = new Date('2026-11-21T12:00:00Z');
const soon = now.getTime() / 1000 + 60;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const part = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const jwkOf = (key: KeyObject, more: object): EdgeJwk => ({
  ...(key.export({ format: 'jwk' }) as EdgeJwk),
  ...more,
});

function hs(claims: object | string, header: object = { alg: 'HS256', typ: 'JWT' }, key = secret): string {
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

function withKey(claims: object, header: object, key: KeyObject): string {
  const signed = `${part(header)}.${part(claims)}`;
  const signature = createSign('sha256').update(signed).sign({ key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

const jwks = { keys: [jwkOf(rsa.publicKey, { kid: 'r' }), jwkOf(ec.publicKey, { kid: 'e', use: 'sig' })] };
const claims = { sub: 'ann', exp: soon };
const all = new EdgeTokenVerifier({ secret, jwks });

test('tokens of the secret and of each published key are verified', async () => {
  const tokens = [
    hs(claims),
    withKey(claims, { alg: 'RS256', kid: 'r' }, rsa.privateKey),
    withKey(claims, { alg: 'ES256', kid: 'e' }, ec.privateKey),
    withKey(claims, { alg: 'ES256' }, ec.privateKey),
  ];

  for (const token of tokens) assert.deepEqual(await all.verify(token, now), claims);
});

test('the algorithm is the key’s, whatever the token says', async () => {
  const pem = String(rsa.publicKey.export({ type: 'spki', format: 'pem' }));
  const publicOnly = new EdgeTokenVerifier({ jwks });
  const secretOnly = new EdgeTokenVerifier({ secret });
  const unsigned = `${part({ alg: 'none' })}.${part(claims)}.`;

  for (const [verifier, token] of [
    [publicOnly, hs(claims, { alg: 'HS256' }, pem)],
    [publicOnly, hs(claims, { alg: 'HS256', kid: 'r' }, pem)],
    [publicOnly, withKey(claims, { alg: 'ES256', kid: 'r' }, ec.privateKey)],
    [secretOnly, withKey(claims, { alg: 'RS256', kid: 'r' }, rsa.privateKey)],
    [secretOnly, hs(claims, { alg: 'HS512' })],
    [all, hs(claims, { alg: 'RS256', kid: 'r' })],
    [all, unsigned],
  ] as const) {
    await assert.rejects(verifier.verify(token, now), { reason: 'invalid_token' });
  }
});

test('a token has an end, has begun, and is for us', async () => {
  const strict = new EdgeTokenVerifier({ secret, issuer: 'https://us', audience: 'files' });
  const second = now.getTime() / 1000;
  const good = { ...claims, iss: 'https://us', aud: ['other', 'files'] };

  assert.deepEqual(await strict.verify(hs(good), now), good);
  for (const wrong of [
    { ...good, exp: undefined },
    { ...good, exp: String(soon) },
    { ...good, exp: second },
    { ...good, nbf: second + 1 },
    { ...good, nbf: 'now' },
    { ...good, iss: 'https://them' },
    { ...good, aud: 'other' },
    { ...good, aud: undefined },
  ]) {
    await assert.rejects(strict.verify(hs(wrong), now), { reason: 'invalid_token' }, JSON.stringify(wrong));
  }
});

test('clocks may differ by as much as is said', async () => {
  const patient = new EdgeTokenVerifier({ secret, clock_tolerance_seconds: 5 });
  const second = now.getTime() / 1000;

  assert.equal((await patient.verify(hs({ exp: second - 4, nbf: second + 5 }), now))['exp'], second - 4);
  await assert.rejects(patient.verify(hs({ exp: second - 5 }), now), { reason: 'invalid_token' });
});

test('what is no token, is changed, or is another kind of token is refused', async () => {
  const [head = '', body = '', signature = ''] = hs(claims).split('.');
  const tokens = [
    '',
    'a.b',
    'a.b.c.d',
    `${head}.${part({ ...claims, sub: 'bob' })}.${signature}`,
    `${head}.${body}.${signature.slice(0, -2)}`,
    `${head}.${body}.${signature}=`,
    `${head}.${body}.`,
    hs('[]'),
    hs('null'),
    hs(Buffer.from([0xff]).toString('latin1')),
    hs(claims, { alg: 'HS256', crit: ['x'], x: 1 }),
    hs(claims, { alg: 'HS256', typ: 'rowlock-url+jwt' }),
    hs({ ...claims, more: 'x'.repeat(16_384) }),
  ];

  for (const token of tokens) await assert.rejects(all.verify(token, now), { reason: 'invalid_token' }, token);
});

test('a key that is too weak verifies nothing, and a verifier without keys is not made', async () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const verifier = new EdgeTokenVerifier({ jwks: { keys: [jwkOf(weak.publicKey, {})] } });

  await assert.rejects(verifier.verify(withKey(claims, { alg: 'RS256' }, weak.privateKey), now), {
    reason: 'invalid_token',
  });
  assert.throws(() => new EdgeTokenVerifier({ secret: 'short' }), TypeError);
  assert.throws(() => new EdgeTokenVerifier({}), TypeError);
  assert.throws(() => new EdgeTokenVerifier({ jwks: { keys: [{ kty: 'oct' }] } }), TypeError);
});

test('of two keys that could have signed it the token says which', async () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const two = new EdgeTokenVerifier({
    jwks: { keys: [jwkOf(ec.publicKey, { kid: 'e' }), jwkOf(other.publicKey, { kid: 'o' })] },
  });

  assert.deepEqual(await two.verify(withKey(claims, { alg: 'ES256', kid: 'o' }, other.privateKey), now), claims);
  for (const header of [{ alg: 'ES256' }, { alg: 'ES256', kid: 'e' }]) {
    await assert.rejects(two.verify(withKey(claims, header, other.privateKey), now), { reason: 'invalid_token' });
  }
});
