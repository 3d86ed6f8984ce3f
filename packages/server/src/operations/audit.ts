/**
 * What the API tells the audit log by itself: refusals and signed URLs. Writes tell it in their own transactions, in SQL.
 * Told is not awaited: entries are written many together, at once where a batch of them waits, a bounded number waits,
 * and what does not fit is counted as dropped. No request fails or waits because of it.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { Observe } from '../domain/observation.ts';
import { tellAudit } from '../metadata/audit.ts';
import type { Database } from '../metadata/database.ts';

export interface AuditEntry {
  readonly request_id: string;
  readonly address: string;
  /** `unknown` where a token could not be verified. */
  readonly role: string;
  readonly subject?: string | undefined;
  readonly operation: string;
  readonly bucket_id?: string | undefined;
  readonly name?: string | undefined;
  readonly object_id?: string | undefined;
  readonly outcome: 'done' | 'refused';
  readonly reason?: string | undefined;
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
}

export interface AuditTrailOptions {
  /** Most entries that wait; default 5,000. */
  readonly waitingMax?: number;
  /** How long the first of a batch waits for others, and all for a database that is away, in milliseconds; default 200. */
  readonly gatherMs?: number;
}

interface Waiting {
  readonly entry: AuditEntry;
  readonly occurred_at: Date;
  times: number;
}

/** Entries of one statement. */
const batchMax = 500;

/** Texts are cut here; the database cuts again, by bytes. */
const textMax = 1024;

/** The way of a process to the audit log. */
export class AuditTrail {
  readonly #db: Database;
  readonly #observe: Observe;
  readonly #waitingMax: number;
  readonly #gatherMs: number;
  #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | undefined;
  /** One batch after the other. */
  #last: Promise<boolean> = Promise.resolve(true);
  #isWriting = false;
  #isAway = false;
  /** Dropped since it was last reported: one line of the log for a batch, not for an entry. */
  #dropped = 0;
  #unique = 0;

  constructor(db: Database, observe: Observe, { waitingMax = 5000, gatherMs = 200 }: AuditTrailOptions = {}) {
    this.#db = db;
    this.#observe = observe;
    this.#waitingMax = waitingMax;
    this.#gatherMs = gatherMs;
  }

  /** Tells what happened. Refusals that are alike and wait together become one entry that says how many they were. */
  tell(entry: AuditEntry): void {
    this.#unique += 1;
    const key = entry.outcome === 'refused' ? likeness(entry) : `#${this.#unique}`;
    const alike = this.#waiting.get(key);
    if (alike !== undefined) {
      alike.times += 1;
    } else if (this.#waiting.size >= this.#waitingMax) {
      this.#dropped += 1; // a batch is being written or about to be, and reports it
    } else {
      this.#waiting.set(key, { entry, occurred_at: new Date(), times: 1 });
      this.#writeLater();
    }
  }

  /** Writes what waits. Resolves when it is written, or could not be. */
  async flush(): Promise<void> {
    await this.#last;
    while (this.#waiting.size > 0 && (await this.#write())) {
      // one batch after the other
    }
  }

  /** One batch; false where it could not be written. */
  #write(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isWriting = true;
    this.#last = this.#last.then(() => this.#writeBatch());
    return this.#last;
  }

  async #writeBatch(): Promise<boolean> {
    const batch = this.#takeBatch();
    try {
      if (batch.length === 0) return true;
      await tellAudit(
        this.#db,
        batch.map(([, waiting]) => rowOf(waiting)),
      );
      this.#isAway = false;
      this.#observe({ type: 'audit', written: batch.length, dropped: this.#takeDropped() });
      return true;
    } catch (error) {
      this.#keep(batch, error);
      return false;
    } finally {
      this.#isWriting = false;
      this.#writeLater();
    }
  }

  #takeBatch(): readonly (readonly [string, Waiting])[] {
    const batch: (readonly [string, Waiting])[] = [];
    for (const each of this.#waiting) {
      if (batch.length >= batchMax) break;
      batch.push(each);
      this.#waiting.delete(each[0]);
    }
    return batch;
  }

  #takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** A full batch gains nothing by waiting; what waits for a database that is away is tried at the pace of a batch. */
  #writeLater(): void {
    if (this.#waiting.size === 0 || this.#isWriting) return;
    if (this.#waiting.size >= batchMax && !this.#isAway) void this.#write();
    else this.#timer ??= setTimeout(() => void this.#write(), this.#gatherMs).unref();
  }

  /** A database that is away gets them later, as far as there is room; entries that it refuses are dropped. */
  #keep(batch: readonly (readonly [string, Waiting])[], error: unknown): void {
    let dropped = this.#takeDropped();
    const isAway = error instanceof RowlockError && error.reason === 'unavailable';
    this.#isAway = isAway;
    for (const [key, waiting] of batch) {
      const alike = this.#waiting.get(key);
      if (!isAway || (alike === undefined && this.#waiting.size >= this.#waitingMax)) dropped += 1;
      else if (alike === undefined) this.#waiting.set(key, waiting);
      else alike.times += waiting.times;
    }
    this.#observe({ type: 'audit', written: 0, dropped, error });
  }
}

function likeness({ operation, reason, address, role, subject, bucket_id }: AuditEntry): string {
  return JSON.stringify([operation, reason, address, role, subject, bucket_id]);
}

/** Spelled out: signs make thousands of these a second, and copying properties by name costs more than all the rest. */
function rowOf({ entry, occurred_at, times }: Waiting): Readonly<Record<string, unknown>> {
  return {
    request_id: storable(entry.request_id),
    address: storable(entry.address),
    role: storable(entry.role),
    subject: storable(entry.subject),
    operation: storable(entry.operation),
    bucket_id: storable(entry.bucket_id),
    name: storable(entry.name),
    object_id: entry.object_id,
    outcome: entry.outcome,
    reason: entry.reason,
    detail: times > 1 ? { ...entry.detail, times } : (entry.detail ?? null),
    occurred_at,
  };
}

/** PostgreSQL keeps no NUL and no half of a surrogate pair. */
function storable(text: string | undefined): string | undefined {
  return text?.slice(0, textMax).replaceAll('\0', '\uFFFD').toWellFormed();
}
