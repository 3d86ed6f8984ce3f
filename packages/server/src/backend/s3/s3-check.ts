/**
 * Finds out whether a store takes writes now, and says in one sentence what is wrong otherwise. It repairs nothing.
 * Invariant: what it writes is no key, so that it is never taken for an object, and is removed again.
 */
import { randomUUID } from 'node:crypto';
import { RowlockError } from '@rowlock/client/contract';
import type { S3Store } from './s3-client.ts';

/** Stores refuse what was signed a quarter of an hour away from their time; and it will not stop at this. */
const skewSecondsMax = 240;

/** A good answer counts for so long, since who asks whether we are ready may ask every second, and writes cost money. */
const goodForMs = 10_000;

/** Asks one store, for all who ask at the same time. */
export class S3Check {
  readonly #store: S3Store;
  #goodUntil = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;

  constructor(store: S3Store) {
    this.#store = store;
  }

  async run(): Promise<void> {
    if (Date.now() < this.#goodUntil) return;
    this.#running ??= this.#ask().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  async #ask(): Promise<void> {
    const { settings } = this.#store;
    const { bucket: Bucket, key_prefix } = settings;
    // A list, not HeadBucket: only an answer with a body says whether it is the key, the signature or the bucket.
    await this.#store.call((options) =>
      this.#store.client.listObjectsV2({ Bucket, Prefix: key_prefix, MaxKeys: 1 }, options),
    );
    const skewSeconds = Math.round(this.#store.clockOffsetMs / 1000);
    if (Math.abs(skewSeconds) >= skewSecondsMax) {
      const how = `${Math.abs(skewSeconds)} s ${skewSeconds > 0 ? 'behind' : 'ahead of'}`;
      throw new RowlockError('unavailable', `The clock of the server is ${how} the store's: presigned URLs fail.`);
    }
    const probe = { Bucket, Key: `${key_prefix}.rowlock-check/${randomUUID()}` };
    await this.#store.call((options) =>
      this.#store.client.putObject({ ...probe, Body: 'check', ContentLength: 5 }, options),
    );
    await this.#store.call((options) => this.#store.client.deleteObject(probe, options));
    this.#goodUntil = Date.now() + goodForMs;
  }
}
