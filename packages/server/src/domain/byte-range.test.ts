import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRange, parseRanges, rangesMax } from './byte-range.ts';

test('ranges are read as RFC 9110 says', () => {
  const cases: readonly (readonly [string | undefined, number, unknown])[] = [
    [undefined, 10, undefined],
    ['bytes=0-0', 10, { start: 0, end: 0 }],
    ['bytes=2-5', 10, { start: 2, end: 5 }],
    ['bytes=5-', 10, { start: 5, end: 9 }],
    ['bytes=-3', 10, { start: 7, end: 9 }],
    ['bytes=-30', 10, { start: 0, end: 9 }],
    ['bytes=5-100', 10, { start: 5, end: 9 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=5-2', 10, undefined],
    ['bytes=0-1,3-4', 10, undefined],
    ['items=0-1', 10, undefined],
    ['bytes=-', 10, undefined],
    ['bytes=a-b', 10, undefined],
  ];

  for (const [header, size, expected] of cases) {
    assert.deepEqual(parseRange(header, size), expected, `${header} of ${size}`);
  }
});

test('a thousand ranges cost nothing and get the whole body', () => {
  const header = `bytes=${Array.from({ length: 1000 }, (_, i) => `${i}-${i}`).join(',')}`;

  assert.equal(parseRange(header, 10_000), undefined);
});

test('several ranges are read in their order, and merged where they overlap or touch', () => {
  const cases: readonly (readonly [string | undefined, unknown])[] = [
    [undefined, undefined],
    ['bytes=2-5', [{ start: 2, end: 5 }]],
    [
      'bytes=0-0,-1',
      [
        { start: 0, end: 0 },
        { start: 9, end: 9 },
      ],
    ],
    [
      'bytes=8-, 0-1 ,4-4',
      [
        { start: 8, end: 9 },
        { start: 0, end: 1 },
        { start: 4, end: 4 },
      ],
    ],
    ['bytes=0-4,3-6', [{ start: 0, end: 6 }]],
    ['bytes=3-6,0-2', [{ start: 0, end: 6 }]],
    ['bytes=0-,0-,0-', [{ start: 0, end: 9 }]],
    [
      'bytes=8-9,0-1,1-2',
      [
        { start: 0, end: 2 },
        { start: 8, end: 9 },
      ],
    ],
    ['bytes=0-1,20-', [{ start: 0, end: 1 }]],
    ['bytes=20-,30-', 'unsatisfiable'],
    ['bytes=,0-1,,', [{ start: 0, end: 1 }]],
    ['bytes=,', undefined],
    ['bytes=0-1,x', undefined],
    ['bytes=0-1,5-2', undefined],
    ['bytes=0-1;3-4', undefined],
    ['items=0-1,3-4', undefined],
  ];

  for (const [header, expected] of cases) {
    assert.deepEqual(parseRanges(header, 10), expected, header);
  }
});

test('more ranges than are served get the whole body', () => {
  const asked = (count: number): string =>
    `bytes=${Array.from({ length: count }, (_, i) => `${i * 3}-${i * 3}`).join(',')}`;

  assert.equal(parseRanges(asked(rangesMax), 1000)?.length, rangesMax);
  assert.equal(parseRanges(asked(rangesMax + 1), 1000), undefined);
  assert.equal(parseRanges(asked(100_000), 1000), undefined);
});
