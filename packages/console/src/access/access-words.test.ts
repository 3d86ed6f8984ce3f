import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessAttempt, JudgedPolicy } from '@rowlock/client';
import { answerInWords, verdictOf, whyInWords } from './access-words.ts';
import { claimsOf } from './question-form.ts';

const policy: JudgedPolicy = {
  table: 'storage.objects',
  name: 'one',
  command: 'UPDATE',
  permissive: true,
  roles: ['authenticated'],
  definition: '',
  using: { value: 'true' },
  check: null,
};
const attempt: AccessAttempt = { attempt: 'read', kind: 'action', operation: 'storage.object.get', outcome: 'allowed' };

test('a policy speaks for a caller only where all that it asks is true', () => {
  assert.equal(verdictOf(policy), 'yes');
  assert.equal(verdictOf({ ...policy, check: { value: 'null' } }), 'no');
  assert.equal(verdictOf({ ...policy, check: { value: 'error', error: 'x' } }), 'error');
  assert.equal(verdictOf({ ...policy, using: null }), 'not asked');
});

test('a refusal says what hides, and a failure what the database said', () => {
  assert.equal(whyInWords(attempt), '');
  assert.equal(whyInWords({ ...attempt, outcome: 'refused', reason: 'bucket_not_found' }), 'Policies hide the bucket.');
  assert.equal(whyInWords({ ...attempt, outcome: 'failed', message: 'division by zero' }), 'division by zero');
});

test('an answer names who may do what', () => {
  const about = { role: 'authenticated', claims: { sub: 'bob' }, bucket: 'b', name: 'a.txt', row_security: true };
  const rest = { object: null, bucket_owner_id: null, bucket_policy: 'private', policies: [] };
  const grants = { select: true, insert: true, update: true, delete: true };

  assert.equal(
    answerInWords({ ...about, ...rest, grants, attempts: [attempt] }),
    'bob (authenticated) may: read the file.',
  );
  assert.equal(
    answerInWords({ ...about, ...rest, grants, attempts: [{ ...attempt, outcome: 'refused' }] }),
    'bob (authenticated) may do nothing with a.txt.',
  );
});

test('claims are an object or nothing', () => {
  assert.deepEqual(claimsOf('  '), {});
  assert.deepEqual(claimsOf('{"a":1}'), { a: 1 });
  for (const text of ['[]', 'null', '1', '{', '{"a":']) {
    assert.equal(claimsOf(text), undefined, text);
  }
});
