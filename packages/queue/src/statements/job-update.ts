/** Merges keys into the metadata of a job, in whatever state it is, and changes nothing else. */
import type { JobDetailsColumn, JobDetailsRow } from '../job.ts';
import type { SchemaName } from '../schema-name.ts';
import { jobDetailsColumns } from './job-columns.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

const statement = defineStatement(
  'job_update',
  (schema) => `
    UPDATE ${schema}.river_job AS job
    SET metadata = CASE WHEN pg_catalog.jsonb_typeof(job.metadata) = 'object' THEN job.metadata ELSE '{}' END
      || $2::jsonb
    WHERE job.id = $1::bigint
    RETURNING ${jobDetailsColumns('job')}`,
);

/** Merges an object, as JSON, and returns the job; undefined when there is none. */
export async function jobUpdate(
  on: Queryable,
  schema: SchemaName,
  id: string,
  metadata: string,
): Promise<JobDetailsRow | undefined> {
  return (await run<JobDetailsColumn>(on, statement(schema), [id, metadata])).rows[0];
}
