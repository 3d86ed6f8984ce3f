/**
 * Promotes jobs as they fall due. In River that is the leader's duty; until this package elects leaders, every worker
 * does it, beside a Go leader or without one: rows that another is promoting are skipped, so that several do no harm.
 */
import { jobScheduleMany } from '../statements/job-schedule-many.ts';
import { sqlState } from './sql-failure.ts';
import type { WorkerContext } from './worker-context.ts';

/** River's interval between two passes, and its limit for one statement. */
export const scheduleIntervalMs = 5000;
const limit = 10_000;
const conflictsMax = 3;

/** Makes one pass: promotes everything that falls due within five seconds. */
export async function scheduleDue(context: WorkerContext): Promise<void> {
  const { pool, schema, observe } = context;
  for (let conflicts = 0; ; ) {
    try {
      const { promoted, discarded } = await jobScheduleMany(pool, schema, limit);
      if (promoted + discarded > 0) observe({ event: 'jobs_scheduled', promoted, discarded });
      if (promoted + discarded < limit) return;
    } catch (error) {
      // Somebody inserted a job with the same unique key in this very moment; by the next try it can be seen.
      conflicts += 1;
      if (sqlState(error) !== '23505' || conflicts > conflictsMax) throw error;
    }
  }
}
