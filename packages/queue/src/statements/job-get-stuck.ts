/**
 * Running jobs that were claimed too long ago by a client of which nothing shows that it lives: what a leader rescues
 * for the whole fleet. It changes nothing. A client with a live lease is alive, however long its jobs take.
 */
import type { JobColumn } from '../job.ts';
import type { SchemaName } from '../schema-name.ts';
import { jobColumns } from './job-columns.ts';
import type { OwnedJobRow } from './job-get-running.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

/**
 * What may still be within its time is left out here already, so that a page of such jobs cannot hide others. A job
 * whose cancellation was asked for has no time left.
 */
const statement = defineStatement(
  'job_get_stuck',
  (schema) => `
    SELECT ${jobColumns('job')}, job.attempted_by[array_upper(job.attempted_by, 1)] AS client_id
    FROM ${schema}.river_job AS job
    LEFT JOIN unnest($3::text[], $4::float8[]) AS known (kind, timeout_seconds) ON known.kind = job.kind
    WHERE job.state = 'running'
      AND job.id > $1::bigint
      AND job.attempted_at < now() - make_interval(secs => $2::float8)
      AND (
        known.kind IS NULL
        OR job.attempted_at < now() - make_interval(secs => known.timeout_seconds)
        OR job.metadata ? 'cancel_attempted_at'
      )
      AND NOT EXISTS (
        SELECT FROM ${schema}.rowlock_worker_lease AS lease
        WHERE lease.client_id = job.attempted_by[array_upper(job.attempted_by, 1)]
          AND lease.expires_at > clock_timestamp()
      )
    ORDER BY job.id
    LIMIT $5::integer`,
);

/** Which jobs are stuck. */
export interface StuckJobs {
  /** Only jobs with a greater id: for the next page. */
  readonly after_id: string;
  /** How long ago they must have been claimed at least. */
  readonly horizon_seconds: number;
  /** The kinds whose time limit is known; null where they may take for ever. */
  readonly timeouts: readonly { readonly kind: string; readonly seconds: number | null }[];
  readonly limit: number;
}

/** Returns stuck jobs, by id. */
export async function jobGetStuck(
  on: Queryable,
  schema: SchemaName,
  stuck: StuckJobs,
): Promise<readonly OwnedJobRow[]> {
  const { rows } = await run<JobColumn | 'client_id'>(on, statement(schema), [
    stuck.after_id,
    stuck.horizon_seconds,
    stuck.timeouts.map(({ kind }) => kind),
    stuck.timeouts.map(({ seconds }) => seconds),
    stuck.limit,
  ]);
  return rows;
}
