/**
 * Which rows of a listing are chosen: some by their names, or all but some. It knows neither the page nor the service.
 * Invariant: what is chosen stays chosen when rows come, go or change their places.
 */
import type { Entry } from '@rowlock/client';

/** A folder and a file may have the same name. */
function keyOf(entry: Pick<Entry, 'name' | 'id'>): string {
  return entry.id === null ? `${entry.name}/` : entry.name;
}

export class Selection {
  #isAll = false;
  /** The chosen rows; with `isAll` those that are not. */
  #named: Map<string, Entry> = new Map();
  #anchor = 0;

  /** Whether everything is chosen but what was taken out. */
  get isAll(): boolean {
    return this.#isAll;
  }

  /** Where a range that is extended begins. */
  get anchor(): number {
    return this.#anchor;
  }

  has(entry: Entry): boolean {
    return this.#named.has(keyOf(entry)) !== this.#isAll;
  }

  /** How many are chosen of a listing with so many rows. */
  count(total: number): number {
    return this.#isAll ? Math.max(0, total - this.#named.size) : this.#named.size;
  }

  /** Chooses a row, or not any more. */
  toggle(entry: Entry, index: number): void {
    this.#anchor = index;
    const key = keyOf(entry);
    if (!this.#named.delete(key)) {
      this.#named.set(key, entry);
    }
  }

  /** Chooses one range alone, from the anchor. */
  extend(entries: readonly Entry[]): void {
    this.#isAll = false;
    this.#named = new Map(entries.map((entry) => [keyOf(entry), entry]));
  }

  all(): void {
    this.#isAll = true;
    this.#named = new Map();
  }

  clear(): void {
    this.#isAll = false;
    this.#named = new Map();
  }

  startAt(index: number): void {
    this.#anchor = index;
  }

  /** The chosen rows, of a listing that is only read where all are chosen. */
  async entries(everything: () => AsyncIterable<Entry>): Promise<readonly Entry[]> {
    if (!this.#isAll) {
      return [...this.#named.values()];
    }
    const chosen: Entry[] = [];
    for await (const entry of everything()) {
      if (this.has(entry)) {
        chosen.push(entry);
      }
    }
    return chosen;
  }
}
