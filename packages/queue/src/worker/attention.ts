/**
 * Whether a queue's worker sleeps until told or looks for itself. A notification costs every commit of the server
 * something, so a worker that finds jobs all the time says that it need not be told, and looks every few milliseconds
 * instead. A pure state machine: it is told what happened and when, and keeps no timers.
 */

/** Finds closer together than this are one streak: a hundred jobs a second. */
const streakGapMs = 10;
/** How long a streak, or having no free slot, lasts before the worker looks for itself; and finding nothing, before it sleeps. */
const settledMs = 250;
const lookMs = { first: 5, most: 50 } as const;
/** Looks in vain that follow each other at once before they are spaced out: anybody can send notifications. */
const freeMisses = 3;
const missGapMs = 100;

/** The attention of one queue's worker. All times are monotonic, in milliseconds. */
export class Attention {
  #isHot = false;
  #streakStart = Number.NEGATIVE_INFINITY;
  #lastFind = Number.NEGATIVE_INFINITY;
  #lastFetch = Number.NEGATIVE_INFINITY;
  #misses = 0;
  #wasFull = false;

  /** Whether it looks for itself. */
  get isHot(): boolean {
    return this.#isHot;
  }

  /** A fetch has found jobs; `isFull` when it found as many as it asked for, so that there may be more. */
  found(now: number, isFull: boolean): void {
    if (now - this.#lastFind > streakGapMs && !this.#wasFull) this.#streakStart = now;
    this.#wasFull = isFull;
    this.#lastFind = now;
    this.#lastFetch = now;
    this.#misses = 0;
    if (now - this.#streakStart >= settledMs) this.#isHot = true;
  }

  /** A fetch has found nothing. */
  missed(now: number): void {
    this.#misses = !this.#isHot && now - this.#lastFetch > missGapMs ? 1 : this.#misses + 1;
    this.#lastFetch = now;
    this.#wasFull = false;
    if (now - this.#lastFind >= settledMs) this.#isHot = false;
  }

  /** There has been no free slot for a while. */
  saturated(now: number): void {
    this.#isHot = true;
    this.#lastFind = now;
  }

  /** How long a worker that looks for itself waits before the next look. */
  get lookDelayMs(): number {
    return Math.min(lookMs.first * 2 ** Math.max(this.#misses - 1, 0), lookMs.most);
  }

  /** How long a fetch must still wait after several in vain; usually not at all. */
  cooldownMs(now: number): number {
    if (this.#isHot || this.#misses < freeMisses) return 0;
    const gap = Math.min(2 ** (this.#misses - freeMisses), lookMs.most);
    return Math.max(0, this.#lastFetch + gap - now);
  }

  /** How long having no free slot must last to count. */
  static readonly saturationMs: number = settledMs;
}
