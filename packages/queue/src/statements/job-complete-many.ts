/**
 * Records plain successes, the commonest result, with as little as possible. Guarded by state, attempt and owner: of
 * two that believe a job is theirs, only the one that claimed it last can complete it.
 */
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run, text } from './statement.ts';

const statement = defineStatement(
  'job_complete_many',
  (schema) => `
    UPDATE ${schema}.river_job AS job
    SET state = 'completed', finalized_at = now()
    FROM unnest($1::bigint[], $2::smallint[]) AS done (id, attempt)
    WHERE job.id = done.id
      AND job.state = 'running'
      AND job.attempt = done.attempt
      AND job.attempted_by[array_upper(job.attempted_by, 1)] = $3::text
    RETURNING job.id`,
);

/** An attempt that was ours when it was claimed. */
export interface OwnAttempt {
  readonly id: string;
  readonly attempt: number;
}

/** Completes the attempts of a client and returns the ids of those that were still its own. */
export async function jobCompleteMany(
  on: Queryable,
  schema: SchemaName,
  clientId: string,
  attempts: readonly OwnAttempt[],
): Promise<readonly string[]> {
  const ids = attempts.map(({ id }) => id);
  const numbers = attempts.map(({ attempt }) => attempt);
  const { rows } = await run<'id'>(on, statement(schema), [ids, numbers, clientId]);
  return rows.map((row) => text(row, 'id'));
}
