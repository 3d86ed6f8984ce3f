/**
 * The queue as its operators see and change it: one function of the database each, called as the caller, whose role decides.
 * Answers are JSON as the database made it, without secrets; nothing is added here.
 */
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';

/** What is done to jobs. */
export type JobAction = 'retry' | 'cancel' | 'delete';

/** Which jobs; what is undefined does not matter. */
export interface JobFilter {
  readonly state?: string | undefined;
  readonly queue?: string | undefined;
  readonly kind?: string | undefined;
}

/** A page: where it begins, and how many jobs it has at most. */
export interface JobPlace {
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export const jobOverview: Statement = { name: 'job_overview', text: 'SELECT storage.job_overview() AS body' };

export const jobsPage: Statement = {
  name: 'jobs_page',
  text: 'SELECT storage.jobs_page($1::text, $2::text, $3::text, $4::text, $5::integer) AS body',
};

export const jobsCount: Statement = {
  name: 'jobs_count',
  text: 'SELECT storage.jobs_count($1::text, $2::text, $3::text) AS body',
};

export const jobDetails: Statement = { name: 'job_details', text: 'SELECT storage.job_details($1::bigint) AS body' };

export const jobsChange: Statement = {
  name: 'jobs_change',
  text: 'SELECT storage.jobs_change($1::text, $2::bigint[]) AS body',
};

export const jobsChangeMatching: Statement = {
  name: 'jobs_change_matching',
  text: 'SELECT storage.jobs_change_matching($1::text, $2::text, $3::text, $4::text, $5::text, $6::integer) AS body',
};

export const queueSetPaused: Statement = {
  name: 'queue_set_paused',
  text: 'SELECT storage.queue_set_paused($1::text, $2::boolean)::float8 AS body',
};

const filterValues = ({ state, queue, kind }: JobFilter): readonly unknown[] =>
  [state, queue, kind].map((value) => value ?? null);

async function bodyOf(
  [db, caller]: readonly [Database, Caller],
  scope: { readonly operation: string; readonly readOnly?: boolean },
  statement: Statement,
  values: readonly unknown[],
): Promise<unknown> {
  const [row] = await db.asCaller<{ readonly body: unknown }>(caller, scope, statement, values);
  return row?.body;
}

/** Counts of the queues, who works them, and who leads. */
export function selectJobOverview(db: Database, caller: Caller): Promise<unknown> {
  return bodyOf([db, caller], { operation: 'storage.jobs.list', readOnly: true }, jobOverview, []);
}

/** A page of jobs. */
export function selectJobs(db: Database, caller: Caller, filter: JobFilter, place: JobPlace): Promise<unknown> {
  const values = [...filterValues(filter), place.cursor ?? null, place.limit];
  return bodyOf([db, caller], { operation: 'storage.jobs.list', readOnly: true }, jobsPage, values);
}

/** How many jobs a filter fits, as far as that is counted. */
export function selectJobCount(db: Database, caller: Caller, filter: JobFilter): Promise<unknown> {
  return bodyOf([db, caller], { operation: 'storage.jobs.list', readOnly: true }, jobsCount, filterValues(filter));
}

/** All of one job. @throws RowlockError `job_not_found` */
export function selectJob(db: Database, caller: Caller, id: string): Promise<unknown> {
  return bodyOf([db, caller], { operation: 'storage.jobs.get', readOnly: true }, jobDetails, [id]);
}

/** Does something to jobs. Atomic; those that cannot be are named in the answer. */
export function changeJobs(db: Database, caller: Caller, action: JobAction, ids: readonly string[]): Promise<unknown> {
  return bodyOf([db, caller], { operation: `storage.jobs.${action}` }, jobsChange, [action, ids]);
}

/** Does something to the next jobs of a filter. */
export function changeMatchingJobs(
  [db, caller]: readonly [Database, Caller],
  action: JobAction,
  filter: JobFilter,
  place: JobPlace,
): Promise<unknown> {
  const values = [action, ...filterValues(filter), place.cursor ?? null, place.limit];
  return bodyOf([db, caller], { operation: `storage.jobs.${action}` }, jobsChangeMatching, values);
}

/** Pauses or resumes a queue, or all for `*`. @throws RowlockError `queue_not_found` */
export function setQueuePaused(db: Database, caller: Caller, queue: string, isPaused: boolean): Promise<unknown> {
  return bodyOf([db, caller], { operation: 'storage.queue.set' }, queueSetPaused, [queue, isPaused]);
}
