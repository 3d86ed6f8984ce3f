/**
 * Reads or deletes the jobs that fit a filter, in an order, from a place on. The text is put together from the parts
 * that were asked for, so that each question is planned by itself and finds its index; values are always parameters.
 */
import type { JobDetailsColumn, JobDetailsRow, JobState } from '../job.ts';
import type { SchemaName } from '../schema-name.ts';
import { jobDetailsColumnNames, jobDetailsColumns } from './job-columns.ts';
import { type Queryable, run } from './statement.ts';

/** Which jobs. What is left out does not matter; an empty list fits none. */
export interface JobFilter {
  readonly ids?: readonly string[];
  readonly kinds?: readonly string[];
  readonly queues?: readonly string[];
  readonly states?: readonly JobState[];
  readonly priorities?: readonly number[];
  /** Jobs that have all of these. */
  readonly tags?: readonly string[];
  /** Metadata that hold all of this, by containment of jsonb. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** By which time jobs are ordered. */
export type TimeColumn = 'scheduled_at' | 'attempted_at' | 'finalized_at';

/** Where a page begins: behind the job with this id and this time, null where the job has none. */
export interface Place {
  readonly id: string;
  readonly time: string | null;
}

/** What to list. */
export interface JobListing {
  readonly filter: JobFilter;
  /** Jobs are ordered by id, or by this time and then by id. */
  readonly time: TimeColumn | undefined;
  readonly is_descending: boolean;
  readonly after: Place | undefined;
  readonly limit: number;
}

const filters: Readonly<Record<keyof JobFilter, (schema: string, parameter: string) => string>> = {
  ids: (_schema, given) => `job.id = ANY (${given}::bigint[])`,
  kinds: (_schema, given) => `job.kind = ANY (${given}::text[])`,
  queues: (_schema, given) => `job.queue = ANY (${given}::text[])`,
  states: (schema, given) => `job.state = ANY (CAST(${given}::text[] AS ${schema}.river_job_state[]))`,
  priorities: (_schema, given) => `job.priority = ANY (${given}::smallint[])`,
  tags: (_schema, given) => `job.tags @> CAST(${given}::text[] AS varchar(255)[])`,
  metadata: (_schema, given) => `job.metadata @> ${given}::jsonb`,
};

/** Returns up to `limit` jobs. */
export async function jobList(
  on: Queryable,
  schema: SchemaName,
  listing: JobListing,
): Promise<readonly JobDetailsRow[]> {
  const { conditions, values, order } = partsOf(schema, listing);
  const text = `
    SELECT ${jobDetailsColumns('job')} FROM ${schema.quoted}.river_job AS job
    WHERE ${conditions}
    ORDER BY ${order}
    LIMIT ${limitOf(listing)}`;
  return (await run<JobDetailsColumn>(on, { name: '', text }, values)).rows;
}

/** Deletes up to `limit` jobs that are neither running nor locked by anybody, and returns what they were. */
export async function jobDeleteMany(
  on: Queryable,
  schema: SchemaName,
  listing: JobListing,
): Promise<readonly JobDetailsRow[]> {
  const { conditions, values, order } = partsOf(schema, listing);
  const text = `
    WITH found AS MATERIALIZED (
      SELECT job.* FROM ${schema.quoted}.river_job AS job
      WHERE ${conditions} AND job.state <> 'running'
      ORDER BY ${order}
      LIMIT ${limitOf(listing)}
      FOR UPDATE SKIP LOCKED
    ),
    deleted AS (
      DELETE FROM ${schema.quoted}.river_job AS job USING found WHERE job.id = found.id
    ),
    shown AS (SELECT ${jobDetailsColumns('found')} FROM found)
    SELECT ${jobDetailsColumnNames.map((name) => `shown.${name}`).join(', ')} FROM shown`;
  return (await run<JobDetailsColumn>(on, { name: '', text }, values)).rows;
}

interface Parts {
  readonly conditions: string;
  readonly values: readonly unknown[];
  readonly order: string;
}

function partsOf(schema: SchemaName, { filter, time, is_descending, after }: JobListing): Parts {
  const values: unknown[] = [];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const conditions = Object.entries(filters).flatMap(([name, condition]) => {
    const value = filter[name as keyof JobFilter];
    if (value === undefined) return [];
    return [condition(schema.quoted, parameter(name === 'metadata' ? JSON.stringify(value) : value))];
  });
  if (time === 'finalized_at') conditions.push(...finalizedOnly(filter));
  if (after !== undefined) conditions.push(behind(after, time, is_descending, parameter));
  const direction = is_descending ? 'DESC' : 'ASC';
  const order = `${time === undefined ? '' : `job.${time} ${direction}, `}job.id ${direction}`;
  return { conditions: conditions.length === 0 ? 'true' : conditions.join(' AND '), values, order };
}

/** Says what these states imply, so that the index of finalized jobs can be used. */
function finalizedOnly({ states }: JobFilter): readonly string[] {
  const final: readonly JobState[] = ['cancelled', 'completed', 'discarded'];
  return states?.every((state) => final.includes(state)) ? ['job.finalized_at IS NOT NULL'] : [];
}

/** Nulls come last in ascending order and first in descending order, as PostgreSQL has it and Go. */
function behind(
  { id, time: at }: Place,
  time: TimeColumn | undefined,
  isDescending: boolean,
  parameter: (value: unknown) => string,
): string {
  const beyond = isDescending ? '<' : '>';
  const byId = `job.id ${beyond} ${parameter(id)}::bigint`;
  if (time === undefined) return byId;
  if (at === null) return isDescending ? `(job.${time} IS NOT NULL OR ${byId})` : `(job.${time} IS NULL AND ${byId})`;
  const moment = `${parameter(at)}::timestamptz`;
  const later = `job.${time} ${beyond} ${moment} OR (job.${time} = ${moment} AND ${byId})`;
  return isDescending ? `(${later})` : `(${later} OR job.${time} IS NULL)`;
}

function limitOf({ limit }: JobListing): string {
  return String(Math.trunc(limit));
}
