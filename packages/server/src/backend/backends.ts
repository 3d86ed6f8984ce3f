/**
 * The stores of one process, by name. Each version says which one has its bytes; new bytes go to the first, unless somebody
 * says otherwise. It opens nothing and moves nothing. Invariant: a name means the same store for as long as it is there.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { Backend } from './backend.ts';

/** Backends under their names, at least one. */
export class Backends implements Iterable<Backend> {
  /** Where new bytes go as a rule. */
  readonly default: Backend;
  readonly #byName: ReadonlyMap<string, Backend>;

  /** @throws TypeError for two of one name */
  constructor(first: Backend, ...others: readonly Backend[]) {
    const all = [first, ...others];
    this.default = first;
    this.#byName = new Map(all.map((backend) => [backend.name, backend]));
    if (this.#byName.size < all.length) {
      throw new TypeError(`Two backends have the same name: ${all.map(({ name }) => name).join(', ')}`);
    }
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  get size(): number {
    return this.#byName.size;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** The backend of a name. @throws RowlockError `unavailable` where this process has none of that name */
  of(name: string): Backend {
    const found = this.#byName.get(name);
    if (found === undefined) {
      throw new RowlockError('unavailable', 'The bytes are on a backend that this server does not have', {
        cause: new Error(`there is no backend "${name}" among ${this.names.join(', ')}: configure it`),
      });
    }
    return found;
  }

  [Symbol.iterator](): Iterator<Backend> {
    return this.#byName.values();
  }

  /** Closes all. */
  async close(): Promise<void> {
    await Promise.all([...this].map((backend) => backend.close()));
  }
}
