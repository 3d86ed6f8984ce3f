import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { jwtVerify, SignJWT } from 'jose';
import { CompactTokens } from './compact-tokens.ts';

const current = { id: 'b', secret: 'the-current-secret-of-thirty-two-bytes' };
const old = { id: 'a', secret: 'the-previous-secret-of-thirty-two-byte' };
const key = Buffer.from(current.secret);
const tokens = new CompactTokens({ current }, 'test+jwt');
const token = tokens.signing('{"iat":1,')('"x":"\u00e9"}');
const encoded = (text: string): string => Buffer.from(text).toString('base64url');

/** Signs whatever header and claims with the right key. */
function handMade(header: string, claims: string, secret = current.secret): string {
  const signed = `${encoded(header)}.${encoded(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

test('a token is a standard JWT: jose verifies it and finds the claims', async () => {
  for (const head of ['{"iat":1,', '{"iat":12,', '{"iat":123,', '{"n":"\u00e9\u{1f600}","iat":1234,']) {
    const made = tokens.signing(head)('"exp":9999999999,"x":"\u00e9"}');
    const { payload, protectedHeader } = await jwtVerify(made, key, { algorithms: ['HS256'], typ: 'test+jwt' });

    assert.deepEqual(protectedHeader, { alg: 'HS256', typ: 'test+jwt', kid: 'b' });
    assert.equal(payload['x'], '\u00e9');
    assert.deepEqual(tokens.open(made), payload);
  }
});

test('a token that jose made with the same header opens', async () => {
  const made = await new SignJWT({ x: 1 }).setProtectedHeader({ alg: 'HS256', typ: 'test+jwt', kid: 'b' }).sign(key);

  assert.deepEqual(tokens.open(made), { x: 1 });
});

test('a header in any other spelling is none of ours, although the right key signed it', () => {
  const claims = '{"x":1}';
  assert.deepEqual(tokens.open(handMade('{"alg":"HS256","typ":"test+jwt","kid":"b"}', claims)), { x: 1 }, 'a control');

  for (const header of [
    '{"alg":"none","typ":"test+jwt","kid":"b"}',
    '{"alg":"HS512","typ":"test+jwt","kid":"b"}',
    '{"alg":"HS256","typ":"JWT","kid":"b"}',
    '{"alg":"HS256","typ":"test+jwt"}',
    '{"alg":"HS256","typ":"test+jwt","kid":"a"}',
    '{"alg":"HS256","typ":"test+jwt","kid":"../b"}',
    '{"alg":"HS256","typ":"test+jwt","kid":"__proto__"}',
    '{"alg":"HS256","typ":"test+jwt","kid":["b"]}',
    '{"typ":"test+jwt","alg":"HS256","kid":"b"}',
    '{"alg":"HS256","typ":"test+jwt","kid":"b","crit":["x"],"x":1}',
    '{"alg":"HS256","typ":"test+jwt","kid":"b","jwk":{}}',
    '{ "alg":"HS256","typ":"test+jwt","kid":"b"}',
    '',
  ]) {
    assert.equal(tokens.open(handMade(header, claims)), undefined, header);
  }
});

test('no change of a single character is overlooked, not even in bits that nobody reads', () => {
  for (let place = 0; place < token.length; place += 1) {
    for (const other of ['A', 'B', '_', '=', '.', ' ', '\u0141']) {
      const changed = token.slice(0, place) + other + token.slice(place + 1);
      if (changed !== token) assert.equal(tokens.open(changed), undefined, `${other} at ${place}`);
    }
    assert.equal(tokens.open(token.slice(0, place)), undefined, `cut at ${place}`);
  }
  for (const changed of [`${token}A`, `${token}=`, `.${token}`, ` ${token}`, '', '.', '..', '...']) {
    assert.equal(tokens.open(changed), undefined, changed);
  }
});

test('what the right key signed and is no object of claims opens nothing', () => {
  for (const claims of ['', 'null', '[]', '"x"', '1', '{', '{"x":1}}', '\u0000']) {
    assert.equal(tokens.open(handMade('{"alg":"HS256","typ":"test+jwt","kid":"b"}', claims)), undefined, claims);
  }
});

test('every key verifies, one signs, and no two have one id', () => {
  const both = new CompactTokens({ current, previous: [old] }, 'test+jwt');
  const made = new CompactTokens({ current: old }, 'test+jwt').signing('{"iat":1,')('"x":1}');

  assert.deepEqual(both.open(made), { iat: 1, x: 1 });
  assert.equal(tokens.open(made), undefined);
  assert.equal(new CompactTokens({ current: old }, 'test+jwt').open(both.signing('{"iat":1,')('"x":1}')), undefined);
  assert.throws(() => new CompactTokens({ current, previous: [{ ...old, id: 'b' }] }, 'test+jwt'), TypeError);
  assert.doesNotThrow(() => new CompactTokens({ current, previous: [current] }, 'test+jwt'));
});
