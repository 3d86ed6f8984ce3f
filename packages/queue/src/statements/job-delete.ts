/** Deletes one job that is not running: what runs has a worker that would write its result to nothing. */
import type { JobDetailsColumn, JobDetailsRow } from '../job.ts';
import type { SchemaName } from '../schema-name.ts';
import { jobDetailsColumnNames, jobDetailsColumns } from './job-columns.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

const statement = defineStatement(
  'job_delete',
  (schema) => `
    WITH found AS MATERIALIZED (
      SELECT job.* FROM ${schema}.river_job AS job WHERE job.id = $1::bigint FOR UPDATE
    ),
    deleted AS (
      DELETE FROM ${schema}.river_job AS job USING found
      WHERE job.id = found.id AND found.state <> 'running'
      RETURNING job.id
    ),
    shown AS (SELECT ${jobDetailsColumns('found')}, EXISTS (SELECT FROM deleted) AS is_deleted FROM found)
    SELECT ${jobDetailsColumnNames.map((name) => `shown.${name}`).join(', ')}, shown.is_deleted FROM shown`,
);

/** A job as it was found. */
export type FoundRow = JobDetailsRow & Readonly<Record<'is_deleted', string | null>>;

/** Deletes a job and returns what it was, and whether it is gone; undefined when there is none. */
export async function jobDelete(on: Queryable, schema: SchemaName, id: string): Promise<FoundRow | undefined> {
  return (await run<JobDetailsColumn | 'is_deleted'>(on, statement(schema), [id])).rows[0];
}
