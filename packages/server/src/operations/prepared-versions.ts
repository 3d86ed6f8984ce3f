/**
 * Versions that are prepared while many small uploads run at once, so that the intents of many are one transaction. It
 * hands each out once; what nobody takes for a moment is given back, and what a killed process leaves the sweep takes. It
 * decides nothing about an upload, and without it every upload writes its own intent.
 */
import { versionKey } from '../backend/keys.ts';
import { timeOrderedUuid } from '../domain/time-ordered-uuid.ts';
import type { Database } from '../metadata/database.ts';
import { giveVersionsBack, type PreparedVersion, prepareVersions } from '../metadata/prepared-uploads.ts';

export interface PreparedVersionsOptions {
  /** Where the bytes will go. */
  readonly backend: string;
  /** So many small uploads at once are worth it; 0 prepares for every one. Default 4. */
  readonly busyFrom?: number | undefined;
}

/** Bodies up to this size take a prepared version, in bytes: they arrive long before it expires. */
export const preparedBytesMax: number = 1024 * 1024;

/** How many are prepared at once, for each upload that runs; the next ones when half of them are left. */
const batchPerUpload = 8;
const batchMax = 128;
const lifeSeconds = 3600;
/** A version is handed out in the first half of its life: an upload's patience fits into the second. */
const handOutMs = 1_800_000;
const idleMs = 1000;

/** The versions of one process. */
export class PreparedVersions {
  readonly #db: Database;
  readonly #backend: string;
  readonly #busyFrom: number;
  readonly #idle: NodeJS.Timeout;
  #ready: PreparedVersion[] = [];
  #staleAt = 0;
  #running = 0;
  #refill: Promise<void> | undefined;
  #isClosed = false;

  constructor(db: Database, { backend, busyFrom = 4 }: PreparedVersionsOptions) {
    this.#db = db;
    this.#backend = backend;
    this.#busyFrom = busyFrom;
    this.#idle = setTimeout(() => void this.#giveBack(), idleMs).unref();
  }

  /** Runs a small upload with a version that was prepared, or with none where the upload shall write its own. */
  async during<T>(upload: (prepared: PreparedVersion | undefined) => Promise<T>): Promise<T> {
    this.#running += 1;
    try {
      this.#idle.refresh();
      if (this.#ready.length < this.#batch() / 2 && this.#running >= this.#busyFrom) this.#prepareMore();
      if (this.#busyFrom === 0) await this.#refill;
      return await upload(Date.now() < this.#staleAt ? this.#ready.pop() : undefined);
    } finally {
      this.#running -= 1;
    }
  }

  /** Takes back a version whose upload was refused before it began. */
  putBack(version: PreparedVersion): void {
    this.#ready.push(version);
    this.#idle.refresh();
  }

  /** Gives back what is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#idle);
    await this.#refill;
    await this.#giveBack();
  }

  #batch(): number {
    return Math.min(this.#running * batchPerUpload, batchMax);
  }

  #prepareMore(): void {
    if (this.#isClosed) return;
    this.#refill ??= this.#prepare().finally(() => {
      this.#refill = undefined;
    });
  }

  async #prepare(): Promise<void> {
    const staleAt = Date.now() + handOutMs;
    const versions = Array.from({ length: this.#batch() }, () => {
      const version_id = timeOrderedUuid();
      return { version_id, key: versionKey(version_id) };
    });
    try {
      await prepareVersions(this.#db, versions, { backend: this.#backend, lifeSeconds });
    } catch {
      return; // each upload writes its own intent, and says what is wrong
    }
    // Those that are left are as good as stale: they are the sweep's.
    if (Date.now() >= this.#staleAt) this.#ready = [];
    this.#staleAt = staleAt;
    this.#ready.push(...versions);
  }

  async #giveBack(): Promise<void> {
    const versions = this.#ready;
    this.#ready = [];
    if (versions.length > 0) {
      await giveVersionsBack(this.#db, versions).catch(() => undefined); // the sweep takes them
    }
  }
}
