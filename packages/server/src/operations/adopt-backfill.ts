/**
 * What was there before an adoption: rows that are stuck get a job, files get an object whose bytes are where they were.
 * In batches, at a bounded rate. Invariant: a file gets its object in one transaction and only when the store has its
 * bytes, so a backfill that was killed is simply run again, and goes on with what is left.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Backend, HeadResult } from '../backend/backend.ts';
import { isKey } from '../backend/keys.ts';
import { fault } from '../domain/fault.ts';
import { timeOrderedUuid } from '../domain/time-ordered-uuid.ts';
import {
  adoptedFileFound,
  adoptedFilesToTake,
  adoptedRequeueFiles,
  adoptedRequeueRequests,
  adoptedTakeFile,
} from '../metadata/adopt-rows.ts';
import type { Database, Statement } from '../metadata/database.ts';

export interface AdoptParts {
  readonly db: Database;
  readonly backend: Backend;
}

export interface BackfillOptions {
  /** Counts, and writes nothing. */
  readonly dryRun?: boolean;
  /** Rows a second, of each part; default 50. */
  readonly rowsPerSecond?: number;
  /** How old a row must be to count as stuck, in seconds; default 900. */
  readonly stuckSeconds?: number;
  /** Looks again at files that an earlier backfill could not take. */
  readonly isAgain?: boolean;
  readonly signal?: AbortSignal;
  /** Called after each batch. */
  readonly onBatch?: (report: BackfillReport) => void;
}

export interface BackfillReport {
  /** Requests and files that waited without a job, and got one. */
  requests_enqueued: number;
  files_enqueued: number;
  /** Files that got an object. */
  files_taken: number;
  /** Files that got none, by why: `no_bytes`, `other_bucket`, `key_of_another`, `unusable_key`, `taken`. */
  readonly found: Record<string, number>;
}

interface FileToTake extends Record<string, unknown> {
  readonly id: string;
  readonly created_at: string;
  readonly bucket: string;
  readonly key: string;
  readonly has_own_key: boolean;
  readonly small: string | null;
  readonly medium: string | null;
  readonly large: string | null;
}

interface Requeued extends Record<string, unknown> {
  readonly last_time: string | null;
  readonly last_id: string | null;
  readonly examined: number;
  readonly enqueued: number;
}

const rowsPerSecondDefault = 50;
const stuckSecondsDefault = 900;
const batchMax = 100;

/** Runs until nothing is left or the signal. @returns what was done, or with `dryRun` would be */
export async function backfillAdoption(parts: AdoptParts, options: BackfillOptions = {}): Promise<BackfillReport> {
  const report: BackfillReport = { requests_enqueued: 0, files_enqueued: 0, files_taken: 0, found: {} };
  const run = new Backfill(parts, options, report);
  await run.requeue(adoptedRequeueRequests, (jobs) => {
    report.requests_enqueued += jobs;
  });
  await run.requeue(adoptedRequeueFiles, (jobs) => {
    report.files_enqueued += jobs;
  });
  await run.takeFiles();
  return report;
}

class Backfill {
  readonly #parts: AdoptParts;
  readonly #options: BackfillOptions;
  readonly #report: BackfillReport;
  readonly #batch: number;

  constructor(parts: AdoptParts, options: BackfillOptions, report: BackfillReport) {
    this.#parts = parts;
    this.#options = options;
    this.#report = report;
    this.#batch = Math.max(1, Math.min(batchMax, Math.floor(options.rowsPerSecond ?? rowsPerSecondDefault)));
  }

  async requeue(statement: Statement, count: (jobs: number) => void): Promise<void> {
    let at: Pick<Requeued, 'last_time' | 'last_id'> = { last_time: null, last_id: null };
    for (;;) {
      const [batch] = await this.#parts.db.run<Requeued>(statement, [
        at.last_time,
        at.last_id,
        this.#options.stuckSeconds ?? stuckSecondsDefault,
        this.#batch,
        this.#options.dryRun === true,
      ]);
      if (batch === undefined || batch.examined === 0) return;
      count(batch.enqueued);
      at = batch;
      await this.#ended(batch.examined);
    }
  }

  async takeFiles(): Promise<void> {
    let at: Pick<FileToTake, 'created_at' | 'id'> | undefined;
    for (;;) {
      const files: readonly FileToTake[] = await this.#parts.db.run<FileToTake>(adoptedFilesToTake, [
        at?.created_at ?? null,
        at?.id ?? null,
        this.#options.isAgain === true,
        this.#batch,
      ]);
      at = files.at(-1);
      if (at === undefined) return;
      for (const file of files) {
        this.#options.signal?.throwIfAborted();
        await this.#take(file);
      }
      await this.#ended(files.length);
    }
  }

  async #take(file: FileToTake): Promise<void> {
    const { db, backend } = this.#parts;
    const wrong = wrongWith(file, backend);
    if (wrong !== undefined) return await this.#leave(file, ...wrong);
    const original = await backend.head(file.key);
    if (original === undefined) return await this.#leave(file, 'no_bytes', `the store has no ${file.key}`);
    const thumbnails = await this.#thumbnailsOf(file);
    if (this.#options.dryRun === true) {
      this.#report.files_taken += 1;
      return;
    }
    const version = timeOrderedUuid();
    const values = [file.id, version, backend.name, original.size, original.etag, JSON.stringify(thumbnails)];
    const [row] = await db.run<{ taken: string }>(adoptedTakeFile, values);
    if (row?.taken === 'done') this.#report.files_taken += 1;
    if (row?.taken === 'taken') this.#count('taken');
    await fault('adopt.after_file');
  }

  /** Of the thumbnails that the row names, those that are there. */
  async #thumbnailsOf(file: FileToTake): Promise<readonly Record<string, unknown>[]> {
    const named = (['small', 'medium', 'large'] as const).flatMap((preset) => {
      const key = file[preset];
      return key !== null && isKey(key) && key !== file.key ? [{ preset, key }] : [];
    });
    const there = await Promise.all(
      named.map(async ({ preset, key }) => ({ preset, key, head: await this.#parts.backend.head(key) })),
    );
    return there
      .filter((each): each is typeof each & { head: HeadResult } => each.head !== undefined)
      .map(({ preset, key, head }) => ({ preset, key, size: head.size, version_id: timeOrderedUuid() }));
  }

  async #leave(file: FileToTake, found: string, detail: string): Promise<void> {
    this.#count(found);
    if (this.#options.dryRun !== true) await this.#parts.db.run(adoptedFileFound, [file.id, found, detail]);
  }

  #count(found: string): void {
    this.#report.found[found] = (this.#report.found[found] ?? 0) + 1;
  }

  /** Waits as long as the rate wants for these rows. */
  async #ended(rows: number): Promise<void> {
    await fault('adopt.after_batch');
    this.#options.onBatch?.(this.#report);
    const { rowsPerSecond = rowsPerSecondDefault, signal } = this.#options;
    signal?.throwIfAborted();
    await wait((rows / rowsPerSecond) * 1000, undefined, { signal });
  }
}

function wrongWith(file: FileToTake, backend: Backend): [found: string, detail: string] | undefined {
  if (file.bucket !== backend.bucket) {
    return ['other_bucket', `its bytes are in the bucket ${file.bucket}, and this store is ${backend.bucket}`];
  }
  if (!isKey(file.key)) return ['unusable_key', `no store of ours has such a key: ${file.key}`];
  // Anybody could register somebody else's bytes as their file: then they would read them here.
  if (!file.has_own_key) return ['key_of_another', `the key does not begin with what is the file's own: ${file.key}`];
  return undefined;
}
