/** The queue and the health of a service, for its operators: calls with the service role's token. It keeps no state. */
import type { StorageClient } from './client.ts';
import type {
  JobAction,
  JobDetails,
  JobFilter,
  JobOverview,
  JobPage,
  JobsChanged,
  StorageHealth,
} from './contract/jobs.ts';
import { queryOf } from './filled.ts';

const at = '/storage/v1/jobs';

function ask<T>(client: StorageClient, method: string, path: string, json?: unknown): Promise<T> {
  return client.ask({ method, path, json });
}

/** Queues, states, workers and the leader, in one look that costs the database little. */
export function jobOverview(client: StorageClient): Promise<JobOverview> {
  return ask(client, 'GET', `${at}/overview`);
}

/** A page of up to 200 jobs; with the cursor of the one before, the next. */
export function listJobs(
  client: StorageClient,
  { state, queue, kind, cursor, limit = 50 }: JobFilter & { readonly cursor?: string; readonly limit?: number } = {},
): Promise<JobPage> {
  return ask(client, 'GET', at + queryOf({ state, queue, kind, cursor, limit: `${limit}` }));
}

/** Counts jobs, to ten thousand: `is_exact` is false where there may be more. */
export function countJobs(
  client: StorageClient,
  { state, queue, kind }: JobFilter,
): Promise<{ readonly count: number; readonly is_exact: boolean }> {
  return ask(client, 'GET', `${at}/count${queryOf({ state, queue, kind })}`);
}

/** @throws RowlockError `job_not_found` */
export function getJob(client: StorageClient, id: string): Promise<JobDetails> {
  return ask(client, 'GET', `${at}/${encodeURIComponent(id)}`);
}

/** Does something to up to 1,000 jobs by their ids, or to the next 200 of a filter. */
export function changeJobs(
  client: StorageClient,
  action: JobAction,
  jobs: { readonly ids: readonly string[] } | { readonly filter: JobFilter; readonly cursor?: string },
): Promise<JobsChanged> {
  return ask(client, 'POST', `${at}/${action}`, jobs);
}

/** Pauses or resumes a queue, or every one: `*`. @throws RowlockError `queue_not_found` */
export async function pauseQueue(client: StorageClient, queue: string, paused: boolean): Promise<void> {
  await ask(client, 'PUT', `${at}/queues/${encodeURIComponent(queue)}`, { paused });
}

/** What is kept, by whom, at which cost, and what needs care. */
export function storageHealth(client: StorageClient): Promise<StorageHealth> {
  return ask(client, 'GET', '/storage/v1/health');
}
