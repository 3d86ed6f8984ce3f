/**
 * Reads from a standby while it is known to be fresh, and from the primary otherwise. It decides for each statement and
 * changes none. Invariant: what a standby answers is at most `lagMaxMs` behind what the primary had committed, judged by
 * positions in the log and not by any clock of the servers.
 */
import { isRowlockError } from '@rowlock/client/contract';
import type pg from 'pg';
import type { Database, Statement, StatementRunner } from './database.ts';

export interface StandbyOptions {
  /** How far behind answers may be, in milliseconds. */
  readonly lagMaxMs: number;
  /** How often both are asked how far they are, in milliseconds. */
  readonly probeIntervalMs: number;
  /** Hears when reads move to the standby (true) and away from it. */
  readonly onChange: (used: boolean, why: string) => void;
}

/** Where the primary's log was flushed up to when we asked: everything that it had acknowledged lies before. */
const primaryPosition: Statement = {
  name: 'primary_position',
  text: 'SELECT pg_catalog.pg_current_wal_flush_lsn()::text AS position',
};

/** How far the standby has replayed; null where it is none (any more). */
const standbyPosition: Statement = {
  name: 'standby_position',
  text: `SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()::text END AS position`,
};

interface Mark {
  readonly position: bigint;
  readonly at: number;
}

/** Of these the standby only lacks time or was interrupted by its replay: the next statement may go well. */
const passing: ReadonlySet<string> = new Set(['57014', '40001', '40P01']);

/** Runs statements that read on the standby, and on the primary where that cannot be. */
export class StandbyReads implements StatementRunner {
  readonly mayLag: boolean = true;
  readonly #primary: Database;
  readonly #standby: Database;
  readonly #options: StandbyOptions;
  #marks: readonly Mark[] = [];
  /** The standby has everything that was acknowledged until then. */
  #freshAt = Number.NEGATIVE_INFINITY;
  #used = false;
  #timer: NodeJS.Timeout | undefined;
  #probing: Promise<void>;
  #closed = false;

  constructor(primary: Database, standby: Database, options: StandbyOptions) {
    this.#primary = primary;
    this.#standby = standby;
    this.#options = options;
    this.#probing = this.#probe();
  }

  /** Whether the next statement goes to the standby. */
  get used(): boolean {
    return performance.now() - this.#freshAt <= this.#options.lagMaxMs;
  }

  async run<Row extends pg.QueryResultRow>(statement: Statement, values: readonly unknown[]): Promise<readonly Row[]> {
    if (!this.used) {
      this.#tell('it is too far behind, or cannot be asked');
      return this.#primary.run<Row>(statement, values);
    }
    try {
      return await this.#standby.run<Row>(statement, values);
    } catch (error) {
      if (!isRowlockError(error, 'unavailable')) {
        throw error;
      }
      if (!isPassing(error.cause)) {
        this.#freshAt = Number.NEGATIVE_INFINITY;
        this.#tell('a statement could not be run on it');
      }
      return this.#primary.run<Row>(statement, values);
    }
  }

  /** Ends the probes and the standby's connections. The primary is not ours. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#probing;
    await this.#standby.close();
  }

  async #probe(): Promise<void> {
    try {
      await this.#compare();
      this.#tell('it has replayed what the primary wrote');
    } catch (error) {
      // Without both answers nothing is known: what was known grows old, and reads go to the primary.
      this.#tell(`it cannot be compared with the primary (${error instanceof Error ? error.message : 'unknown'})`);
    }
    if (!this.#closed) {
      this.#timer = setTimeout(() => {
        this.#probing = this.#probe();
      }, this.#options.probeIntervalMs);
      this.#timer.unref();
    }
  }

  async #compare(): Promise<void> {
    const at = performance.now();
    const position = parsePosition((await this.#primary.run<PositionRow>(primaryPosition, []))[0]?.position);
    const replayed = parsePosition((await this.#standby.run<PositionRow>(standbyPosition, []))[0]?.position);
    if (position === undefined || replayed === undefined) {
      this.#freshAt = Number.NEGATIVE_INFINITY;
      return;
    }
    const marks = [...this.#marks, { position, at }].filter((mark) => at - mark.at <= this.#options.lagMaxMs);
    const reached = marks.findLast((mark) => mark.position <= replayed);
    if (reached !== undefined) {
      this.#freshAt = Math.max(this.#freshAt, reached.at);
    }
    this.#marks = marks.filter((mark) => mark.position > replayed);
  }

  #tell(why: string): void {
    const { used } = this;
    if (used !== this.#used) {
      this.#used = used;
      this.#options.onChange(used, why);
    }
  }
}

interface PositionRow extends Record<string, unknown> {
  readonly position: string | null;
}

function parsePosition(text: string | null | undefined): bigint | undefined {
  const match = /^([0-9A-F]+)\/([0-9A-F]+)$/i.exec(text ?? '');
  return match === null ? undefined : (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

function isPassing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && passing.has(String(cause.code));
}
