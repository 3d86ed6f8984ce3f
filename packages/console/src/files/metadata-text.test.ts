import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metadataOf, metadataText } from './metadata-text.ts';

for (const value of [
  'a text',
  '',
  '12',
  'true',
  'null',
  '"quoted"',
  '{"a":1}',
  12,
  true,
  null,
  ['a', 1],
  { a: { b: 'c' } },
]) {
  test(`${JSON.stringify(value)} is the same when it was shown and read`, () => {
    const read = metadataOf(metadataText(value));

    assert.deepEqual(read, value);
  });
}

test('what is typed as a number is one', () => {
  assert.equal(metadataOf('12'), 12);
  assert.equal(metadataOf('12 apples'), '12 apples');
});
