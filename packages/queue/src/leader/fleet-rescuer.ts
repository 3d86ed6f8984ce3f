/**
 * Rescues jobs that have been running for far too long, for the whole fleet: those of clients without a lease, such as
 * ones of Go that died. Jobs of a client with a live lease are left alone. A kind that is not known here is never
 * discarded; and nothing is done to a job that was finished, or claimed again, since it was read.
 */
import { decodeJob, type Job } from '../job.ts';
import type { OwnedJobRow } from '../statements/job-get-running.ts';
import { jobGetStuck, type StuckJobs } from '../statements/job-get-stuck.ts';
import { jobSettleMany, type Settlement } from '../statements/job-settle-many.ts';
import { queueWakeMany } from '../statements/queue-wake-many.ts';
import { inTransaction } from '../statements/transaction.ts';
import { settlementOf } from '../worker/outcome.ts';
import type { DutyContext } from './duty-context.ts';

/** What a rescuer has to know of the kinds that this process works. */
export interface KnownKinds {
  /** Of every known kind, how long an attempt may take; null is for ever. */
  readonly timeouts: ReadonlyMap<string, number | null>;
  /** Seconds until a rescued job's next attempt; undefined is River's policy. */
  readonly retrySeconds: (job: Job) => number | undefined;
}

const pageRows = 1000;

/** The rescuer of one term. */
export class FleetRescuer {
  readonly #context: DutyContext;
  readonly #kinds: KnownKinds;
  readonly #horizonMs: number;
  readonly #left = new Set<string>();

  /** Only jobs that were claimed longer ago than the horizon, in milliseconds, are rescued. */
  constructor(context: DutyContext, kinds: KnownKinds, horizonMs: number) {
    this.#context = context;
    this.#kinds = kinds;
    this.#horizonMs = horizonMs;
  }

  /** Makes one pass over all stuck jobs, page by page, and returns how many it has rescued. */
  async rescue(): Promise<number> {
    const { pool, schema, term } = this.#context;
    let rescued = 0;
    for (let afterId = '0'; term.isCurrent; ) {
      const rows = await jobGetStuck(pool, schema, this.#page(afterId));
      if (rows.length > 0) rescued += await this.#rescuePage(rows);
      if (rows.length < pageRows) break;
      afterId = rows.at(-1)?.id ?? afterId;
    }
    return rescued;
  }

  #page(afterId: string): StuckJobs {
    return {
      after_id: afterId,
      horizon_seconds: this.#horizonMs / 1000,
      timeouts: [...this.#kinds.timeouts].map(([kind, ms]) => ({ kind, seconds: ms === null ? null : ms / 1000 })),
      limit: pageRows,
    };
  }

  async #rescuePage(rows: readonly OwnedJobRow[]): Promise<number> {
    const { pool, schema, observe } = this.#context;
    const settlements = rows.map((row) => this.#settlement(row)).filter((one) => one !== undefined);
    const settled = await inTransaction(pool, async (client) => {
      const done = new Map((await jobSettleMany(client, schema, settlements)).map(({ id, state }) => [id, state]));
      const available = rows.filter(({ id }) => done.get(id ?? '') === 'available');
      await queueWakeMany(
        client,
        schema,
        available.map(({ queue }) => queue ?? ''),
      );
      return done;
    });
    for (const { id, kind, client_id } of rows) {
      if (!settled.has(id ?? '')) continue;
      observe({ event: 'job_rescued', id: id ?? '', kind: kind ?? '', client_id: client_id ?? '' });
    }
    return settled.size;
  }

  /** Undefined where the job is left as it is. */
  #settlement(row: OwnedJobRow): Settlement | undefined {
    const { clock, random } = this.#context;
    const job = decoded(row);
    const isKnown = this.#kinds.timeouts.has(row.kind ?? '');
    const attempt = {
      id: row.id ?? '',
      client_id: row.client_id ?? '',
      attempt: Number(row.attempt),
      max_attempts: Number(row.max_attempts),
      error_count: Number(row.error_count),
      metadata: job?.metadata ?? {},
      at: clock.now(),
      retry_seconds: job === undefined || !isKnown ? undefined : this.#kinds.retrySeconds(job),
    };
    const settlement = settlementOf(attempt, { kind: 'rescued' }, random);
    if ('cancel_attempted_at' in attempt.metadata) return { ...settlement, state: 'cancelled', delay_seconds: null };
    if (settlement.state !== 'discarded' || isKnown) return settlement;
    this.#reportLeft(row);
    return undefined;
  }

  /** Who knows the kind decides; a person can cancel the job, which ends it at the next pass. */
  #reportLeft({ id, kind, client_id }: OwnedJobRow): void {
    if (id === null || this.#left.has(id)) return;
    this.#left.add(id);
    this.#context.observe({ event: 'job_left_running', id, kind: kind ?? '', client_id: client_id ?? '' });
  }
}

/** A job that cannot be read is rescued all the same: who runs it next will find out. */
function decoded(row: OwnedJobRow): Job | undefined {
  try {
    return decodeJob(row);
  } catch {
    return undefined;
  }
}
