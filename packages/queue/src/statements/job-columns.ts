/**
 * How every statement selects a job: as text, narrow, and in a form that does not depend on the session's settings.
 * A row that only a broken client can have written, such as one with an infinite time, must still be selectable.
 */
import type { JobColumn, JobDetailsColumn } from '../job.ts';

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

/** The names of what `jobDetailsColumns` selects. */
export const jobDetailsColumnNames: readonly JobDetailsColumn[] = [
  ...jobColumnNames,
  'finalized_at',
  'attempted_by',
  'errors',
  'unique_key',
];

/**
 * Lists the columns of a job, to be selected from `river_job` under an alias.
 *
 * Times are at UTC without a zone, in the form of to_json, which has microseconds, does not depend on DateStyle, and
 * accepts infinity.
 */
export function jobColumns(alias: string): string {
  return `${alias}.id, ${alias}.kind, ${alias}.queue, ${alias}.state, ${alias}.args, ${alias}.attempt,
    ${alias}.max_attempts, ${alias}.priority, ${alias}.metadata, pg_catalog.to_json(${alias}.tags) AS tags,
    coalesce(pg_catalog.cardinality(${alias}.errors), 0) AS error_count,
    ${timeColumn(alias, 'created_at')}, ${timeColumn(alias, 'scheduled_at')}, ${timeColumn(alias, 'attempted_at')}`;
}

/** Lists the columns of everything about a job. */
export function jobDetailsColumns(alias: string): string {
  return `${jobColumns(alias)}, ${timeColumn(alias, 'finalized_at')},
    pg_catalog.to_json(${alias}.attempted_by) AS attempted_by, pg_catalog.to_json(${alias}.errors) AS errors,
    pg_catalog.encode(${alias}.unique_key, 'hex') AS unique_key`;
}

/** Selects a time in the one form. */
export function timeColumn(alias: string, column: string): string {
  return `pg_catalog.to_json(${alias}.${column} AT TIME ZONE 'UTC') #>> '{}' AS ${column}`;
}
