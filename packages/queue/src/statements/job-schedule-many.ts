/**
 * Promotes jobs that fall due within five seconds to `available`; their time still holds them back until then. A job
 * whose unique key somebody else holds by now is discarded, as River's scheduler does it. Rows that another scheduler
 * has locked are left to it.
 */
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run, text } from './statement.ts';

/**
 * Of several jobs with one key, who holds the key now comes first, then who is due first: exactly one is promoted.
 * Queues are woken for jobs that are due a little later as well: a sleeping worker then sets its timer.
 */
const statement = defineStatement(
  'job_schedule_many',
  (schema) => `
    WITH due AS MATERIALIZED (
      SELECT id, priority, scheduled_at, unique_key,
        unique_key IS NOT NULL AND unique_states IS NOT NULL
          AND ${schema}.river_job_state_in_bitmask(unique_states, 'available') AS wants_key,
        unique_states IS NOT NULL AND ${schema}.river_job_state_in_bitmask(unique_states, state) AS has_key
      FROM ${schema}.river_job
      WHERE state IN ('retryable', 'scheduled') AND scheduled_at <= now() + interval '5 seconds'
      ORDER BY priority, scheduled_at, id
      LIMIT $1::integer
      FOR UPDATE SKIP LOCKED
    ),
    ranked AS (
      SELECT due.*, row_number() OVER (
        PARTITION BY unique_key, wants_key ORDER BY has_key DESC, priority, scheduled_at, id
      ) AS place
      FROM due
    ),
    judged AS (
      SELECT ranked.id, ranked.wants_key AND (
        ranked.place > 1
        OR EXISTS (
          SELECT FROM ${schema}.river_job AS other
          WHERE other.unique_key = ranked.unique_key
            AND other.id <> ranked.id
            AND other.unique_key IS NOT NULL
            AND other.unique_states IS NOT NULL
            AND ${schema}.river_job_state_in_bitmask(other.unique_states, other.state)
        )
      ) AS conflicts
      FROM ranked
    ),
    scheduled AS (
      UPDATE ${schema}.river_job AS job
      SET state = CASE WHEN judged.conflicts THEN 'discarded' ELSE 'available' END::${schema}.river_job_state,
        finalized_at = CASE WHEN judged.conflicts THEN now() END,
        metadata = CASE
          WHEN NOT judged.conflicts THEN job.metadata
          WHEN jsonb_typeof(job.metadata) = 'object'
            THEN job.metadata || '{"unique_key_conflict": "scheduler_discarded"}'
          ELSE '{"unique_key_conflict": "scheduler_discarded"}' END
      FROM judged
      WHERE job.id = judged.id
      RETURNING job.queue, judged.conflicts
    ),
    woken AS MATERIALIZED (
      SELECT ${schema}.rowlock_wake_queue(queue) AS done
      FROM (SELECT DISTINCT queue FROM scheduled WHERE NOT conflicts) AS promoted
    )
    SELECT count(*) FILTER (WHERE NOT conflicts) AS promoted, count(*) FILTER (WHERE conflicts) AS discarded,
      (SELECT count(done) FROM woken) AS woken
    FROM scheduled`,
);

/** What one pass did. */
export interface Scheduled {
  readonly promoted: number;
  readonly discarded: number;
}

/**
 * Promotes up to `limit` jobs.
 *
 * Fails with SQLSTATE 23505, and has then done nothing, when a job with the same unique key was inserted at the very
 * same time; the next call sees that job.
 */
export async function jobScheduleMany(
  on: Queryable,
  schema: SchemaName,
  limit: number,
  timeoutMs?: number,
): Promise<Scheduled> {
  const { rows } = await run<'promoted' | 'discarded' | 'woken'>(on, statement(schema), [limit], timeoutMs);
  const row = rows[0];
  if (row === undefined) throw new TypeError('An aggregate answered no row');
  return { promoted: Number(text(row, 'promoted')), discarded: Number(text(row, 'discarded')) };
}
