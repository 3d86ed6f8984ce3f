/**
 * Running jobs by whose they are: those of clients that are gone, and those of this client that it never heard of,
 * because the answer to its claim was lost. It changes nothing.
 */
import type { ClientBase } from 'pg';
import type { JobColumn, JobRow } from '../job.ts';
import type { SchemaName } from '../schema-name.ts';
import { jobColumns } from './job-columns.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

const abandoned = defineStatement(
  'job_get_abandoned',
  (schema) => `
    SELECT ${jobColumns('job')}, job.attempted_by[array_upper(job.attempted_by, 1)] AS client_id
    FROM ${schema}.river_job AS job
    WHERE job.state = 'running' AND job.attempted_by[array_upper(job.attempted_by, 1)] = ANY ($1::text[])
    ORDER BY job.id
    LIMIT 1000
    FOR UPDATE SKIP LOCKED`,
);

const unheardOf = defineStatement(
  'job_get_unheard_of',
  (schema) => `
    SELECT ${jobColumns('job')}, job.attempted_by[array_upper(job.attempted_by, 1)] AS client_id
    FROM ${schema}.river_job AS job
    WHERE job.state = 'running' AND job.attempted_by[array_upper(job.attempted_by, 1)] = $1::text
      AND job.attempted_at < clock_timestamp() - make_interval(secs => $2::float8)
      AND job.id <> ALL ($3::bigint[])
    ORDER BY job.id
    LIMIT 1000`,
);

/** A running job and the client that claimed it. */
export type OwnedJobRow = JobRow & { readonly client_id: string | null };

/** Locks up to a thousand running jobs of the given clients and returns them, leaving out what is locked. */
export async function jobGetAbandoned(
  client: ClientBase,
  schema: SchemaName,
  clientIds: readonly string[],
): Promise<readonly OwnedJobRow[]> {
  return (await run<JobColumn | 'client_id'>(client, abandoned(schema), [clientIds])).rows;
}

/** What a client knows of itself. */
export interface KnownJobs {
  readonly client_id: string;
  /** How long ago a claim must have been for its answer to be lost. */
  readonly age_seconds: number;
  /** The jobs that it does know of. */
  readonly ids: readonly string[];
}

/** Returns running jobs of a client that are not among those it knows of. */
export async function jobGetUnheardOf(
  on: Queryable,
  schema: SchemaName,
  known: KnownJobs,
): Promise<readonly OwnedJobRow[]> {
  const values = [known.client_id, known.age_seconds, known.ids];
  return (await run<JobColumn | 'client_id'>(on, unheardOf(schema), values)).rows;
}
