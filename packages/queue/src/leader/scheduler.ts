/**
 * Promotes jobs as they fall due. That is the leader's duty; while nobody leads, every worker does it, so that a fleet
 * whose leader died loses no time. Rows that another one is promoting are skipped: several at once do no harm.
 */
import { jobScheduleMany, type Scheduled } from '../statements/job-schedule-many.ts';
import { leaderExists } from '../statements/leader.ts';
import { sqlState } from '../worker/sql-failure.ts';
import type { WorkerContext } from '../worker/worker-context.ts';
import { type BatchSize, dutyTimeoutMs } from './batch-size.ts';
import { type DutyContext, pause } from './duty-context.ts';

/** River's interval between two passes. */
export const scheduleIntervalMs = 5000;
/** Without a leader a worker takes less at once: its connections are there for claims. */
const unledRows = 1000;
const conflictsMax = 3;
const pauseMs = { least: 50, most: 1000 } as const;

/** Promotes everything that falls due within five seconds, batch by batch. */
export async function scheduleDue(context: DutyContext, batch: BatchSize): Promise<void> {
  const { clock, random, term } = context;
  while (term.isCurrent) {
    const rows = batch.rows;
    let scheduled: Scheduled;
    try {
      scheduled = await scheduleBatch(context, rows, dutyTimeoutMs);
    } catch (error) {
      batch.failed(error, clock.monotonic());
      throw error;
    }
    if (scheduled.promoted + scheduled.discarded < rows) return;
    await pause(context, pauseMs.least + random() * (pauseMs.most - pauseMs.least));
  }
}

/** Promotes one batch if nobody leads. */
export async function scheduleUnled(context: WorkerContext): Promise<void> {
  if (await leaderExists(context.pool, context.schema)) return;
  await scheduleBatch(context, unledRows);
}

async function scheduleBatch(context: WorkerContext, rows: number, timeoutMs?: number): Promise<Scheduled> {
  const { pool, schema, observe } = context;
  for (let conflicts = 1; ; conflicts += 1) {
    try {
      const { promoted, discarded } = await jobScheduleMany(pool, schema, rows, timeoutMs);
      if (promoted + discarded > 0) observe({ event: 'jobs_scheduled', promoted, discarded });
      return { promoted, discarded };
    } catch (error) {
      // Somebody inserted a job with the same unique key in this very moment; by the next try it can be seen.
      if (sqlState(error) !== '23505' || conflicts > conflictsMax) throw error;
    }
  }
}
