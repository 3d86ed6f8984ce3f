import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitsInWords, refusedBefore } from './limits.ts';

const none = { file_size_limit: null, allowed_mime_types: null };

test('limits are said before somebody chooses a file', () => {
  assert.equal(limitsInWords(none), 'Takes files of any type, of any size.');
  assert.equal(
    limitsInWords({ file_size_limit: 20_000_000, allowed_mime_types: ['image/*', 'application/pdf'] }),
    'Takes image/*, application/pdf, of up to 20 MB each.',
  );
});

test('a file at the limit passes and one byte more does not', () => {
  const limits = { ...none, file_size_limit: 10 };

  assert.equal(refusedBefore({ size: 10, type: '' }, limits), undefined);
  assert.equal(refusedBefore({ size: 11, type: '' }, limits)?.reason, 'too_large');
});

for (const [type, allowed, passes] of [
  ['image/png', ['image/*'], true],
  ['IMAGE/PNG', ['image/png'], true],
  ['text/plain;charset=utf-8', ['text/plain'], true],
  ['anything/else', ['*/*'], true],
  ['image/png', [], true],
  ['', ['application/octet-stream'], true],
  ['imagery/png', ['image/*'], false],
  ['text/html', ['text/plain', 'image/*'], false],
  ['', ['image/*'], false],
] as const) {
  test(`'${type}' ${passes ? 'passes' : 'does not pass'} where [${allowed.join(', ')}] is allowed`, () => {
    const refusal = refusedBefore({ size: 1, type }, { ...none, allowed_mime_types: allowed });

    assert.equal(refusal?.reason, passes ? undefined : 'media_type_not_allowed');
  });
}
