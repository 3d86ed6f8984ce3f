/**
 * Tells whether a series grows: a line fitted by least squares, its standard error, and the median of all slopes between
 * two points, which outliers cannot move. Pure arithmetic: what was measured, and when, is for others.
 */
import { spreadOf } from '../../../bench/dist/measure/statistics.js';

/** One value of a series. All points of a segment share a level; levels of segments may differ, slopes may not. */
export interface Point {
  readonly hours: number;
  readonly value: number;
  readonly segment: string;
}

/** `none` is within noise; `too_short` has fewer points than a verdict needs. */
export type Verdict = 'none' | 'grows' | 'falls' | 'too_short';

export interface Trend {
  readonly points: number;
  /** By least squares; null without points. */
  readonly slope_per_hour: number | null;
  readonly standard_error: number | null;
  /** By Theil and Sen. */
  readonly robust_slope_per_hour: number | null;
  readonly verdict: Verdict;
}

const pointsMin = 10;
/** A slope within so many standard errors is noise: of 370 quantities that do not change, one is called otherwise. */
const errorsMin = 3;
/** What follows itself more closely than this says nothing about its noise. */
const autocorrelationMax = 0.95;

/** Fits one slope to points in the order of their times. */
export function trendOf(points: readonly Point[]): Trend {
  const names = [...new Set(points.map(({ segment }) => segment))];
  const segments = names.map((name) => points.filter(({ segment }) => segment === name));
  const fitted = leastSquares(segments.map(centred));
  const robust = theilSen(segments);
  if (fitted === undefined || robust === undefined) {
    return { points: points.length, ...noSlope, verdict: 'too_short' };
  }
  return {
    points: points.length,
    slope_per_hour: fitted.slope,
    standard_error: fitted.error,
    robust_slope_per_hour: robust,
    verdict: points.length < pointsMin ? 'too_short' : verdictOf(fitted, robust),
  };
}

const noSlope = { slope_per_hour: null, standard_error: null, robust_slope_per_hour: null } as const;

interface Fit {
  readonly slope: number;
  readonly error: number;
}

/** Both ways of fitting must say the same, so that neither a few outliers nor a single step is called growth. */
function verdictOf({ slope, error }: Fit, robust: number): Verdict {
  const isNoise = Math.abs(slope) <= errorsMin * error || Math.sign(robust) !== Math.sign(slope);
  if (isNoise) return 'none';
  return slope > 0 ? 'grows' : 'falls';
}

interface Deviation {
  readonly hours: number;
  readonly value: number;
}

/** Deviations from the means of a segment, by which its level no longer counts. */
function centred(segment: readonly Point[]): readonly Deviation[] {
  const mean = (pick: (point: Point) => number): number => sum(segment.map(pick)) / segment.length;
  const [hours, value] = [mean((point) => point.hours), mean((point) => point.value)];
  return segment.map((point) => ({ hours: point.hours - hours, value: point.value - value }));
}

/** Undefined where there is too little to fit a line and an error to. */
function leastSquares(segments: readonly (readonly Deviation[])[]): Fit | undefined {
  const all = segments.flat();
  const freedom = all.length - segments.length - 1;
  const spread = sum(all.map(({ hours }) => hours ** 2));
  if (freedom < 1 || spread === 0) return undefined;
  const slope = sum(all.map(({ hours, value }) => hours * value)) / spread;
  const residuals = segments.map((segment) => segment.map(({ hours, value }) => value - slope * hours));
  const squares = sum(residuals.flat().map((residual) => residual ** 2));
  const error = Math.sqrt(squares / freedom / spread);
  return { slope, error: error * inflation(residuals, squares) };
}

/**
 * By how much a standard error is too small where each value resembles the one before it: with a correlation of r
 * between neighbours, n values say as much as n (1 - r) / (1 + r) that do not.
 */
function inflation(residuals: readonly (readonly number[])[], squares: number): number {
  if (squares === 0) return 1;
  const neighbours = residuals.flatMap((segment) =>
    segment.slice(1).map((residual, before) => residual * (segment[before] ?? 0)),
  );
  const correlation = Math.min(Math.max(sum(neighbours) / squares, 0), autocorrelationMax);
  return Math.sqrt((1 + correlation) / (1 - correlation));
}

/** The median of the slopes between any two points of one segment. */
function theilSen(segments: readonly (readonly Point[])[]): number | undefined {
  const slopes = segments.flatMap((segment) =>
    segment.flatMap((one, index) =>
      segment
        .slice(index + 1)
        .filter((other) => other.hours !== one.hours)
        .map((other) => (other.value - one.value) / (other.hours - one.hours)),
    ),
  );
  return slopes.length === 0 ? undefined : spreadOf(slopes).median;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
