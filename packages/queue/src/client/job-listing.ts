/** What a caller may ask of a list of jobs, and what that is to the statement. It reads nothing. */
import type { JobDetails, JobState } from '../job.ts';
import { QueueError } from '../queue-error.ts';
import type { JobFilter, JobListing, Place, TimeColumn } from '../statements/job-list.ts';
import { decodeListCursor, encodeListCursor, type JobListOrder } from './list-cursor.ts';

/** Which jobs to list, in which order. */
export interface JobListOptions extends JobFilter {
  /** 1 to 10,000. Default 100. */
  readonly limit?: number;
  /**
   * By `time`, jobs are ordered by the time that goes with the first of the states: `attempted_at` for `running`,
   * `finalized_at` for those that have ended, else `scheduled_at`. By `finalized_at`, `states` must have ended.
   * Default `id`.
   */
  readonly orderBy?: JobListOrder;
  /** Default `asc`. */
  readonly order?: 'asc' | 'desc';
  /** The `cursor` of the page before. The rest of the options must be the same as for that. */
  readonly after?: string;
}

/** One page of a list. */
export interface JobPage {
  readonly jobs: readonly JobDetails[];
  /** Where the next page begins; null for an empty page. Go's client reads it too. */
  readonly cursor: string | null;
}

const limitDefault = 100;
const limitMax = 10_000;
const finalStates: readonly JobState[] = ['cancelled', 'completed', 'discarded'];

/**
 * Checks what was asked for.
 *
 * @throws QueueError `invalid_option`
 */
export function jobListing(options: JobListOptions): JobListing {
  const { limit, orderBy = 'id', order = 'asc', after, ...filter } = options;
  if (orderBy === 'finalized_at' && !isOver(filter.states)) {
    throw new QueueError('invalid_option', 'A list by finalized_at needs states, all of which have ended');
  }
  return {
    filter,
    time: timeColumn(orderBy, filter.states),
    is_descending: order === 'desc',
    after: after === undefined ? undefined : placeOf(after, orderBy),
    limit: checkedLimit(limit),
  };
}

/** Makes a page of jobs that were listed. */
export function jobPage(jobs: readonly JobDetails[], { orderBy = 'id', states }: JobListOptions): JobPage {
  const last = jobs.at(-1);
  if (last === undefined) return { jobs, cursor: null };
  const time = timeColumn(orderBy, states);
  return { jobs, cursor: encodeListCursor(last, orderBy, time === undefined ? null : last[time]) };
}

/**
 * Checks a number of rows.
 *
 * @throws QueueError `invalid_option`
 */
export function checkedLimit(limit: number = limitDefault): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= limitMax) return limit;
  throw new QueueError('invalid_option', `limit: 1 to ${limitMax}`);
}

function timeColumn(orderBy: JobListOrder, states: readonly JobState[] | undefined): TimeColumn | undefined {
  if (orderBy === 'id') return undefined;
  if (orderBy !== 'time') return orderBy;
  const first = states?.[0] ?? 'available';
  if (first === 'running') return 'attempted_at';
  return finalStates.includes(first) ? 'finalized_at' : 'scheduled_at';
}

function placeOf(cursor: string, orderBy: JobListOrder): Place {
  const { id, time, order } = decodeListCursor(cursor);
  if (order === orderBy) return { id, time };
  throw new QueueError('invalid_option', `The cursor is of a list by ${order}, and this one is by ${orderBy}`);
}

function isOver(states: readonly JobState[] | undefined): boolean {
  return states !== undefined && states.length > 0 && states.every((state) => finalStates.includes(state));
}
