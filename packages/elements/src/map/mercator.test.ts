import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flat, isNearest, isPosition, moved, pixelOf, viewOf, zoomed } from './mercator.ts';

const size = { width: 800, height: 400 };
const vienna = flat({ lat: 48.2, lng: 16.37 });
const sydney = flat({ lat: -33.87, lng: 151.2 });

function near(value: number, wanted: number, by = 1e-6): void {
  assert.ok(Math.abs(value - wanted) < by, `${value} is not ${wanted}`);
}

test('the flat world is a square with the equator in its middle', () => {
  const [corner, middle, pole] = [
    flat({ lat: 85.0511, lng: -180 }),
    flat({ lat: 0, lng: 0 }),
    flat({ lat: 90, lng: 180 }),
  ];

  near(corner.x, 0);
  near(corner.y, 0, 1e-5);
  assert.deepEqual([middle.x, Number(middle.y.toFixed(9))], [0.5, 0.5]);
  near(pole.y, corner.y);
});

test('a view of points has all of them inside, with room around', () => {
  const view = viewOf([vienna, sydney], size);

  for (const point of [vienna, sydney]) {
    const { x, y } = pixelOf(point, view, size);
    assert.ok(x > 40 && x < 760 && y > 20 && y < 380, `${x} ${y}`);
  }
});

test('one point is in the middle of a part of the world', () => {
  const view = viewOf([vienna], size);

  const { x, y } = pixelOf(vienna, view, size);
  near(x, 400);
  near(y, 200);
  assert.ok(view.worldPixels < 20_000);
});

test('what is under the pointer stays there while the map zooms', () => {
  const view = viewOf([vienna], size);
  const before = pixelOf(vienna, moved(view, { x: 50, y: -30 }, size), size);

  const after = pixelOf(vienna, zoomed(moved(view, { x: 50, y: -30 }, size), 3, before, size), size);

  near(after.x, before.x, 1e-3);
  near(after.y, before.y, 1e-3);
});

test('a view never leaves the world and never comes nearer than it may', () => {
  const far = moved(viewOf([vienna], size), { x: 1e9, y: 1e9 }, size);
  const close = zoomed(viewOf([vienna], size), 1e12, { x: 400, y: 200 }, size);

  assert.ok(pixelOf({ x: 0, y: 0 }, far, size).x <= 1e-6);
  assert.ok(pixelOf({ x: 0, y: 0 }, far, size).y <= 1e-6);
  assert.equal(isNearest(close), true);
});

test('what is no position is told from one', () => {
  const positions = [
    { lat: 91, lng: 0 },
    { lat: 0, lng: 181 },
    { lat: Number.NaN, lng: 0 },
    { lat: -90, lng: 180 },
  ];

  assert.deepEqual(positions.map(isPosition), [false, false, false, true]);
});
