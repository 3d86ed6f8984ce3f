/**
 * When a failed job runs again: River's default policy. It knows nothing of jobs beyond how often they failed.
 */

/** The longest that River waits: the greatest number of nanoseconds in 64 bits, some 292 years. */
export const retrySecondsMax: number = (2 ** 63 - 1) / 1e9;

/**
 * Returns the seconds until the next attempt: n⁴, give or take a tenth, where n is the number of failures now.
 *
 * `errorCount` is how many attempts had failed before this one; `random` returns numbers in [0, 1). From the 310th
 * failure on, n⁴ seconds are more than fit, and the answer is the maximum without jitter. The formula is that of
 * River's default client retry policy.
 */
export function retrySeconds(errorCount: number, random: () => number): number {
  const base = (errorCount + 1) ** 4;
  if (base >= retrySecondsMax) return retrySecondsMax;
  return Math.min(base * (0.9 + 0.2 * random()), retrySecondsMax);
}
