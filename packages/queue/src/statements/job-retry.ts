/**
 * Makes a job available at once, whatever has become of it, and tells who sleeps. One that runs, or that could have
 * been claimed before now, is left alone. Where no attempt was left, it gets one more.
 */
import type { JobDetailsColumn, JobDetailsRow } from '../job.ts';
import type { SchemaName } from '../schema-name.ts';
import { jobDetailsColumnNames, jobDetailsColumns } from './job-columns.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

/** A cancellation that was asked for before must not end the next attempt: workers go by the metadata. */
const statement = defineStatement(
  'job_retry',
  (schema) => `
    WITH found AS MATERIALIZED (
      SELECT job.* FROM ${schema}.river_job AS job WHERE job.id = $1::bigint FOR UPDATE
    ),
    changed AS (
      UPDATE ${schema}.river_job AS job
      SET state = 'available',
        scheduled_at = pg_catalog.now(),
        finalized_at = NULL,
        max_attempts = least(greatest(found.max_attempts, found.attempt + 1), 32767),
        metadata = CASE WHEN pg_catalog.jsonb_typeof(found.metadata) = 'object'
          THEN found.metadata - 'cancel_attempted_at' ELSE found.metadata END
      FROM found
      WHERE job.id = found.id
        AND found.state <> 'running'
        AND NOT (found.state = 'available' AND found.scheduled_at < pg_catalog.now())
      RETURNING job.*
    ),
    woken AS MATERIALIZED (
      SELECT ${schema}.rowlock_wake_queue(changed.queue) AS done FROM changed
    ),
    shown AS (
      SELECT ${jobDetailsColumns('changed')} FROM changed
      UNION ALL
      SELECT ${jobDetailsColumns('found')} FROM found WHERE NOT EXISTS (SELECT FROM changed)
    )
    SELECT ${jobDetailsColumnNames.map((name) => `shown.${name}`).join(', ')},
      (SELECT pg_catalog.count(done) FROM woken) AS woken
    FROM shown`,
);

/**
 * Retries a job and returns it as it is then; undefined when there is none.
 *
 * Fails with SQLSTATE 23505 when another job holds its unique key.
 */
export async function jobRetry(on: Queryable, schema: SchemaName, id: string): Promise<JobDetailsRow | undefined> {
  return (await run<JobDetailsColumn | 'woken'>(on, statement(schema), [id])).rows[0];
}
