/**
 * Shares out memory among jobs that say beforehand what they will take. It measures nothing: what a job really takes is
 * watched where it runs. Invariant: what is granted is within the budget, but for one job at a time, which may always run.
 */

/** What a job holds, until it is released. */
export interface Grant {
  /** Waits until it holds so many bytes in all. @throws the signal's reason */
  grow(bytes: number, signal: AbortSignal): Promise<void>;
  /** Idempotent. */
  release(): void;
}

interface Waiting {
  /** Beyond what its holder has. */
  readonly bytes: number;
  readonly proceed: () => void;
}

/** A budget of bytes. */
export class MemoryBudget {
  readonly #bytes: number;
  readonly #entering: Waiting[] = [];
  readonly #growing: Waiting[] = [];
  #used = 0;
  #holders = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Waits for memory, after those who came before. @throws the signal's reason */
  async acquire(bytes: number, signal?: AbortSignal): Promise<Grant> {
    await this.#wait(this.#entering, bytes, signal);
    let held = bytes;
    let isReleased = false;
    return {
      grow: async (whole, growSignal) => {
        if (whole <= held) return;
        await this.#wait(this.#growing, whole - held, growSignal);
        held = whole;
      },
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#used -= held;
        this.#holders -= 1;
        this.#proceed();
      },
    };
  }

  async #wait(line: Waiting[], bytes: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    let leave = (): void => undefined;
    const turn = new Promise<void>((resolve, reject) => {
      const waiting: Waiting = { bytes, proceed: resolve };
      line.push(waiting);
      leave = () => {
        const at = line.indexOf(waiting);
        if (at < 0) return; // it was granted, and its holder will see the signal
        line.splice(at, 1);
        reject(signal?.reason);
        this.#proceed();
      };
    });
    signal?.addEventListener('abort', leave, { once: true });
    this.#proceed();
    try {
      await turn;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Lets those in who fit: first who holds memory already, so that nobody waits for who waits for them. */
  #proceed(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#used += next.bytes;
      next.proceed();
    }
  }

  #next(): Waiting | undefined {
    const fits = ({ bytes }: Waiting): boolean => this.#used + bytes <= this.#bytes;
    const [growing] = this.#growing;
    if (growing !== undefined) {
      return fits(growing) || this.#growing.length === this.#holders ? this.#growing.shift() : undefined;
    }
    const [entering] = this.#entering;
    if (entering === undefined || !(fits(entering) || this.#holders === 0)) return undefined;
    this.#holders += 1;
    return this.#entering.shift();
  }
}
