import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorBody, errorSpellings, isRowlockError, RowlockError } from './errors.ts';

test('an error body carries the status as a string, as storage-js expects', () => {
  const body = errorBody('object_not_found', 'Object not found');

  assert.deepEqual(body, {
    statusCode: '404',
    error: 'not_found',
    message: 'Object not found',
    code: 'NoSuchKey',
    reason: 'object_not_found',
  });
});

test('every reason is snake_case and has an error status', () => {
  for (const [reason, spelling] of Object.entries(errorSpellings)) {
    assert.match(reason, /^[a-z]+(_[a-z]+)*$/);
    assert.ok(spelling.status >= 400 && spelling.status < 600, reason);
  }
});

test('an error knows its reason, and is recognised by it only', () => {
  const error = new RowlockError('too_large', 'too large', { retryAfterSeconds: 3 });

  assert.equal(error.status, 413);
  assert.equal(error.retryAfterSeconds, 3);
  assert.ok(isRowlockError(error, 'too_large'));
  assert.ok(!isRowlockError(error, 'internal'));
  assert.ok(!isRowlockError(new Error('too_large')));
});
