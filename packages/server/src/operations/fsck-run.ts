/**
 * One run of fsck as a record: how far it came, what it found, what was repaired. Each page is recorded with its findings
 * in one transaction, so that a killed run loses none and repeats at most a page. It neither compares nor repairs.
 */
import { randomUUID } from 'node:crypto';
import type { Backend } from '../backend/backend.ts';
import type { Database } from '../metadata/database.ts';
import {
  type FindingRow,
  type FsckRun,
  fsckAdvance,
  fsckBegin,
  fsckCounts,
  fsckFindings,
  fsckRepaired,
  fsckUnrepaired,
  selectNames,
} from '../metadata/fsck.ts';

export interface FsckParts {
  readonly db: Database;
  /** Whose bytes are compared with the rows that name it. */
  readonly backend: Backend;
  /** Names of backends that are compared as well, each in a run of its own. */
  readonly others?: readonly string[];
}

/** What stands in the way of trust, by its name. */
export const wrongKinds = [
  'bytes_without_row',
  'damaged',
  'foreign',
  'missing',
  'purged_but_named',
  'quarantined',
  'quota_drift',
  'unreadable',
  'wrong_size',
] as const;

export type WrongKind = (typeof wrongKinds)[number];
/** `overdue` is no fault: it waits for the sweep. */
export type FindingKind = WrongKind | 'overdue';

export type FsckPhase = 'compare' | 'scrub' | 'count' | 'repair' | 'done';

export interface Finding {
  readonly kind: FindingKind;
  /** The key; for what is foreign, its place; for a quota, whose it is. */
  readonly key: string;
  readonly version_id: string | null;
  /** Sizes and digests, expected and found; the bucket and the name that are affected, and what else names the version. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Counts over all pages of a run, those before a kill included. */
export interface FsckProgress {
  versions: number;
  keys: number;
  unreferenced: number;
  scrubbed: number;
  scrubbed_bytes: number;
  without_digest: number;
}

const noProgress: FsckProgress = {
  versions: 0,
  keys: 0,
  unreferenced: 0,
  scrubbed: 0,
  scrubbed_bytes: 0,
  without_digest: 0,
};

export interface RunOptions {
  readonly scrub: boolean;
  readonly resume: boolean;
  readonly onPage: (at: { readonly phase: FsckPhase; readonly progress: FsckProgress; readonly found: number }) => void;
}

/** A run that this process holds. */
export class RecordedRun {
  readonly id: string;
  readonly resumed: boolean;
  readonly progress: FsckProgress;
  readonly #db: Database;
  readonly #holder: string;
  readonly #onPage: RunOptions['onPage'];
  #phase: FsckPhase;
  #position: string;
  #found = 0;

  private constructor(db: Database, holder: string, run: FsckRun, onPage: RunOptions['onPage']) {
    this.#db = db;
    this.#holder = holder;
    this.#onPage = onPage;
    this.#phase = run.phase as FsckPhase;
    this.#position = run.position;
    this.id = run.id;
    this.resumed = run.position !== '' || run.phase !== 'compare';
    this.progress = { ...noProgress, ...run.progress };
  }

  /** Begins one, or goes on with the last of this kind that did not end. */
  static async open({ db, backend }: FsckParts, { scrub, resume, onPage }: RunOptions): Promise<RecordedRun> {
    const holder = randomUUID();
    const [run] = await db.run<FsckRun & Record<string, unknown>>(fsckBegin, [backend.name, holder, scrub, resume]);
    if (run === undefined) throw new Error('the run was not recorded');
    return new RecordedRun(db, holder, run, onPage);
  }

  get phase(): FsckPhase {
    return this.#phase;
  }

  /** The place in this phase up to which all is done. */
  get position(): string {
    return this.#position;
  }

  /**
   * Records how far the run came, with what was found on the way there: both or neither.
   *
   * @throws RowlockError `precondition_failed` when another process went on with this run
   */
  async advance(phase: FsckPhase, position: string, found: readonly Finding[] = []): Promise<void> {
    const rows = await this.#withNames(found);
    const values = [JSON.stringify(this.progress), JSON.stringify(rows)];
    await this.#db.run(fsckAdvance, [this.id, this.#holder, phase, position, ...values]);
    this.#phase = phase;
    this.#position = position;
    this.#found += found.filter(({ kind }) => kind !== 'overdue').length;
    this.#onPage({ phase, progress: this.progress, found: this.#found });
  }

  async #withNames(found: readonly Finding[]): Promise<readonly FindingRow[]> {
    const ids = found.flatMap(({ version_id }) => version_id ?? []);
    const names = ids.length === 0 ? undefined : await selectNames(this.#db, ids);
    return found.map((finding) => {
      const named_by = names?.get(finding.version_id ?? '');
      if (named_by === undefined) return finding;
      const { bucket, name } = named_by[0] ?? {};
      return { ...finding, detail: { ...finding.detail, bucket, name, named_by } };
    });
  }

  /** Findings of a kind that are not repaired, page by page in the order of their keys. */
  async *unrepaired(kind: FindingKind, pageSize: number): AsyncGenerator<readonly FindingRow[], void> {
    let after = '';
    for (;;) {
      const page = await this.#db.run<FindingRow & Record<string, unknown>>(fsckUnrepaired, [
        this.id,
        kind,
        after,
        pageSize,
      ]);
      if (page.length > 0) yield page;
      if (page.length < pageSize) return;
      after = page.at(-1)?.key ?? '';
    }
  }

  async repaired(kind: FindingKind, keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.#db.run(fsckRepaired, [this.id, this.#holder, kind, keys]);
  }

  /** How many were found and repaired of each kind. */
  async counts(): Promise<ReadonlyMap<string, { readonly found: number; readonly repaired: number }>> {
    const rows = await this.#db.run<{ kind: string; found: string; repaired: string }>(fsckCounts, [this.id]);
    return new Map(
      rows.map(({ kind, found, repaired }) => [kind, { found: Number(found), repaired: Number(repaired) }]),
    );
  }

  /** The first findings of each kind. */
  async findings(limit: number): Promise<readonly Finding[]> {
    const kinds: readonly FindingKind[] = [...wrongKinds, 'overdue'];
    return await this.#db.run<Finding & Record<string, unknown>>(fsckFindings, [this.id, kinds, limit]);
  }
}
