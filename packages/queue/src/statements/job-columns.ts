/**
 * How every statement selects a job: as text, narrow, and in a form that does not depend on the session's settings.
 * A row that only a broken client can have written, such as one with an infinite time, must still be selectable.
 */
import type { JobColumn } from '../job.ts';

/** The names of what `jobColumns` selects. */
export const jobColumnNames: readonly JobColumn[] = [
  'id',
  'kind',
  'queue',
  'state',
  'args',
  'attempt',
  'max_attempts',
  'priority',
  'metadata',
  'tags',
  'error_count',
  'created_at',
  'scheduled_at',
  'attempted_at',
];

/**
 * Lists the columns of a job, to be selected from `river_job` under an alias.
 *
 * Times are at UTC without a zone, in the form of to_json, which has microseconds, does not depend on DateStyle, and
 * accepts infinity.
 */
export function jobColumns(alias: string): string {
  const time = (column: string): string => `to_json(${alias}.${column} AT TIME ZONE 'UTC') #>> '{}' AS ${column}`;
  return `${alias}.id, ${alias}.kind, ${alias}.queue, ${alias}.state, ${alias}.args, ${alias}.attempt,
    ${alias}.max_attempts, ${alias}.priority, ${alias}.metadata, to_json(${alias}.tags) AS tags,
    coalesce(cardinality(${alias}.errors), 0) AS error_count,
    ${time('created_at')}, ${time('scheduled_at')}, ${time('attempted_at')}`;
}
