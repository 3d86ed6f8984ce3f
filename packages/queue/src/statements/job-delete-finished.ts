/**
 * Deletes jobs that have been finished for long enough, a batch at a time. What somebody has locked is left for the
 * next pass, so that it waits for nobody, and holds up nobody for longer than one batch takes.
 */
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

/** The states of which nothing more comes. */
export type FinishedState = 'cancelled' | 'completed' | 'discarded';

/** Read from the index on state and time, which has them in this order: no sort, however many there are. */
const statement = defineStatement(
  'job_delete_finished',
  (schema) => `
    DELETE FROM ${schema}.river_job AS job
    WHERE job.id IN (
      SELECT id FROM ${schema}.river_job
      WHERE state = $1::${schema}.river_job_state
        AND finalized_at IS NOT NULL
        AND finalized_at < now() - make_interval(secs => $2::float8)
        AND ($3::text[] IS NULL OR queue = ANY ($3::text[]))
        AND ($4::text[] IS NULL OR queue <> ALL ($4::text[]))
      ORDER BY finalized_at
      LIMIT $5::integer
      FOR UPDATE SKIP LOCKED
    )`,
);

/** Which jobs to delete. */
export interface FinishedJobs {
  readonly state: FinishedState;
  readonly age_seconds: number;
  /** Only of these queues; null for all. */
  readonly queues_included: readonly string[] | null;
  readonly queues_excluded: readonly string[] | null;
  readonly limit: number;
}

/** Deletes up to `limit` jobs and returns how many it has deleted. */
export async function jobDeleteFinished(
  on: Queryable,
  schema: SchemaName,
  finished: FinishedJobs,
  timeoutMs: number,
): Promise<number> {
  const { state, age_seconds, queues_included, queues_excluded, limit } = finished;
  const values = [state, age_seconds, queues_included, queues_excluded, limit];
  return (await run<never>(on, statement(schema), values, timeoutMs)).rowCount;
}
