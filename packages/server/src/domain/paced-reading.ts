/**
 * Paces a parser that reads memory: between its reads it lets others run, and when its time is up the next read fails.
 * It knows no format. Invariant: between two turns of the event loop lie a slice and one step of the parser, however
 * many reads hostile bytes ask for.
 */
import { setImmediate as turn } from 'node:timers/promises';

/** The methods that every read of a parser goes through. */
interface Readings {
  readBuffer(...args: never): Promise<number>;
  peekBuffer(...args: never): Promise<number>;
}

export interface Pace {
  /** How long it may read before others have their turn, in milliseconds. */
  readonly sliceMs: number;
  /** How long it may read in all, in milliseconds; the turns of others do not count. */
  readonly timeoutMs: number;
}

/** Paces a tokenizer in place, from now on. */
export function paceReading(tokenizer: Readings, { sliceMs, timeoutMs }: Pace): void {
  let spentMs = 0;
  let sliceBegun = performance.now();
  /** A promise only where there is something to wait for: a parser reads thousands of times. */
  const pause = (): Promise<void> | undefined => {
    const sliceSpent = performance.now() - sliceBegun;
    if (spentMs + sliceSpent >= timeoutMs) return Promise.reject(new Error('reading took too long'));
    if (sliceSpent < sliceMs) return undefined;
    spentMs += sliceSpent;
    return turn().then(() => {
      sliceBegun = performance.now();
    });
  };
  for (const name of ['readBuffer', 'peekBuffer'] as const) {
    const read = tokenizer[name].bind(tokenizer);
    tokenizer[name] = (...args) => pause()?.then(() => read(...args)) ?? read(...args);
  }
}
