import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VerifiedTokens } from './verified-tokens.ts';

const at = 1_700_000_000_000;
const claims = { sub: 'ann', exp: at / 1000 + 30 };

test('a token is recalled until it expires, to the second that its claims name', () => {
  const tokens = new VerifiedTokens(0);
  tokens.remember('a.b.c', claims, at);

  assert.deepEqual(tokens.recall('a.b.c', at + 29_999), claims);
  assert.equal(tokens.recall('a.b.c', at + 30_000), undefined);
});

test('the tolerance between clocks is given to the end of a token', () => {
  const tokens = new VerifiedTokens(5);
  tokens.remember('a.b.c', claims, at);

  assert.deepEqual(tokens.recall('a.b.c', at + 34_999), claims);
  assert.equal(tokens.recall('a.b.c', at + 35_000), undefined);
});

test('a token is verified again after a minute, since its key may have been withdrawn', () => {
  const tokens = new VerifiedTokens(0);
  tokens.remember('a.b.c', { sub: 'ann', exp: at / 1000 + 3600 }, at);

  assert.notEqual(tokens.recall('a.b.c', at + 59_999), undefined);
  assert.equal(tokens.recall('a.b.c', at + 60_000), undefined);
});

test('a clock that went backwards makes nothing valid', () => {
  const tokens = new VerifiedTokens(0);
  tokens.remember('a.b.c', claims, at);

  assert.equal(tokens.recall('a.b.c', at - 1), undefined);
});

test('memory is bounded: the oldest token goes first, and huge ones are not kept', () => {
  const tokens = new VerifiedTokens(0);
  const huge = 'x'.repeat(4097);
  tokens.remember(huge, claims, at);

  for (let i = 0; i <= 2000; i += 1) tokens.remember(`token-${i}`, claims, at);

  assert.equal(tokens.recall(huge, at), undefined);
  assert.equal(tokens.recall('token-0', at), undefined);
  assert.deepEqual(tokens.recall('token-1', at), claims);
  assert.deepEqual(tokens.recall('token-2000', at), claims);
});

test('claims that were remembered cannot be changed by who gets them', () => {
  const tokens = new VerifiedTokens(0);
  tokens.remember('a.b.c', { sub: 'ann', exp: claims.exp }, at);
  const recalled = tokens.recall('a.b.c', at) as Record<string, unknown>;

  assert.throws(() => {
    recalled['sub'] = 'eve';
  }, TypeError);
});
