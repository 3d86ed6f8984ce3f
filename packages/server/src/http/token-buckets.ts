/**
 * Token buckets by key, in memory: how many requests each key has left. Memory is bounded, and nobody is forgotten by
 * many others coming: a bucket goes only when it is full again, and keys beyond the bound share one.
 */

/** What is left after a request took its token, or did not get one. */
export interface BucketState {
  readonly allowed: boolean;
  /** Requests per minute; also the most that may come at once. */
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the bucket is full again, or, where it gave none, until it gives the next. */
  readonly seconds: number;
}

interface Bucket {
  tokens: number;
  /** Milliseconds of the clock when `tokens` was true. */
  at: number;
}

/** How long a bucket takes from empty to full, in milliseconds. */
const windowMs = 60_000;

/** What all keys share for which there is no room. */
const overflow = '';

/** Buckets of one limit. */
export class TokenBuckets {
  readonly #limit: number;
  readonly #keysMax: number;
  readonly #now: () => number;
  /** Least recently used first. */
  readonly #buckets = new Map<string, Bucket>();

  /** `limit`: requests per minute, at least 1. `now`: milliseconds that never go back. */
  constructor(limit: number, keysMax: number, now: () => number) {
    this.#limit = limit;
    this.#keysMax = keysMax;
    this.#now = now;
  }

  /** Takes one token of a key's bucket, where there is one. */
  take(key: string): BucketState {
    const now = this.#now();
    const bucket = this.#find(key, now);
    bucket.tokens = this.#tokens(bucket, now);
    bucket.at = now;
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    const missing = allowed ? this.#limit - bucket.tokens : 1 - bucket.tokens;
    const seconds = Math.max(1, Math.ceil((missing * windowMs) / this.#limit / 1000));
    return { allowed, limit: this.#limit, remaining: Math.floor(bucket.tokens), seconds };
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  #tokens({ tokens, at }: Bucket, now: number): number {
    return Math.min(this.#limit, tokens + ((now - at) * this.#limit) / windowMs);
  }

  #find(key: string, now: number): Bucket {
    const known = this.#buckets.get(key);
    if (known !== undefined) {
      this.#buckets.delete(key);
      this.#buckets.set(key, known);
      return known;
    }
    if (key !== overflow && this.#buckets.size >= this.#keysMax && !this.#dropFull(now)) {
      return this.#find(overflow, now);
    }
    const fresh = { tokens: this.#limit, at: now };
    this.#buckets.set(key, fresh);
    return fresh;
  }

  /** Makes room where the bucket that was used the longest ago is full again, and so says nothing. */
  #dropFull(now: number): boolean {
    const [oldest] = this.#buckets;
    if (oldest === undefined || this.#tokens(oldest[1], now) < this.#limit) return false;
    this.#buckets.delete(oldest[0]);
    return true;
  }
}
