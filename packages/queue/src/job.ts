/**
 * A job as handlers and callers see it: the columns of `river_job` under their own names. It does no I/O. An id is
 * text, since a bigint does not fit a number; times are text with microseconds, since a Date would cut them off.
 */
import type { AttemptError } from './attempt-error.ts';

/** River's states, in the order of the enum. */
export type JobState =
  | 'available'
  | 'cancelled'
  | 'completed'
  | 'discarded'
  | 'pending'
  | 'retryable'
  | 'running'
  | 'scheduled';

/** A job. `Args` is what its kind's arguments are taken to be; nothing here has checked that. */
export interface Job<Args = unknown> {
  /** A bigint, as text. */
  readonly id: string;
  readonly kind: string;
  readonly queue: string;
  readonly state: JobState;
  readonly args: Args;
  /** How often it has been claimed; 1 during the first run. */
  readonly attempt: number;
  readonly max_attempts: number;
  /** 1 is the highest, 4 the lowest. */
  readonly priority: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly tags: readonly string[];
  /** How many attempts have failed before. */
  readonly error_count: number;
  /** ISO 8601 in UTC, with microseconds, such as `2026-01-02T03:04:05.123456Z`. */
  readonly created_at: string;
  readonly scheduled_at: string;
  /** Null as long as nobody has claimed it. */
  readonly attempted_at: string | null;
}

/** Everything about a job, for who looks at it and does not work it. */
export interface JobDetails<Args = unknown> extends Job<Args> {
  /** Set once it is `cancelled`, `completed` or `discarded`. */
  readonly finalized_at: string | null;
  /** The clients that claimed it, the last one last; at most a hundred. */
  readonly attempted_by: readonly string[];
  /** One entry for each attempt that failed. */
  readonly errors: readonly AttemptError[];
  /** The key that makes it unique, in hexadecimal digits; null where nothing does. */
  readonly unique_key: string | null;
}

/** The columns of a job as the statements select them: all text. */
export type JobColumn =
  | 'id'
  | 'kind'
  | 'queue'
  | 'state'
  | 'args'
  | 'attempt'
  | 'max_attempts'
  | 'priority'
  | 'metadata'
  | 'tags'
  | 'error_count'
  | 'created_at'
  | 'scheduled_at'
  | 'attempted_at';

/** The columns of everything about a job. */
export type JobDetailsColumn = JobColumn | 'finalized_at' | 'attempted_by' | 'errors' | 'unique_key';

/** A job as text, before anything in it was decoded. */
export type JobRow = Readonly<Record<JobColumn, string | null>>;

/** Everything about a job, as text. */
export type JobDetailsRow = Readonly<Record<JobDetailsColumn, string | null>>;

/**
 * Decodes a row.
 *
 * @throws SyntaxError where a document cannot be read, TypeError where a column is null that River never leaves so
 */
export function decodeJob(row: JobRow): Job {
  const metadata = decoded(column(row, 'metadata'));
  return {
    id: column(row, 'id'),
    kind: column(row, 'kind'),
    queue: column(row, 'queue'),
    state: column(row, 'state') as JobState,
    args: JSON.parse(column(row, 'args')),
    attempt: Number(column(row, 'attempt')),
    max_attempts: Number(column(row, 'max_attempts')),
    priority: Number(column(row, 'priority')),
    metadata: isObject(metadata) ? metadata : {},
    tags: decoded(column(row, 'tags')) as readonly string[],
    error_count: Number(column(row, 'error_count')),
    created_at: inUtc(column(row, 'created_at')),
    scheduled_at: inUtc(column(row, 'scheduled_at')),
    attempted_at: row.attempted_at === null ? null : inUtc(row.attempted_at),
  };
}

/** Decodes a row of details; throws as `decodeJob` does. */
export function decodeJobDetails(row: JobDetailsRow): JobDetails {
  return {
    ...decodeJob(row),
    finalized_at: row.finalized_at === null ? null : inUtc(row.finalized_at),
    attempted_by: list(row.attempted_by) as readonly string[],
    errors: list(row.errors) as readonly AttemptError[],
    unique_key: row.unique_key,
  };
}

/** Most jobs have no metadata and no tags. */
function decoded(json: string): unknown {
  if (json === '{}') return {};
  return json === '[]' ? [] : JSON.parse(json);
}

function list(json: string | null): readonly unknown[] {
  return json === null ? [] : (JSON.parse(json) as readonly unknown[]);
}

function column(row: JobRow, name: JobColumn): string {
  const value = row[name];
  if (value === null || value === undefined) throw new TypeError(`The job's ${name} is null`);
  return value;
}

/** The statements select times at UTC without a zone; infinity has none. */
function inUtc(time: string): string {
  return time.endsWith('infinity') ? time : `${time}Z`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
