import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareNames } from './byte-order.ts';

test('names are in the order of their bytes', () => {
  const names = ['a/', 'b', 'a', '\u{1F600}', '\uFFFD', 'a-b', 'é', 'a0', 'Z', '\u{10FFFF}', 'ab'];

  const sorted = [...names].sort(compareNames);

  const byBytes = [...names].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  assert.deepEqual(sorted, byBytes);
});
