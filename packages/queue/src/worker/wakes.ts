/** Named timers, at most one of each name. It knows nothing of what they are for. */
import type { Clock } from './clock.ts';

interface Wake {
  readonly at: number;
  readonly cancel: () => void;
}

/** The timers of one owner. */
export class Wakes {
  readonly #clock: Clock;
  readonly #wakes = new Map<string, Wake>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back after a span; a timer of the same name that would have fired later is replaced, an earlier one stays. */
  at(name: string, ms: number, callback: () => void): void {
    const at = this.#clock.monotonic() + ms;
    const before = this.#wakes.get(name);
    if (before !== undefined && before.at <= at) return;
    before?.cancel();
    const cancel = this.#clock.after(Math.ceil(ms), () => {
      this.#wakes.delete(name);
      callback();
    });
    this.#wakes.set(name, { at, cancel });
  }

  cancel(name: string): void {
    this.#wakes.get(name)?.cancel();
    this.#wakes.delete(name);
  }

  clear(): void {
    for (const name of [...this.#wakes.keys()]) this.cancel(name);
  }
}
