/**
 * Completes a job in a transaction of the caller's, for who has the job but not the worker that claimed it. Guarded by
 * state, attempt and the moment of the claim, to the microsecond: a later claim has another, even by the same client
 * and under the same number, as after a snooze. So it is never another owner's attempt that ends.
 */
import type { JobDetailsColumn, JobDetailsRow } from '../job.ts';
import type { SchemaName } from '../schema-name.ts';
import { jobDetailsColumns } from './job-columns.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

const statement = defineStatement(
  'job_complete_claimed',
  (schema) => `
    UPDATE ${schema}.river_job AS job
    SET state = 'completed', finalized_at = pg_catalog.now(),
      metadata = CASE
          WHEN $4::jsonb IS NULL THEN job.metadata
          WHEN pg_catalog.jsonb_typeof(job.metadata) = 'object' THEN job.metadata || $4::jsonb
          ELSE $4::jsonb END
    WHERE job.id = $1::bigint
      AND (job.state = 'running') IS TRUE
      AND job.attempt = $2::smallint
      AND job.attempted_at = $3::timestamptz
    RETURNING ${jobDetailsColumns('job')}`,
);

/** A claim, as the job that was claimed tells it. */
export interface ClaimedAttempt {
  readonly id: string;
  readonly attempt: number;
  readonly attempted_at: string | null;
  /** An object to merge into the metadata, as JSON; null for nothing. */
  readonly metadata: string | null;
}

/** Completes the attempt and returns its row; undefined when that claim is over. */
export async function jobCompleteClaimed(
  on: Queryable,
  schema: SchemaName,
  { id, attempt, attempted_at, metadata }: ClaimedAttempt,
): Promise<JobDetailsRow | undefined> {
  const values = [id, attempt, attempted_at, metadata];
  return (await run<JobDetailsColumn>(on, statement(schema), values)).rows[0];
}
