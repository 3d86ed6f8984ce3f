/** Reads jobs together with who claimed them last. It locks nothing, so what it returns may be over already. */
import type { JobDetailsColumn, JobDetailsRow } from '../job.ts';
import type { SchemaName } from '../schema-name.ts';
import { jobDetailsColumns } from './job-columns.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

const statement = defineStatement(
  'job_get_owned',
  (schema) => `
    SELECT ${jobDetailsColumns('job')}, job.attempted_by[pg_catalog.array_upper(job.attempted_by, 1)] AS client_id
    FROM ${schema}.river_job AS job
    WHERE job.id = ANY ($1::bigint[])`,
);

/** A job and the client that claimed it last; null where nobody has. */
export type ClaimedJobRow = JobDetailsRow & { readonly client_id: string | null };

/** Returns the jobs of the ids, by id; those that are not there are left out. */
export async function jobGetOwned(
  on: Queryable,
  schema: SchemaName,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ClaimedJobRow>> {
  const { rows } = await run<JobDetailsColumn | 'client_id'>(on, statement(schema), [ids]);
  return new Map(rows.map((row) => [row.id ?? '', row]));
}
