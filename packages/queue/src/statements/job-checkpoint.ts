/**
 * Merges into the metadata of an attempt that is under way, in a transaction of the caller's: how far a resumable job
 * has come. It changes nothing else. Guarded as completions are, so that an attempt that was taken over says nothing.
 */
import type { SchemaName } from '../schema-name.ts';
import type { OneAttempt } from './job-complete-in-transaction.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

const statement = defineStatement(
  'job_checkpoint',
  (schema) => `
    UPDATE ${schema}.river_job AS job
    SET metadata = CASE
        WHEN pg_catalog.jsonb_typeof(job.metadata) = 'object' THEN job.metadata || $4::jsonb
        ELSE $4::jsonb END
    WHERE job.id = $1::bigint
      AND (job.state = 'running') IS TRUE
      AND job.attempt = $2::smallint
      AND job.attempted_by[pg_catalog.array_upper(job.attempted_by, 1)] = $3::text
    RETURNING job.id`,
);

/** Writes a checkpoint; returns false when the attempt is no longer the client's, or no longer running. */
export async function jobCheckpoint(
  on: Queryable,
  schema: SchemaName,
  { id, attempt, client_id, metadata }: OneAttempt,
): Promise<boolean> {
  const { rows } = await run<'id'>(on, statement(schema), [id, attempt, client_id, metadata]);
  return rows.length === 1;
}
