/**
 * Tries again what a store answered with "not now", where trying again can do no harm. A put is never repeated, since
 * its source is gone, and `check` never, since it is asked for the truth. Invariant: at most so many attempts, within so
 * long; and what comes out in the end is what the store said last.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isRowlockError } from '@rowlock/client/contract';
import type {
  Backend,
  ByteRange,
  ForeignEntry,
  GetResult,
  HeadResult,
  ListedObject,
  ListOptions,
  WalkOptions,
} from '../backend.ts';
import { PassingBackend } from './passing-backend.ts';

export interface RetryOptions {
  /** With the first one. Default: 4. */
  readonly attemptsMax?: number;
  /** The first wait is a random time up to this, and each next one up to twice as long. Default: 100. */
  readonly firstWaitMs?: number;
  /** All waits of one call together; also where a store asks for more. Default: 10,000. */
  readonly waitMsMax?: number;
  /** From 0 to 1; by tests. */
  readonly random?: () => number;
  /** By tests. */
  readonly wait?: (ms: number) => Promise<unknown>;
}

/** Wraps a backend. */
export class RetryingBackend extends PassingBackend {
  readonly #options: Required<RetryOptions>;

  constructor(inner: Backend, options: RetryOptions = {}) {
    super(inner);
    this.#options = {
      attemptsMax: 4,
      firstWaitMs: 100,
      waitMsMax: 10_000,
      random: Math.random,
      wait: delay,
      ...options,
    };
  }

  /** Opens again; a stream that breaks while it is read is its reader's to open behind what it has. */
  override async get(key: string, range?: ByteRange): Promise<GetResult> {
    return await this.#again(() => this.inner.get(key, range));
  }

  override async head(key: string): Promise<HeadResult | undefined> {
    return await this.#again(() => this.inner.head(key));
  }

  /** Where the first answer was lost, tells what the last attempt found: false although there was one. */
  override async delete(key: string): Promise<boolean> {
    return await this.#again(() => this.inner.delete(key));
  }

  override async removeUnfinished(olderThanMs: number, kept?: ReadonlySet<string>): Promise<number> {
    return await this.#again(() => this.inner.removeUnfinished(olderThanMs, kept));
  }

  override async *list(options: ListOptions = {}): AsyncGenerator<ListedObject, void> {
    const { prefix = '' } = options;
    if (prefix === '') {
      for await (const entry of this.walk()) if ('key' in entry) yield entry;
      return;
    }
    // A list by prefix has no place to go on from, so only its beginning is tried again.
    const [iterator, first] = await this.#again(() => begun(this.inner.list(options)));
    yield* goingOn(iterator, first);
  }

  /** Goes on behind what came last; each entry that came gives all attempts back. */
  override async *walk({ after = '' }: WalkOptions = {}): AsyncGenerator<ListedObject | ForeignEntry, void> {
    let behind = after;
    for (;;) {
      const [iterator, first] = await this.#again(() => begun(this.inner.walk({ after: behind })));
      try {
        for await (const entry of goingOn(iterator, first)) {
          behind = 'key' in entry ? entry.key : entry.place;
          yield entry;
        }
        return;
      } catch (error) {
        if (!isTemporary(error)) throw error;
      }
    }
  }

  async #again<T>(call: () => Promise<T>): Promise<T> {
    const { attemptsMax, firstWaitMs, waitMsMax, random, wait } = this.#options;
    let waitedMs = 0;
    for (let attempt = 1; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        if (!isTemporary(error) || attempt >= attemptsMax) throw error;
        const wantedMs = random() * firstWaitMs * 2 ** (attempt - 1);
        // What a store asks for is waited for whole, or not at all.
        const waitMs = Math.max(wantedMs, askedFor(error));
        if (waitedMs + waitMs > waitMsMax) throw error;
        waitedMs += waitMs;
        await wait(waitMs);
      }
    }
  }
}

/** Whether the store may do it soon. A full one will not, and a failing disk is not to be asked twice. */
function isTemporary(error: unknown): boolean {
  return isRowlockError(error, 'unavailable');
}

/** What a store asks us to wait, in milliseconds. */
function askedFor(error: unknown): number {
  return isRowlockError(error) ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
}

type Begun<T> = readonly [AsyncIterator<T>, IteratorResult<T>];

/** A walk whose first entry, or end, has come. */
async function begun<T>(walk: AsyncIterable<T>): Promise<Begun<T>> {
  const iterator = walk[Symbol.asyncIterator]();
  return [iterator, await iterator.next()];
}

async function* goingOn<T>(...[iterator, first]: Begun<T>): AsyncGenerator<T, void> {
  try {
    for (let result = first; result.done !== true; result = await iterator.next()) yield result.value;
  } finally {
    await iterator.return?.();
  }
}
