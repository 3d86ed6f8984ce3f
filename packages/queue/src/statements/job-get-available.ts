/**
 * Claims jobs of a queue: River's claim, by priority, then time, then id, skipping what another client is claiming.
 * What is claimed is `running`, and the caller's, when this returns; a claim that failed may have succeeded.
 */
import type { JobColumn, JobRow } from '../job.ts';
import type { SchemaName } from '../schema-name.ts';
import { jobColumnNames, jobColumns } from './job-columns.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

/**
 * The ids go into an array first: of a join the planner may make one over the whole table, claimed jobs and all, which
 * took twice the time at 40,000 rows. The array is looked up by primary key whatever the planner believes.
 *
 * At most a hundred of those who attempted a job are kept. A count of attempts beyond what a smallint holds, or an
 * array of arrays, would make the statement fail again and again, and no job of the queue would be claimed any more.
 *
 * The commit is not waited for on the disk. A claim that a crash of PostgreSQL forgets is a job that is claimed again,
 * and whatever is committed later, such as its result, brings the claim to the disk too.
 */
const claimText = (schema: string, filter: string): string => `
    WITH claimed AS (
      UPDATE ${schema}.river_job AS job
      SET state = 'running',
        attempt = least(job.attempt + 1, 32767),
        attempted_at = now(),
        attempted_by = array_append(
          CASE
            WHEN array_ndims(job.attempted_by) > 1 THEN NULL
            WHEN cardinality(job.attempted_by) >= 100
              THEN job.attempted_by[array_upper(job.attempted_by, 1) - 98:]
            ELSE job.attempted_by
          END,
          $3::text
        )
      WHERE job.id = ANY (ARRAY(
        SELECT id FROM ${schema}.river_job
        WHERE state = 'available' AND queue = $1 AND scheduled_at <= now() ${filter}
        ORDER BY priority, scheduled_at, id
        LIMIT $2::integer
        FOR UPDATE SKIP LOCKED
      ))
      RETURNING ${jobColumns('job')}, job.scheduled_at AS due
    )
    SELECT ${jobColumnNames.map((name) => `claimed.${name}`).join(', ')}
    FROM claimed, (SELECT set_config('synchronous_commit', 'off', true)) AS quickly
    ORDER BY claimed.priority, claimed.due, claimed.id`;

const ofAllKinds = defineStatement('job_get_available', (schema) => claimText(schema, ''));

const ofKinds = defineStatement('job_get_available_of_kinds', (schema) =>
  claimText(schema, 'AND kind = ANY ($4::text[])'),
);

/** What to claim, and for whom. */
export interface Claim {
  readonly queue: string;
  readonly limit: number;
  readonly client_id: string;
  /** Only jobs of these kinds; null or undefined for all. */
  readonly kinds?: readonly string[] | null;
}

/** Claims up to `limit` jobs and returns them in the order in which they should start. */
export async function jobGetAvailable(on: Queryable, schema: SchemaName, claim: Claim): Promise<readonly JobRow[]> {
  const { queue, limit, client_id, kinds } = claim;
  const given = [queue, limit, client_id];
  const { rows } = kinds
    ? await run<JobColumn>(on, ofKinds(schema), [...given, kinds])
    : await run<JobColumn>(on, ofAllKinds(schema), given);
  return rows;
}
