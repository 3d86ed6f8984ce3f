import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathOf } from './outline-path.ts';
import { borders, coasts } from './world-outline.ts';

test('a line is its first point and the steps from there, on a world of a thousand units', () => {
  assert.equal(pathOf('0 0 1800 0;-1800 0 10 0', true), 'M500.00 500.00L1000.00 500.00ZM0.00 500.00L2.78 500.00Z');
});

test('a line across the 180th meridian goes on at the other edge, and not through the whole world', () => {
  const path = pathOf('1790 0 -3580 0 10 0', false);

  assert.equal(path, 'M997.22 500.00L1002.78 500.00L1005.56 500.00M-2.78 500.00L2.78 500.00L5.56 500.00');
});

test('the outline has the continents, and no coast goes through the whole world', () => {
  const lines = pathOf(coasts, true).split('M').slice(1);
  const steps = lines.flatMap((line) => {
    const xs = [...line.matchAll(/(-?[\d.]+) (-?[\d.]+)/g)]
      .filter(([, , y]) => Number(y) < 990)
      .map(([, x]) => Number(x));
    return xs.slice(1).map((x, place) => Math.abs(x - (xs[place] ?? x)));
  });

  assert.ok(steps.length > 4000);
  assert.ok(Math.max(...steps) < 100, 'no coast is drawn through the whole world');
  assert.ok(borders.split(';').length > 100);
});
