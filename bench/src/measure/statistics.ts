/** Medians, percentiles and ratios. Pure arithmetic: where numbers come from and what they mean is for others. */

/** The value below which a share of sorted numbers lies. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Median, least and greatest of values in any order. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/**
 * How good ours is beside another's: 1 is as good, 2 twice as good, 0.5 half as good, whether more or less is better.
 * The median is of the medians; least and greatest are of the rounds, each beside the other's of the same round.
 */
export function ratioOf(ours: readonly number[], others: readonly number[], better: 'higher' | 'lower'): Spread {
  const of = (mine: number, theirs: number): number => (better === 'higher' ? mine / theirs : theirs / mine);
  const pairs = ours.flatMap((value, round) => (others[round] === undefined ? [] : [of(value, others[round])]));
  return { ...spreadOf(pairs), median: of(spreadOf(ours).median, spreadOf(others).median) };
}

/** Percentiles of durations in milliseconds, in any order. */
export function latenciesOf(durations: readonly number[]): {
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
} {
  const sorted = durations.toSorted((a, b) => a - b);
  return {
    p50_ms: percentile(sorted, 0.5),
    p95_ms: percentile(sorted, 0.95),
    p99_ms: percentile(sorted, 0.99),
  };
}
