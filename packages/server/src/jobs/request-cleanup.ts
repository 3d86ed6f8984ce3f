/** `request_cleanup`: upload requests that are over leave their table, asked for periodically by every worker and done by one. */
import { cleanUpRequests } from '../operations/clean-up-requests.ts';
import type { JobAttempt, JobContext, JobKind } from './job-kind.ts';

async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  await cleanUpRequests(context.db, { signal: job.signal });
}

export const requestCleanup: JobKind = { kind: 'request_cleanup', timeoutMs: 600_000, perform };
