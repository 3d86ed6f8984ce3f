/**
 * How many pictures are rendered at once, and how many wait for their turn: whoever comes beyond that is told to come
 * again. It renders nothing. Invariant: each turn that was given is given back once.
 */
import { RowlockError } from '@rowlock/client/contract';

export interface RenderLineLimits {
  readonly atOnce: number;
  readonly waitingMax: number;
}

/** A line in the order of arrival. */
export class RenderLine {
  readonly #limits: RenderLineLimits;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limits: RenderLineLimits) {
    this.#limits = limits;
  }

  /**
   * Resolves with what ends the turn, when it has come. `share`: how much of the line there is for this one, 0 to 1.
   *
   * @throws RowlockError `unavailable` where too many wait; the signal's reason, for who leaves while waiting
   */
  async turn(signal: AbortSignal, share = 1): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#running >= this.#limits.atOnce) {
      await this.#wait(signal, this.#limits.waitingMax * share);
    } else {
      this.#running += 1;
    }
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#next();
    };
  }

  /** A turn goes from who ends it to who waits, so that nobody comes between. */
  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }

  async #wait(signal: AbortSignal, waitingMax: number): Promise<void> {
    if (this.#waiting.length >= waitingMax) {
      throw new RowlockError('unavailable', 'Too many pictures are rendered at once; try again', {
        retryAfterSeconds: 2,
      });
    }
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(signal.reason);
      };
      const begin = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(begin);
    });
  }
}
