/**
 * Asks the database for all followers of this process whether there is something new, and says to each of them when they
 * should look. It reads nothing for anybody and holds no connection between two polls. Invariant: whoever takes the
 * version, then reads, then waits for a version beyond it, misses nothing.
 */
import { isRowlockError } from '@rowlock/client/contract';
import type { ChangePoll } from '../metadata/changes.ts';

export interface PollerOptions {
  readonly poll: (since: string | undefined) => Promise<ChangePoll>;
  /** Tells SQL listeners of changes up to a cursor. */
  readonly notify: (newest: string) => Promise<void>;
  readonly poll_ms: number;
  readonly idle_poll_ms: number;
  readonly polled: (lagSeconds: number) => void;
}

interface Waiter {
  readonly bucket: string | undefined;
  readonly wake: () => void;
}

/** How long to leave a database alone that did not answer. */
const afterFailureMs = 1000;
/** Changes made through this process are looked for at once, but not more often than this. */
const hintedMs = 20;
const bucketsRemembered = 10_000;

export class ChangePoller {
  readonly #options: PollerOptions;
  readonly #waiters: Set<Waiter> = new Set();
  /** The version at which each bucket changed last. */
  readonly #changedAt: Map<string, number> = new Map();
  /** The version at which any bucket that is not in the map may have changed. */
  #forgottenAt = 0;
  #version = 0;
  #head: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isPolling = false;
  #isClosed = false;
  #hasListeners = false;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#schedule(options.idle_poll_ms);
  }

  /** Goes up whenever there is something new to read. */
  get version(): number {
    return this.#version;
  }

  /** Says that something was probably written just now. */
  hint(): void {
    if (this.#waiters.size > 0) this.#schedule(hintedMs);
  }

  /**
   * Waits until there is something new beyond a version: in the bucket, or anywhere. Resolves to false when the time is
   * over or the signal is given before.
   */
  async changed(beyond: number, bucket: string | undefined, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    if (this.#isClosed || signal.aborted) return false;
    if (this.#lastChange(bucket) > beyond) return true;
    const isFirst = this.#waiters.size === 0;
    return new Promise((resolve) => {
      const end = (result: boolean): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', give);
        this.#waiters.delete(waiter);
        resolve(result);
      };
      const give = (): void => end(false);
      const waiter: Waiter = { bucket, wake: () => end(!this.#isClosed) };
      const timer = setTimeout(give, timeoutMs);
      signal.addEventListener('abort', give, { once: true });
      this.#waiters.add(waiter);
      if (isFirst) this.#schedule(this.#options.poll_ms);
    });
  }

  /** Ends every wait and polls no more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const waiter of [...this.#waiters]) waiter.wake();
  }

  #lastChange(bucket: string | undefined): number {
    return bucket === undefined ? this.#version : (this.#changedAt.get(bucket) ?? this.#forgottenAt);
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed || this.#isPolling || delayMs === 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#poll(), delayMs);
    this.#timer.unref();
  }

  async #poll(): Promise<void> {
    this.#isPolling = true;
    const soonMs = await this.#pollOnce().then(
      (more) => (more ? 1 : undefined),
      (error: unknown) => this.#recover(error),
    );
    this.#isPolling = false;
    // Who was woken may wait again already: asked only now, so that nobody is left without a poll.
    this.#schedule(soonMs ?? this.#intervalMs());
  }

  #intervalMs(): number {
    const { poll_ms, idle_poll_ms } = this.#options;
    return this.#waiters.size > 0 || this.#hasListeners ? poll_ms : idle_poll_ms;
  }

  async #pollOnce(): Promise<boolean> {
    const isFirst = this.#head === undefined;
    const found = await this.#options.poll(this.#head);
    this.#head = found.head;
    this.#hasListeners = found.has_listeners;
    this.#options.polled(found.lag_seconds);
    if (isFirst) {
      this.#tell(undefined); // what came before this poll may be new to whoever has waited for it
    } else if (found.buckets !== null) {
      this.#tell(found.buckets);
    }
    if (found.newest !== null && found.has_listeners) {
      await this.#options.notify(found.newest);
    }
    return found.more;
  }

  /** A failure is no news: followers ask for themselves, and say to their clients what they are told. */
  #recover(error: unknown): number {
    if (isRowlockError(error, 'cursor_expired')) {
      this.#head = undefined;
    }
    return afterFailureMs;
  }

  /** Wakes whoever waits for one of the buckets; all of them where the buckets are not known. */
  #tell(buckets: readonly string[] | undefined): void {
    this.#version += 1;
    if (buckets === undefined || this.#changedAt.size + buckets.length > bucketsRemembered) {
      this.#changedAt.clear();
      this.#forgottenAt = this.#version;
    }
    for (const bucket of buckets ?? []) this.#changedAt.set(bucket, this.#version);
    for (const waiter of [...this.#waiters]) {
      if (this.#lastChange(waiter.bucket) === this.#version) waiter.wake();
    }
  }
}
