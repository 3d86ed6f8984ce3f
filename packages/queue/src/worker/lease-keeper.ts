/**
 * Keeps this worker's lease: that it is alive, and for which queues it sleeps until told. Writes follow each other,
 * each with everything that is true by then. A worker whose lease may have expired must claim nothing: whatever it
 * claimed could not be told from what a dead worker left.
 */
import { randomUUID } from 'node:crypto';
import { QueueError } from '../queue-error.ts';
import { leaseDelete, leaseUpsert } from '../statements/lease.ts';
import { Repeating } from './repeating.ts';
import type { WorkerContext } from './worker-context.ts';

/** What a lease says beside the queues that are slept for. */
export interface LeaseTerms {
  readonly queues: readonly string[];
  readonly ttlMs: number;
  readonly notifyAlways: boolean;
}

/** A renewal every third of the time to live: one may fail, and the next is still in time. */
export const renewalsPerTtl = 3;

/** The lease of one worker. */
export class LeaseKeeper {
  readonly #context: WorkerContext;
  readonly #terms: LeaseTerms;
  readonly #token = randomUUID();
  readonly #waiting = new Set<string>();
  readonly #renewal: Repeating;
  #validUntil = Number.NEGATIVE_INFINITY;
  #isConflicting = false;
  #lastWrite: Promise<boolean> = Promise.resolve(true);
  #nextWrite: Promise<boolean> | undefined;

  constructor(context: WorkerContext, terms: LeaseTerms) {
    this.#context = context;
    this.#terms = terms;
    const intervalMs = terms.ttlMs / renewalsPerTtl;
    this.#renewal = new Repeating(context, {
      name: 'renew lease',
      intervalMs,
      run: async () => await this.#writeNext(),
    });
  }

  /**
   * Takes the lease.
   *
   * @throws QueueError `client_id_in_use`
   */
  async start(): Promise<void> {
    await this.#write();
    if (this.#isConflicting) {
      const message = `Another worker with the client id ${this.#context.client_id} is alive, or was moments ago`;
      throw new QueueError('client_id_in_use', message);
    }
    this.#renewal.start();
  }

  /** Whether the lease still lives, with a tenth to spare. */
  get isValid(): boolean {
    return this.#context.clock.monotonic() < this.#validUntil;
  }

  /** Says that a queue is slept for, or no longer. Resolves with whether that is committed. */
  async setWaiting(queue: string, isWaiting: boolean): Promise<boolean> {
    if (isWaiting) this.#waiting.add(queue);
    else this.#waiting.delete(queue);
    return await this.#writeNext();
  }

  /** Ends the renewals, and gives the lease up if nothing of this worker is left behind; else it expires by itself. */
  async stop({ giveUp }: { readonly giveUp: boolean }): Promise<void> {
    await this.#renewal.stop();
    await this.#lastWrite;
    this.#validUntil = Number.NEGATIVE_INFINITY;
    const { pool, schema, client_id, observe } = this.#context;
    if (!giveUp) return;
    try {
      await leaseDelete(pool, schema, { client_id, token: this.#token });
    } catch (error) {
      observe({ event: 'task_failed', task: 'give up lease', error });
    }
  }

  /**
   * Writes when the write before has ended: two at once could arrive in the wrong order. Whoever asks meanwhile shares
   * the write that has not begun, since it will say what is true when it does.
   */
  async #writeNext(): Promise<boolean> {
    if (this.#nextWrite === undefined) {
      this.#nextWrite = this.#lastWrite.then(async () => {
        this.#nextWrite = undefined;
        return await this.#tryWrite();
      });
      this.#lastWrite = this.#nextWrite;
    }
    return await this.#nextWrite;
  }

  async #tryWrite(): Promise<boolean> {
    try {
      return await this.#write();
    } catch (error) {
      this.#context.observe({ event: 'task_failed', task: 'write lease', error });
      return false;
    }
  }

  async #write(): Promise<boolean> {
    const { pool, schema, client_id, clock, observe } = this.#context;
    const sentAt = clock.monotonic();
    const isOurs = await leaseUpsert(pool, schema, {
      client_id,
      token: this.#token,
      queues: this.#terms.queues,
      waiting_queues: [...this.#waiting],
      notify_always: this.#terms.notifyAlways,
      ttl_seconds: this.#terms.ttlMs / 1000,
    });
    if (isOurs) this.#validUntil = Math.max(this.#validUntil, sentAt + this.#terms.ttlMs * 0.9);
    else this.#validUntil = Number.NEGATIVE_INFINITY;
    if (!isOurs && !this.#isConflicting) observe({ event: 'client_id_in_use', client_id });
    this.#isConflicting = !isOurs;
    return isOurs;
  }
}
