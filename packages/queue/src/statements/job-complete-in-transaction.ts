/**
 * Completes one attempt in a transaction of the caller's, so that what the job did and that it is done commit together.
 * It opens and ends no transaction. Guarded as every completion is: by state, attempt and owner.
 */
import type { JobColumn, JobRow } from '../job.ts';
import type { SchemaName } from '../schema-name.ts';
import { jobColumns } from './job-columns.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

const statement = defineStatement(
  'job_complete_in_transaction',
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
      AND job.attempted_by[pg_catalog.array_upper(job.attempted_by, 1)] = $3::text
    RETURNING ${jobColumns('job')}`,
);

/** An attempt, as the client that claimed it knows it. */
export interface OneAttempt {
  readonly id: string;
  readonly attempt: number;
  readonly client_id: string;
  /** An object to merge into the metadata, as JSON; null for nothing. */
  readonly metadata: string | null;
}

/** Completes the attempt and returns its row; undefined when it is no longer the client's, or no longer running. */
export async function jobCompleteInTransaction(
  on: Queryable,
  schema: SchemaName,
  { id, attempt, client_id, metadata }: OneAttempt,
): Promise<JobRow | undefined> {
  const { rows } = await run<JobColumn>(on, statement(schema), [id, attempt, client_id, metadata]);
  return rows[0];
}
