/**
 * Records every result that is not a plain success: failures, snoozes, cancellations, interruptions and rescues.
 * Guarded as completions are. A job that somebody has asked to cancel becomes `cancelled` where the result would have
 * led to another attempt; its attempt and its time are then left as they are.
 */
import type { JobState } from '../job.ts';
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run, text } from './statement.ts';

/** What is to become of a running job. */
export interface Settlement {
  readonly id: string;
  /** The attempt and the client that it must still belong to. */
  readonly attempt: number;
  readonly client_id: string;
  readonly state: JobState;
  /** Seconds from now, by the database's clock, until it is due; null leaves the time as it is. */
  readonly delay_seconds: number | null;
  /** The count of attempts afterwards. */
  readonly attempt_after: number;
  /** An entry for its errors, as JSON. */
  readonly error: string | null;
  /** An object to merge into its metadata, as JSON. */
  readonly metadata: string | null;
}

/** A settled job, with the state that it has in truth. */
export interface Settled {
  readonly id: string;
  readonly state: JobState;
}

/**
 * `IS TRUE` keeps the planner from the index by state: see `job-complete-many.ts`. Metadata are one JSON text and no
 * array, since writing the literal of an array takes seconds for some megabytes of quotes.
 */
const statement = defineStatement(
  'job_settle_many',
  (schema) => `
    UPDATE ${schema}.river_job AS job
    SET state = CASE WHEN wanted.is_open AND job.metadata ? 'cancel_attempted_at' THEN 'cancelled'
          ELSE wanted.state END,
      attempt = CASE WHEN wanted.is_open AND job.metadata ? 'cancel_attempted_at' THEN job.attempt
          ELSE wanted.attempt_after END,
      finalized_at = CASE WHEN wanted.is_open AND NOT job.metadata ? 'cancel_attempted_at' THEN NULL ELSE now() END,
      scheduled_at = CASE
          WHEN wanted.delay_seconds IS NULL OR (wanted.is_open AND job.metadata ? 'cancel_attempted_at')
            THEN job.scheduled_at
          ELSE now() + make_interval(secs => wanted.delay_seconds) END,
      errors = CASE
          WHEN wanted.error IS NULL THEN job.errors
          WHEN array_ndims(job.errors) > 1 THEN ARRAY[wanted.error]
          ELSE array_append(job.errors, wanted.error) END,
      metadata = CASE
          WHEN wanted.metadata IS NULL THEN job.metadata
          WHEN jsonb_typeof(job.metadata) = 'object' THEN job.metadata || wanted.metadata
          ELSE wanted.metadata END
    FROM (
      SELECT id, attempt, client_id, state, delay_seconds, attempt_after, error, nullif(metadata, 'null') AS metadata,
        state NOT IN ('cancelled', 'completed', 'discarded') AS is_open
      FROM ROWS FROM (
        unnest($1::bigint[], $2::smallint[], $3::text[], $4::${schema}.river_job_state[], $5::float8[],
          $6::smallint[], $7::jsonb[]),
        jsonb_array_elements($8::jsonb)
      ) AS given (id, attempt, client_id, state, delay_seconds, attempt_after, error, metadata)
    ) AS wanted
    WHERE job.id = wanted.id
      AND (job.state = 'running') IS TRUE
      AND job.attempt = wanted.attempt
      AND job.attempted_by[array_upper(job.attempted_by, 1)] = wanted.client_id
    RETURNING job.id, job.state`,
);

/** Settles jobs and returns those that still belonged to the client and attempt that they were settled for. */
export async function jobSettleMany(
  on: Queryable,
  schema: SchemaName,
  settlements: readonly Settlement[],
): Promise<readonly Settled[]> {
  const column = <Key extends keyof Settlement>(key: Key): Settlement[Key][] => settlements.map((one) => one[key]);
  const { rows } = await run<'id' | 'state'>(on, statement(schema), [
    column('id'),
    column('attempt'),
    column('client_id'),
    column('state'),
    column('delay_seconds'),
    column('attempt_after'),
    column('error'),
    `[${column('metadata')
      .map((one) => one ?? 'null')
      .join(',')}]`,
  ]);
  return rows.map((row) => ({ id: text(row, 'id'), state: text(row, 'state') as JobState }));
}
