/**
 * Records plain successes, the commonest result, with as little as possible. Guarded by state, attempt and owner: of
 * two that believe a job is theirs, only the one that claimed it last can complete it.
 */
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run, text } from './statement.ts';

/**
 * One attempt for all, and ids in an array, so that the primary key is the only way to find them: of a join by both the
 * planner made one over all running jobs, live and dead, which took twice the time. `IS TRUE` keeps it from the index
 * by state, in which every job that ever ran lies among the running ones until it is vacuumed.
 */
const statement = defineStatement(
  'job_complete_many',
  (schema) => `
    UPDATE ${schema}.river_job AS job
    SET state = 'completed', finalized_at = now()
    WHERE job.id = ANY ($1::bigint[])
      AND (job.state = 'running') IS TRUE
      AND job.attempt = $2::smallint
      AND job.attempted_by[array_upper(job.attempted_by, 1)] = $3::text
    RETURNING job.id`,
);

/** Attempts of the same number that were a client's when they were claimed. */
export interface OwnAttempts {
  readonly ids: readonly string[];
  readonly attempt: number;
  readonly client_id: string;
}

/** Completes them and returns the ids of those that were still the client's own. */
export async function jobCompleteMany(
  on: Queryable,
  schema: SchemaName,
  { ids, attempt, client_id }: OwnAttempts,
): Promise<readonly string[]> {
  const { rows } = await run<'id'>(on, statement(schema), [ids, attempt, client_id]);
  return rows.map((row) => text(row, 'id'));
}
