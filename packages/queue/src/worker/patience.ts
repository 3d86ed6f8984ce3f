/**
 * How long a stopping worker waits for its handlers: first for all of them, then for those that it has asked to give
 * up. Whoever asks again may shorten both times and never lengthen them.
 */
import type { Clock } from './clock.ts';
import { Latch } from './latch.ts';
import { Wakes } from './wakes.ts';

/** Both times in milliseconds from now. */
export interface PatienceTimes {
  /** Until running handlers are aborted. */
  readonly softAfterMs: number;
  /** Until those that have not ended are left behind. */
  readonly hardAfterMs: number;
}

/** The patience of one worker. */
export class Patience {
  readonly #wakes: Wakes;
  readonly #soft = new Latch();
  readonly #hard = new Latch();
  #isOver = false;

  constructor(clock: Clock) {
    this.#wakes = new Wakes(clock);
  }

  /** Resolves when handlers are to be aborted. */
  get softEnd(): Promise<void> {
    return this.#soft.opened;
  }

  /** Resolves when handlers are to be left. */
  get hardEnd(): Promise<void> {
    return this.#hard.opened;
  }

  /** Waits no longer than this. */
  shorten({ softAfterMs, hardAfterMs }: PatienceTimes): void {
    if (this.#isOver) return;
    this.#wakes.at('soft', softAfterMs, () => this.#soft.open());
    this.#wakes.at('hard', hardAfterMs, () => this.#hard.open());
  }

  /** Nobody is waited for any more. */
  clear(): void {
    this.#isOver = true;
    this.#wakes.clear();
  }
}
