/**
 * Time as a worker sees it, so that tests can bring their own. What two processes must agree on is not measured by it:
 * that is always the database's clock.
 */

/** A clock. All times and spans are in milliseconds. */
export interface Clock {
  /** Wall-clock time since the epoch; it may jump. */
  now(): number;
  /** Time that only ever goes forward, from an arbitrary beginning. */
  monotonic(): number;
  /** Calls back once after a span, and returns what prevents it. */
  after(ms: number, callback: () => void): () => void;
}

/** The longest span that Node's timers take; more would fire at once. */
const timerMsMax = 2 ** 31 - 1;

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(Math.max(ms, 0), timerMsMax));
    return () => clearTimeout(timer);
  },
};
