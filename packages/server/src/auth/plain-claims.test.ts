import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRowlockError } from '@rowlock/client/contract';
import { assertPlainClaims } from './plain-claims.ts';

test('ordinary claims pass, however they are written', () => {
  const claims = [
    '{"sub":"a","role":"authenticated","exp":1900000000,"aud":["a","a"],"amr":[{"method":"x"},{"method":"x"}]}',
    '{ "user" : { "user_id" : 73060937185904, "role" : "org_client" }, "role" : "authenticated", "f": 1.25e-3 }',
    '{"text":"{\\"sub\\": 1, \\"sub\\": 2} \\\\u0000 \\\\","sub":"\\ud83d\\ude00"}',
    '{}',
  ];

  for (const text of claims) {
    assert.ok(JSON.parse(text));
    assert.doesNotThrow(() => assertPlainClaims(text), text);
  }
});

test('claims that two readers could understand differently are refused', () => {
  const claims = [
    '{"sub":"a","sub":"b"}',
    '{"sub":"a","s\\u0075b":"b"}',
    '{"user":{"role":"a","x":[1,{"y":2}],"role":"b"}}',
    '{"sub":"a\\u0000"}',
    '{"a\\u0000":1}',
    '{"sub":"\\ud800"}',
    '{"user_id":9007199254740993}',
    '{"user_id":-1e400}',
    `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`,
  ];

  for (const text of claims) {
    assert.throws(
      () => assertPlainClaims(text),
      (error) => isRowlockError(error, 'invalid_token'),
      text,
    );
  }
});
