/**
 * Waits for what a real worker reports, for tests that would else sleep and hope. It changes nothing in the worker: it
 * is what the worker is given as `observe`.
 */
import type { Observation, Observe } from '../worker/observation.ts';

type Of<E extends Observation['event']> = Extract<Observation, { readonly event: E }>;

/** What to wait for. */
export interface WaitOptions<E extends Observation['event']> {
  /** Only an observation that fits. Default: any of the event. */
  readonly fits?: (observation: Of<E>) => boolean;
  /** Default 10 s. */
  readonly timeoutMs?: number;
}

/** The signals of a worker: `new Worker({ …, observe: signals.observe })`. */
export class WorkerSignals {
  readonly #observed: Observation[] = [];
  readonly #watchers = new Set<() => void>();

  /** Takes what the worker observes. */
  readonly observe: Observe = (observation) => {
    this.#observed.push(observation);
    for (const watcher of [...this.#watchers]) watcher();
  };

  /** Everything so far, in order. */
  get observed(): readonly Observation[] {
    return this.#observed;
  }

  /**
   * Resolves with the first observation of an event that fits, whether it has been made or will be.
   *
   * Fails when the time is over; the message lists what was observed.
   */
  async waitFor<E extends Observation['event']>(event: E, options: WaitOptions<E> = {}): Promise<Of<E>> {
    const { fits = () => true, timeoutMs = 10_000 } = options;
    const isWanted = (one: Observation): one is Of<E> => one.event === event && fits(one as Of<E>);
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(look);
        const lines = this.#observed.map((one) => `  ${JSON.stringify(one)}`);
        reject(new Error(`Waited ${timeoutMs} ms in vain for ${event}; observed:\n${lines.join('\n')}`));
      }, timeoutMs);
      const look = (): void => {
        const found = this.#observed.find(isWanted);
        if (found === undefined) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve(found);
      };
      this.#watchers.add(look);
      look();
    });
  }
}
