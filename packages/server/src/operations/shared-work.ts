/**
 * Work that several wait for and one does: whoever asks for the same again joins it. It knows nothing of the work.
 * Invariants: of one name there is one at a time; who leaves ends it only where nobody else waits and it has not begun.
 */

/** What the work is told. */
export interface SharedWork {
  /** Aborted when nobody waits for it any more; of no effect once it has begun. */
  readonly abandoned: AbortSignal;
  /** From here on it goes to its end, whoever leaves. */
  begun(): void;
}

interface Underway<Result> {
  readonly done: Promise<Result>;
  readonly abandon: AbortController;
  waiting: number;
  hasBegun: boolean;
}

/** Works by their names. */
export class SharedWorks<Result> {
  readonly #underway: Map<string, Underway<Result>> = new Map();

  /** How many are being done. */
  get size(): number {
    return this.#underway.size;
  }

  /** Does the work, or joins whoever does it. Rejects with the signal's reason for who leaves, and for nobody else. */
  async join(name: string, work: (shared: SharedWork) => Promise<Result>, signal: AbortSignal): Promise<Result> {
    signal.throwIfAborted();
    const underway = this.#underway.get(name) ?? this.#start(name, work);
    underway.waiting += 1;
    let leave: (() => void) | undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal.reason);
      signal.addEventListener('abort', leave, { once: true });
    });
    try {
      return await Promise.race([underway.done, left]);
    } finally {
      if (leave !== undefined) signal.removeEventListener('abort', leave);
      underway.waiting -= 1;
      if (underway.waiting === 0 && !underway.hasBegun) {
        this.#forget(name, underway);
        underway.abandon.abort(new Error('nobody waits for it'));
      }
    }
  }

  /** Resolves when everything that is being done has ended, well or not. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#underway.values()].map(({ done }) => done));
  }

  #start(name: string, work: (shared: SharedWork) => Promise<Result>): Underway<Result> {
    const abandon = new AbortController();
    const begun = (): void => {
      underway.hasBegun = true;
    };
    const done = Promise.resolve().then(() => work({ abandoned: abandon.signal, begun }));
    const underway: Underway<Result> = { done, abandon, waiting: 0, hasBegun: false };
    this.#underway.set(name, underway);
    const forget = (): void => this.#forget(name, underway);
    done.then(forget, forget);
    return underway;
  }

  #forget(name: string, underway: Underway<Result>): void {
    if (this.#underway.get(name) === underway) this.#underway.delete(name);
  }
}
