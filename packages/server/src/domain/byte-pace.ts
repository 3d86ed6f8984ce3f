/**
 * Paces reading to so many bytes a second, over however many readers share it. It reads nothing itself. Invariant: over
 * any stretch of time at most the rate passes, and what was taken last.
 */
import { setTimeout as after } from 'node:timers/promises';

export interface ByteClock {
  /** Milliseconds that only go up. */
  now(): number;
  /** Resolves after so many milliseconds; rejects with the signal's reason. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

const realClock: ByteClock = {
  now: () => performance.now(),
  wait: async (ms, signal) => await after(ms, undefined, { signal }),
};

/** Shared by those who read. */
export class BytePace {
  readonly #bytesPerSecond: number;
  readonly #clock: ByteClock;
  #freeAtMs = Number.NEGATIVE_INFINITY;

  /** `bytesPerSecond` may be Infinity: nobody waits. */
  constructor(bytesPerSecond: number, clock: ByteClock = realClock) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#clock = clock;
  }

  /** Resolves when those bytes' time has passed. @throws the signal's reason */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#bytesPerSecond === Number.POSITIVE_INFINITY) return;
    const now = this.#clock.now();
    this.#freeAtMs = Math.max(now, this.#freeAtMs) + (bytes / this.#bytesPerSecond) * 1000;
    const waitMs = this.#freeAtMs - now;
    if (waitMs >= 1) await this.#clock.wait(waitMs, signal);
  }
}
