import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { weaknessOf } from './secret-strength.ts';

test('what a generator makes is strong, in every spelling', () => {
  for (let round = 0; round < 200; round += 1) {
    assert.equal(weaknessOf(randomBytes(16).toString('hex')), undefined);
    assert.equal(weaknessOf(randomBytes(48).toString('base64')), undefined);
  }
});

test('short, repeated and published secrets are weak', () => {
  const weak = [
    'secret',
    'a-secret-of-thirty-one-bytes...',
    'x'.repeat(64),
    'secret'.repeat(8),
    '0123456789abcdef'.repeat(4),
    'super-secret-jwt-token-with-at-least-32-characters-long',
    'please-CHANGE_ME-before-you-start-this-1234567890',
  ];

  for (const secret of weak) {
    assert.notEqual(weaknessOf(secret), undefined, secret);
  }
});
