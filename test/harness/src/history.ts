/**
 * Remembers what was asked of objects and what was answered, and judges whether what is read could be. It sends nothing
 * by itself. Invariant: a name is a register; whatever is read was written, was not yet replaced by an acknowledged
 * write when the reading began, and of an unacknowledged write there is all or nothing.
 */
import { createHash } from 'node:crypto';

/** SHA-256 in hex of the bytes that a name has, or `absent`. */
export type Content = string;

export const absent: Content = 'absent';

/** The content that some bytes are. */
export function contentOf(bytes: Uint8Array | string): Content {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What became of a request: refused ones changed nothing, of unknown ones nobody knows. */
export type Outcome = 'acknowledged' | 'refused' | 'unknown';

interface Entry {
  readonly name: string;
  readonly kind: 'write' | 'create' | 'read';
  readonly content: Content;
  readonly began: number;
  readonly ended: number;
  readonly outcome: Outcome;
}

/** What an answer says: 2xx was done, 4xx was not, and everything else is unknown. */
export function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return 'acknowledged';
  return status >= 400 && status < 500 ? 'refused' : 'unknown';
}

/** The operations of one run, on names that were absent before. */
export class History {
  readonly #entries: Entry[] = [];
  #now = 0;

  /** Records a write of some bytes; `create` is one that must not replace. Rejects as the operation does. */
  async write(
    name: string,
    content: Content,
    operation: () => Promise<Outcome>,
    kind: 'write' | 'create' = 'write',
  ): Promise<Outcome> {
    const began = this.#tick();
    let outcome: Outcome = 'unknown';
    try {
      outcome = await operation();
      return outcome;
    } finally {
      const ended = outcome === 'unknown' ? Number.POSITIVE_INFINITY : this.#tick();
      this.#entries.push({ name, kind, content, began, ended, outcome });
    }
  }

  /** Records a delete. */
  delete(name: string, operation: () => Promise<Outcome>): Promise<Outcome> {
    return this.write(name, absent, operation);
  }

  /** Records what was read; an operation that answers undefined read nothing that counts. */
  async read(name: string, operation: () => Promise<Content | undefined>): Promise<Content | undefined> {
    const began = this.#tick();
    const content = await operation();
    if (content !== undefined) {
      this.#entries.push({ name, kind: 'read', content, began, ended: this.#tick(), outcome: 'acknowledged' });
    }
    return content;
  }

  /** Every name that anything was asked of. */
  get names(): readonly string[] {
    return [...new Set(this.#entries.map(({ name }) => name))];
  }

  /** What a name may have now. */
  possible(name: string): ReadonlySet<Content> {
    return this.#possible(name, this.#now + 1, Number.POSITIVE_INFINITY);
  }

  /** What is wrong with what was read and with who won, one sentence each. */
  contradictions(): readonly string[] {
    const found: string[] = [];
    for (const entry of this.#entries.filter(({ kind }) => kind === 'read')) {
      if (this.#possible(entry.name, entry.began, entry.ended).has(entry.content)) continue;
      found.push(`${entry.name}: ${entry.content.slice(0, 12)} was read, which it could not have been`);
    }
    for (const name of this.names) {
      const winners = this.#of(name).filter(({ kind, outcome }) => kind === 'create' && outcome === 'acknowledged');
      const hasDeletes = this.#of(name).some(({ content, outcome }) => content === absent && outcome !== 'refused');
      if (winners.length > 1 && !hasDeletes) found.push(`${name}: ${winners.length} creations won`);
    }
    return found;
  }

  /** A content is possible unless an acknowledged write came wholly between the one that wrote it and the reading. */
  #possible(name: string, began: number, ended: number): ReadonlySet<Content> {
    const writes = this.#of(name).filter(({ kind, outcome }) => kind !== 'read' && outcome !== 'refused');
    const acknowledged = writes.filter(({ outcome }) => outcome === 'acknowledged');
    const isReplaced = (at: number): boolean => acknowledged.some((each) => each.began > at && each.ended < began);
    const possible = writes.filter((each) => each.began < ended && !isReplaced(each.ended));
    const contents = new Set(possible.map(({ content }) => content));
    if (!isReplaced(0)) contents.add(absent);
    return contents;
  }

  #of(name: string): readonly Entry[] {
    return this.#entries.filter((entry) => entry.name === name);
  }

  #tick(): number {
    this.#now += 1;
    return this.#now;
  }
}
