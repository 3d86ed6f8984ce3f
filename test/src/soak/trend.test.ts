/** Slopes of series that are known: what is noise, what grows, and what a step, an outlier or a habit does to that. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@rowlock/test-harness';
import { type Point, trendOf } from './trend.ts';

const count = 36;

/** A value a minute, for 36 minutes. */
function series(valueAt: (hours: number, index: number) => number, segmentOf = (_index: number) => 'all'): Point[] {
  return Array.from({ length: count }, (_, index) => {
    const hours = index / 60;
    return { hours, value: valueAt(hours, index), segment: segmentOf(index) };
  });
}

/** Close enough to normal: a sum of twelve. */
function noise(random: ReturnType<typeof seededRandom>): number {
  return Array.from({ length: 12 }, () => random.next()).reduce((sum, each) => sum + each, -6);
}

function assertNear(actual: number | null, expected: number, off: number): void {
  assert.ok(actual !== null && Math.abs(actual - expected) <= off, `${actual} is not ${expected} ± ${off}`);
}

test('a line has its slope, without error', () => {
  const trend = trendOf(series((hours) => 100 + 6 * hours));

  assertNear(trend.slope_per_hour, 6, 1e-9);
  assertNear(trend.robust_slope_per_hour, 6, 1e-9);
  assertNear(trend.standard_error, 0, 1e-9);
  assert.equal(trend.verdict, 'grows');
  assert.equal(trend.points, count);
});

test('what never changes has no trend, whatever its digits', () => {
  for (const value of [0, 0.1, 1 / 3, 123_456.789]) assert.equal(trendOf(series(() => value)).verdict, 'none');
});

test('the standard error is that of the textbook', () => {
  // Anscombe's first quartet: 3.0001 + 0.5001 x, standard error of the slope 0.1179.
  const hours = [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
  const values = [4.26, 5.68, 7.24, 4.82, 6.95, 8.81, 8.04, 8.33, 10.84, 7.58, 9.96];

  const trend = trendOf(hours.map((each, index) => ({ hours: each, value: values[index] ?? 0, segment: 'all' })));

  assertNear(trend.slope_per_hour, 0.5001, 0.0001);
  assertNear(trend.standard_error, 0.1179, 0.0001);
  assert.equal(trend.verdict, 'grows');
});

test('noise alone is hardly ever called a trend, and a slope of several times its error always is', () => {
  const random = seededRandom(20_261_121);
  const verdicts = { still: 0, rising: 0 };

  for (let round = 0; round < 400; round += 1) {
    if (trendOf(series(() => noise(random))).verdict === 'none') verdicts.still += 1;
    if (trendOf(series((hours) => 8 * hours + noise(random))).verdict === 'grows') verdicts.rising += 1;
  }

  // The error of such a slope is about 0.96 an hour.
  assert.ok(verdicts.still >= 394, `${verdicts.still} of 400 have no trend`);
  assert.ok(verdicts.rising >= 396, `${verdicts.rising} of 400 grow`);
});

test('what resembles the value before it is not taken for so many independent ones', () => {
  const random = seededRandom(20_261_122);
  let still = 0;

  for (let round = 0; round < 400; round += 1) {
    let last = 0;
    const wandering = series(() => {
      last = 0.7 * last + noise(random);
      return last;
    });
    if (trendOf(wandering).verdict === 'none') still += 1;
  }

  assert.ok(still >= 376, `${still} of 400 have no trend`);
});

test('a step between segments is no trend, and a slope in both is', () => {
  const half = (index: number): string => (index < count / 2 ? 'before' : 'after');
  const step = (index: number): number => (index < count / 2 ? 100 : 300);

  const stepped = trendOf(series((_hours, index) => step(index) + (index % 2), half));
  const sloped = trendOf(series((hours, index) => step(index) + (index % 2) + 50 * hours, half));

  assert.equal(stepped.verdict, 'none');
  assert.equal(sloped.verdict, 'grows');
  assertNear(sloped.slope_per_hour, 50, 2);
  assertNear(sloped.robust_slope_per_hour, 50, 2);
});

test('a single outlier does not move the robust slope, and makes no trend', () => {
  const trend = trendOf(series((_hours, index) => (index === count - 1 ? 10_000 : index % 3)));

  assertNear(trend.robust_slope_per_hour, 0, 0.5);
  assert.equal(trend.verdict, 'none');
});

test('outliers that become more frequent are no trend of a series that is otherwise still', () => {
  const late = (index: number): number => (index >= 20 && index % 3 === 2 ? (index - 15) ** 2 : 0);

  const { slope_per_hour, standard_error, verdict } = trendOf(series((_hours, index) => late(index)));

  assert.ok((slope_per_hour ?? 0) > 3 * (standard_error ?? 0), 'least squares alone would call it growth');
  assert.equal(verdict, 'none');
});

test('what becomes less falls', () => {
  const trend = trendOf(series((hours, index) => 500 - 40 * hours + (index % 2)));

  assert.equal(trend.verdict, 'falls');
});

test('a few points, one or none are too short for a verdict', () => {
  for (const points of [0, 1, 2, 3, 9]) {
    assert.equal(trendOf(series((hours) => hours).slice(0, points)).verdict, 'too_short', `${points} points`);
  }
});
