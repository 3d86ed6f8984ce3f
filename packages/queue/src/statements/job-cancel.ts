/**
 * Cancels a job that has not ended: at once, or where it is running by asking its worker to, which is told. A worker
 * that misses that reads it from the metadata. What has ended is left alone.
 */
import type { JobDetailsColumn, JobDetailsRow } from '../job.ts';
import { channelName, type SchemaName } from '../schema-name.ts';
import { jobDetailsColumnNames, jobDetailsColumns } from './job-columns.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

/** The row is locked first, so that what is decided by is what is changed. Waiting for the lock ends with its claimer. */
const statement = defineStatement(
  'job_cancel',
  (schema) => `
    WITH found AS MATERIALIZED (
      SELECT job.* FROM ${schema}.river_job AS job WHERE job.id = $1::bigint FOR UPDATE
    ),
    changed AS (
      UPDATE ${schema}.river_job AS job
      SET state = CASE WHEN found.state = 'running' THEN found.state ELSE 'cancelled' END,
        finalized_at = CASE WHEN found.state = 'running' THEN NULL ELSE pg_catalog.now() END,
        metadata = CASE WHEN pg_catalog.jsonb_typeof(found.metadata) = 'object' THEN found.metadata ELSE '{}' END
          || pg_catalog.jsonb_build_object('cancel_attempted_at',
            (pg_catalog.to_json(pg_catalog.now() AT TIME ZONE 'UTC') #>> '{}') || 'Z')
      FROM found
      WHERE job.id = found.id AND found.state NOT IN ('cancelled', 'completed', 'discarded')
      RETURNING job.*
    ),
    told AS MATERIALIZED (
      SELECT pg_catalog.pg_notify($2::text,
        pg_catalog.json_build_object('action', 'cancel', 'job_id', changed.id, 'queue', changed.queue)::text) AS done
      FROM changed
    ),
    shown AS (
      SELECT ${jobDetailsColumns('changed')} FROM changed
      UNION ALL
      SELECT ${jobDetailsColumns('found')} FROM found WHERE NOT EXISTS (SELECT FROM changed)
    )
    SELECT ${jobDetailsColumnNames.map((name) => `shown.${name}`).join(', ')},
      (SELECT pg_catalog.count(done) FROM told) AS told
    FROM shown`,
);

/** Cancels a job and returns it as it is then; undefined when there is none. */
export async function jobCancel(on: Queryable, schema: SchemaName, id: string): Promise<JobDetailsRow | undefined> {
  const values = [id, channelName(schema, 'river_control')];
  return (await run<JobDetailsColumn | 'told'>(on, statement(schema), values)).rows[0];
}
