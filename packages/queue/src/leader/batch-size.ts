/**
 * How many rows a duty takes at once: as many as usual, until the server turns out to be too slow for that. A pure
 * state machine; River's rule: after three timeouts within ten minutes a tenth, for as long as the term lasts.
 */
import { sqlState } from '../worker/sql-failure.ts';

const usual = 10_000;
const reduced = 1000;
const timeoutsMax = 3;
const windowMs = 10 * 60_000;

/** River's limit for a statement of a duty, in milliseconds. */
export const dutyTimeoutMs = 30_000;

/** The size of a duty's batches. */
export class BatchSize {
  #timeouts: readonly number[] = [];
  #isReduced = false;

  get rows(): number {
    return this.#isReduced ? reduced : usual;
  }

  /** A batch has failed; `now` is monotonic. Only timeouts count. */
  failed(error: unknown, now: number): void {
    if (!isTimeout(error)) return;
    this.#timeouts = [...this.#timeouts.filter((at) => now - at < windowMs), now];
    if (this.#timeouts.length >= timeoutsMax) this.#isReduced = true;
  }
}

/** The server says 57014; the driver says this when it gives up waiting. */
function isTimeout(error: unknown): boolean {
  if (sqlState(error) === '57014') return true;
  return error instanceof Error && /query read timeout/i.test(error.message);
}
