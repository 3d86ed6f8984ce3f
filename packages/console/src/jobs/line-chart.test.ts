import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesThrough } from './line-chart.ts';

test('a line ends at the right edge, and its highest value is at the top', () => {
  const lines = linesThrough([0, 5, 10], 5);

  assert.deepEqual(lines, ['75.0,31.0 112.5,16.0 150.0,1.0']);
});

test('a value that is missing interrupts the line', () => {
  const lines = linesThrough([1, undefined, 1, 1], 4);

  assert.deepEqual(lines, ['0.0,1.0', '100.0,1.0 150.0,1.0']);
});

test('a line of nothing but zeros lies at the bottom, and no value makes no line', () => {
  assert.deepEqual(linesThrough([0, 0], 2), ['0.0,31.0 150.0,31.0']);
  assert.deepEqual(linesThrough([undefined], 2), []);
});
