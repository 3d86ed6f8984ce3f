/**
 * Where the new bytes of a bucket go: to the backend that its row names, else to the default one. The buckets that name one
 * are few and are asked for all at once, now and then, so that an upload waits for no statement more. It moves nothing: what
 * is there stays where it is.
 */
import type { Backend } from '../backend/backend.ts';
import type { Backends } from '../backend/backends.ts';
import type { StatementRunner } from '../metadata/database.ts';
import { selectPlacedBuckets } from '../metadata/placed-buckets.ts';

/** How old what is known may be, in milliseconds. */
const freshMs = 5000;

/** What one process knows of the buckets. */
export class Placement {
  readonly #db: StatementRunner;
  readonly #backends: Backends;
  readonly #now: () => number;
  #known: ReadonlyMap<string, string> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<ReadonlyMap<string, string>> | undefined;

  constructor(db: StatementRunner, backends: Backends, now: () => number = () => performance.now()) {
    this.#db = db;
    this.#backends = backends;
    this.#now = now;
  }

  /**
   * The backend for new bytes of a bucket, as its row said a few seconds ago at most while the database answers.
   *
   * @throws RowlockError `unavailable` where the bucket names a backend that this process does not have, or where the
   *   database has never answered
   */
  async backendFor(bucket: string): Promise<Backend> {
    const isStale = this.#now() - this.#askedAt > freshMs;
    // What is known goes on being used while it is asked again; only the first ones wait.
    const asked = isStale ? this.#ask() : undefined;
    const known = this.#known ?? (await (asked ?? this.#ask()));
    const name = known.get(bucket);
    return name === undefined ? this.#backends.default : this.#backends.of(name);
  }

  #ask(): Promise<ReadonlyMap<string, string>> {
    this.#asking ??= selectPlacedBuckets(this.#db)
      .then((known) => {
        this.#known = known;
        this.#askedAt = this.#now();
        return known;
      })
      .finally(() => {
        this.#asking = undefined;
      });
    // Whoever does not wait for it goes on with what was known before.
    this.#asking.catch(() => undefined);
    return this.#asking;
  }
}
