/**
 * One term of leadership, as the process that leads sees it: which it is, and whether it may still be relied on. It
 * asks the database nothing. It ends before the database would give the lead to somebody else, even when nothing can
 * be heard from there any more; once ended it never begins again.
 */
import type { LeaderTerm } from '../statements/leader.ts';
import type { Clock } from '../worker/clock.ts';

/** A term of this process. */
export class Term {
  readonly row: LeaderTerm;
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  #trustedUntil: number;

  constructor(clock: Clock, row: LeaderTerm, trustedUntil: number) {
    this.#clock = clock;
    this.row = row;
    this.#trustedUntil = trustedUntil;
  }

  /** Whether this process leads now. What a leader does, it does only while this is true. */
  get isCurrent(): boolean {
    return !this.#ended.signal.aborted && this.#clock.monotonic() < this.#trustedUntil;
  }

  /** Aborted when the term has ended. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Milliseconds until it ends by itself. */
  get leftMs(): number {
    return this.#trustedUntil - this.#clock.monotonic();
  }

  /** It was renewed; times are monotonic. */
  prolong(trustedUntil: number): void {
    this.#trustedUntil = Math.max(this.#trustedUntil, trustedUntil);
  }

  end(): void {
    this.#ended.abort();
  }
}
