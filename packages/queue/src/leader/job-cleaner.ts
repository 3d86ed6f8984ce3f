/**
 * Deletes finished jobs whose time to be kept is over, for the whole fleet. It takes small transactions with pauses
 * between them, so that autovacuum keeps up and nobody waits. Jobs that are not finished are never deleted.
 */
import { type FinishedState, jobDeleteFinished } from '../statements/job-delete-finished.ts';
import { type BatchSize, dutyTimeoutMs } from './batch-size.ts';
import { type DutyContext, pause } from './duty-context.ts';

/** What is kept, and for how long. */
export interface Retention {
  /** Milliseconds since a job was finished; null is for ever. */
  readonly ms: Readonly<Record<FinishedState, number | null>>;
  /** Only jobs of these queues are deleted; null for all. */
  readonly queuesIncluded: readonly string[] | null;
  /** Jobs of these queues are not deleted. */
  readonly queuesExcluded: readonly string[] | null;
}

const states: readonly FinishedState[] = ['cancelled', 'completed', 'discarded'];
const pauseMs = { least: 50, most: 500 } as const;

/** Makes one pass over the three states, batch by batch. */
export async function cleanJobs(context: DutyContext, retention: Retention, batch: BatchSize): Promise<void> {
  const counts: Record<FinishedState, number> = { cancelled: 0, completed: 0, discarded: 0 };
  try {
    for (const state of states) {
      const ms = retention.ms[state];
      if (ms === null) continue;
      await cleanState(context, { state, ms, retention, batch }, (count) => {
        counts[state] += count;
      });
    }
  } finally {
    if (states.some((state) => counts[state] > 0)) context.observe({ event: 'jobs_cleaned', ...counts });
  }
}

interface StateToClean {
  readonly state: FinishedState;
  readonly ms: number;
  readonly retention: Retention;
  readonly batch: BatchSize;
}

async function cleanState(context: DutyContext, what: StateToClean, deleted: (count: number) => void): Promise<void> {
  const { pool, schema, clock, random, term } = context;
  while (term.isCurrent) {
    const limit = what.batch.rows;
    const jobs = {
      state: what.state,
      age_seconds: what.ms / 1000,
      queues_included: what.retention.queuesIncluded,
      queues_excluded: what.retention.queuesExcluded,
      limit,
    };
    let count: number;
    try {
      count = await jobDeleteFinished(pool, schema, jobs, dutyTimeoutMs);
    } catch (error) {
      what.batch.failed(error, clock.monotonic());
      throw error;
    }
    deleted(count);
    if (count < limit) return;
    await pause(context, pauseMs.least + random() * (pauseMs.most - pauseMs.least));
  }
}
