/** Reads one job, with everything that its row says. */
import type { JobDetailsColumn, JobDetailsRow } from '../job.ts';
import type { SchemaName } from '../schema-name.ts';
import { jobDetailsColumns } from './job-columns.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

const statement = defineStatement(
  'job_get',
  (schema) => `SELECT ${jobDetailsColumns('job')} FROM ${schema}.river_job AS job WHERE job.id = $1::bigint`,
);

/** Returns the job; undefined when there is none. */
export async function jobGet(on: Queryable, schema: SchemaName, id: string): Promise<JobDetailsRow | undefined> {
  return (await run<JobDetailsColumn>(on, statement(schema), [id])).rows[0];
}
