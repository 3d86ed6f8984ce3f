import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clustersOf } from './clusters.ts';

test('points that would cover each other are one, and each is in one cluster', () => {
  const clusters = clustersOf(
    [
      { x: 0, y: 0 },
      { x: 39, y: 0 },
      { x: 100, y: 100 },
      { x: 0, y: 1 },
    ],
    40,
  );

  assert.deepEqual(
    clusters.map(({ members }) => members),
    [[0, 1, 3], [2]],
  );
  assert.deepEqual([clusters[0]?.x, clusters[1]?.x], [13, 100]);
});

test('ten thousand points are grouped without comparing all with all', () => {
  const points = Array.from({ length: 10_000 }, (_, place) => ({
    x: (place % 100) * 50,
    y: Math.floor(place / 100) * 50,
  }));

  const clusters = clustersOf(points, 40);

  assert.equal(clusters.length, 10_000);
});
