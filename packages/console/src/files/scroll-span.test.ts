import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScrollSpan } from './scroll-span.ts';

const sizes = { rowHeight: 72, windowHeight: 720 };

test('a list that fits is as high as its rows, and rows are where their numbers put them', () => {
  const span = new ScrollSpan({ ...sizes, rows: 1000 });

  const sight = span.sight(7200, 2);

  assert.equal(span.height, 72_000);
  assert.deepEqual(sight, { from: 98, until: 112 });
  assert.equal(span.placeOf(100, 7200), 7200);
});

for (const rows of [1000, 100_000, 1_000_000]) {
  test(`of ${rows} rows the first and the last are reached`, () => {
    const span = new ScrollSpan({ ...sizes, rows });

    const first = span.sight(0, 0);
    const last = span.sight(span.height - sizes.windowHeight, 0);

    assert.deepEqual([first.from, last.until], [0, rows]);
    assert.ok(last.until - last.from <= 11);
  });

  test(`any of ${rows} rows is in sight after scrolling to it`, () => {
    const span = new ScrollSpan({ ...sizes, rows });

    for (const index of [0, 1, 17, Math.floor(rows / 2), rows - 2, rows - 1]) {
      const wanted = span.scrollFor(index, 0) ?? 0;
      const scrolled = Math.max(0, Math.min(wanted, span.height - sizes.windowHeight));
      const top = span.placeOf(index, scrolled) - scrolled;

      assert.ok(top >= -0.5 && top + sizes.rowHeight <= sizes.windowHeight + 0.5, `${index} is at ${top}`);
    }
  });
}

test('what is in sight already is not scrolled to', () => {
  const span = new ScrollSpan({ ...sizes, rows: 1000 });

  assert.equal(span.scrollFor(105, 7200), undefined);
});
