import assert from 'node:assert/strict';
import { test } from 'node:test';
import { movedTo } from './grid-keys.ts';

const list = { total: 100, page: 10 };

for (const [key, active, expected] of [
  ['ArrowDown', 5, 6],
  ['ArrowDown', 99, 99],
  ['ArrowUp', 0, 0],
  ['PageDown', 95, 99],
  ['PageUp', 25, 15],
  ['Home', 50, 0],
  ['End', 0, 99],
  ['x', 5, undefined],
] as const) {
  test(`${key} in row ${active} leads to ${expected ?? 'nowhere'}`, () => {
    const moved = movedTo(key, active, list);

    assert.equal(moved, expected);
  });
}

test('an empty list has nowhere to go', () => {
  assert.equal(movedTo('End', 0, { total: 0, page: 10 }), undefined);
});
