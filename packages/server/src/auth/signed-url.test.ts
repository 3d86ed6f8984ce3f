import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRowlockError } from '@rowlock/client/contract';
import { jwtVerify } from 'jose';
import { CompactTokens } from './compact-tokens.ts';
import {
  assertExpiry,
  createUrlSigner,
  type SignedUrlKeys,
  type SignedUrlTerms,
  type SignedUrlUse,
  signedUrlSecondsMax,
  signedUrlType,
} from './signed-url.ts';

const current = { id: 'b', secret: 'the-current-secret-of-thirty-two-bytes' };
const old = { id: 'a', secret: 'the-previous-secret-of-thirty-two-byte' };
const next = { id: 'c', secret: 'the-secret-that-comes-next-of-32-bytes' };
const object = { name: 'a/b.txt', object_id: '01234567-89ab-4def-8123-456789abcdef' };
const use = { bucket: 'box', name: 'a/b.txt', method: 'GET', address: '192.0.2.7' } as const;
const begin = 1_700_000_000.123456;
const every: SignedUrlTerms = {
  method: 'GET',
  preset: 'small',
  transform: { width: 300, height: 200, resize: 'fill', quality: 20, format: 'origin' },
  version_id: '11234567-89ab-4def-8123-456789abcdef',
  content_type: 'text/plain',
  download: 'caf\u00e9 "x".txt',
  size_max: 0,
  sha256: 'ab'.repeat(32),
  addresses: ['192.0.2.0/24', '2001:db8::1'],
  counted: true,
};

/** A clock that stands so many seconds after the signing. */
const after = (seconds: number) => (): Date => new Date((begin + seconds) * 1000);

function signed(terms: SignedUrlTerms = { method: 'GET' }, keys: SignedUrlKeys = { current }, seconds = 60) {
  const stamp = { issuer: 'issuer_of_16-chr', signed_at: begin.toFixed(6), expirySeconds: seconds };
  return createUrlSigner(keys).signing('box', terms, stamp)(object);
}

function opened(token: string, changed: Partial<SignedUrlUse> = {}, keys: SignedUrlKeys = { current }, seconds = 1) {
  return createUrlSigner(keys, after(seconds)).open(token, { ...use, ...changed });
}

const refusedWith = (reason: 'invalid_signature' | 'url_expired' | 'not_allowed', open: () => unknown): void =>
  assert.throws(open, (error) => isRowlockError(error, reason));

test('a token opens what it was signed for, under exactly the terms that were signed', () => {
  const { token, id } = signed(every);

  const grant = opened(token);

  assert.deepEqual(grant, {
    ...every,
    ...object,
    bucket: 'box',
    id,
    signed_at: begin,
    expires_at: new Date(1_700_000_060_000),
  });
  assert.match(id, /^issuer_of_16-chr[A-Za-z0-9_-]{16}$/);
  assert.notEqual(id, signed(every).id);
});

test('a token is a JWT of its own type that any library can read', async () => {
  const { token, id } = signed(every);

  const { payload, protectedHeader } = await jwtVerify(token, Buffer.from(current.secret), {
    typ: signedUrlType,
    currentDate: after(1)(),
  });

  assert.deepEqual(protectedHeader, { alg: 'HS256', typ: 'rowlock-url+jwt', kid: 'b' });
  assert.deepEqual([payload.jti, payload.iat, payload.exp, payload['dn']], [id, begin, 1_700_000_060, every.download]);
});

test('another bucket, another name or a changed token is an invalid signature', () => {
  const { token } = signed();
  const forged = signed({ method: 'GET' }, { current: { id: 'b', secret: 'x'.repeat(32) } }).token;
  const unknown = signed({ method: 'GET' }, { current: { id: 'z', secret: current.secret } }).token;

  for (const [value, changed] of [
    [token, { bucket: 'other' }],
    [token, { name: 'a/c.txt' }],
    [token, { name: 'A/b.txt' }],
    [`${token}x`, {}],
    [forged, {}],
    [unknown, {}],
    ['', {}],
    ['x'.repeat(9000), {}],
  ] as const) {
    refusedWith('invalid_signature', () => opened(value, changed));
  }
});

test('a URL for GET answers HEAD, and one for HEAD gives no bytes', () => {
  const get = signed({ method: 'GET' }).token;
  const head = signed({ method: 'HEAD' }).token;

  assert.equal(opened(get, { method: 'HEAD' }).method, 'GET');
  assert.equal(opened(head, { method: 'HEAD' }).method, 'HEAD');
  refusedWith('invalid_signature', () => opened(head, { method: 'GET' }));
});

test('a URL of a picture has a word of its own, which no process opens the object itself for', () => {
  const transform = { width: 300 };
  const tokens = new CompactTokens({ current }, signedUrlType);
  const claimsOf = (terms: SignedUrlTerms) => tokens.open(signed(terms).token) ?? {};
  const as = (op: string, terms: SignedUrlTerms): string =>
    tokens.signing('')(JSON.stringify({ ...claimsOf(terms), op }));
  const picture: SignedUrlTerms = { method: 'GET', transform };

  const ops = [picture, { ...picture, method: 'HEAD' }, { method: 'GET' }, { method: 'HEAD' }] as const;

  assert.deepEqual(
    ops.map((terms) => claimsOf(terms)['op']),
    ['render', 'render_head', 'download', 'head'],
  );
  assert.deepEqual(
    ops.slice(0, 2).map((terms) => opened(signed(terms).token, { method: 'HEAD' }).transform),
    [transform, transform],
  );
  assert.deepEqual(opened(as('render', picture)).transform, transform);
  for (const op of ['download', 'head', 'upload']) refusedWith('invalid_signature', () => opened(as(op, picture)));
  for (const op of ['render', 'render_head']) {
    refusedWith('invalid_signature', () => opened(as(op, { method: 'GET' }), { method: 'HEAD' }));
  }
});

test('a URL that is bound to addresses opens from these only', () => {
  const { token } = signed({ method: 'GET', addresses: ['192.0.2.0/24', '2001:db8::1'] });

  for (const address of ['192.0.2.0', '192.0.2.255', '::ffff:192.0.2.9', '2001:db8::1']) {
    assert.doesNotThrow(() => opened(token, { address }), address);
  }
  for (const address of ['192.0.3.0', '2001:db8::2', '', 'unknown', '::1']) {
    refusedWith('not_allowed', () => opened(token, { address }));
  }
});

test('a URL is good until the second it expires in, by the clock of who verifies', () => {
  const { token } = signed();
  const expires = 1_700_000_060 - begin;

  assert.doesNotThrow(() => opened(token, {}, { current }, expires - 0.001));
  assert.doesNotThrow(() => opened(token, {}, { current }, -3600), 'a clock that is an hour behind');
  for (const seconds of [expires, expires + 0.001, expires + 1, signedUrlSecondsMax]) {
    refusedWith('url_expired', () => opened(token, {}, { current }, seconds));
  }
});

test('an expired token is expired only when its signature is right', () => {
  const forged = signed({ method: 'GET' }, { current: { ...current, secret: 'y'.repeat(32) } }).token;

  refusedWith('invalid_signature', () => opened(forged, {}, { current }, 3600));
});

test('keys rotate with an overlap: the next is known before it signs, and the last for as long as its URLs live', () => {
  const before = signed({ method: 'GET' }, { current: old, previous: [next] }).token;
  const during = signed({ method: 'GET' }, { current: next, previous: [old] }).token;

  for (const keys of [
    { current: old, previous: [next] },
    { current: next, previous: [old] },
    { current, previous: [old, next] },
  ]) {
    assert.doesNotThrow(() => opened(before, {}, keys));
    assert.doesNotThrow(() => opened(during, {}, keys));
  }
  refusedWith('invalid_signature', () => opened(before, {}, { current: next }));
  refusedWith('invalid_signature', () => opened(during, {}, { current: old }));
});

test('a lifetime is a whole number of seconds up to seven days', () => {
  for (const seconds of [1, 3600, signedUrlSecondsMax]) {
    assert.doesNotThrow(() => assertExpiry(seconds));
    assert.doesNotThrow(() => opened(signed({ method: 'GET' }, { current }, seconds).token, {}, { current }, 0));
  }
  for (const seconds of [0, -1, 1.5, signedUrlSecondsMax + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => assertExpiry(seconds),
      (e) => isRowlockError(e, 'invalid_expiry'),
    );
  }
  const longer = signed({ method: 'GET' }, { current }, signedUrlSecondsMax + 1).token;
  refusedWith('invalid_signature', () => opened(longer));
});
