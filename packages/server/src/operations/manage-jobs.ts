/**
 * What operators do with the queue: look at queues and jobs, retry, cancel and delete jobs, pause queues. The service
 * role's alone, which the database decides; what it shows has no secrets in it.
 */
import type { Caller } from '../domain/caller.ts';
import {
  changeJobs,
  changeMatchingJobs,
  type JobAction,
  type JobFilter,
  type JobPlace,
  selectJob,
  selectJobCount,
  selectJobOverview,
  selectJobs,
  setQueuePaused,
} from '../metadata/job-admin.ts';
import type { OperationContext } from './context.ts';
import { refusalFor } from './refusals.ts';

/** Which jobs an action is for: those of the ids, or the next ones of a filter. */
export type JobSelection =
  | { readonly ids: readonly string[] }
  | { readonly filter: JobFilter; readonly cursor?: string | undefined; readonly limit: number };

async function asOperator<T>(caller: Caller, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw refusalFor(caller, error);
  }
}

/** Counts of the queues, who works them, and who leads. @throws RowlockError `not_allowed`, `auth_required` */
export function showJobOverview({ db }: OperationContext, caller: Caller): Promise<unknown> {
  return asOperator(caller, selectJobOverview(db, caller));
}

/** A page of jobs and the cursor of the next. @throws RowlockError `not_allowed`, `auth_required`, `invalid_request` */
export function listJobs(
  { db }: OperationContext,
  caller: Caller,
  filter: JobFilter,
  place: JobPlace,
): Promise<unknown> {
  return asOperator(caller, selectJobs(db, caller, filter, place));
}

/** How many jobs a filter fits. @throws RowlockError `not_allowed`, `auth_required` */
export function countJobs({ db }: OperationContext, caller: Caller, filter: JobFilter): Promise<unknown> {
  return asOperator(caller, selectJobCount(db, caller, filter));
}

/** All of one job. @throws RowlockError `job_not_found`, `not_allowed`, `auth_required` */
export function showJob({ db }: OperationContext, caller: Caller, id: string): Promise<unknown> {
  return asOperator(caller, selectJob(db, caller, id));
}

/** Retries, cancels or deletes; says what it did not do, and why. @throws RowlockError `not_allowed`, `auth_required` */
export function actOnJobs(
  { db }: OperationContext,
  caller: Caller,
  action: JobAction,
  selection: JobSelection,
): Promise<unknown> {
  const work =
    'ids' in selection
      ? changeJobs(db, caller, action, selection.ids)
      : changeMatchingJobs([db, caller], action, selection.filter, selection);
  return asOperator(caller, work);
}

/** Pauses or resumes a queue. @throws RowlockError `queue_not_found`, `not_allowed`, `auth_required` */
export function pauseQueue(
  { db }: OperationContext,
  caller: Caller,
  queue: string,
  isPaused: boolean,
): Promise<unknown> {
  return asOperator(caller, setQueuePaused(db, caller, queue, isPaused));
}

export type { JobAction, JobFilter } from '../metadata/job-admin.ts';
