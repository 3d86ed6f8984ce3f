/** `version_recheck`: an event said that bytes came under the key of something that is committed. */
import { recheckVersion } from '../operations/recheck-versions.ts';
import { type JobAttempt, type JobContext, type JobKind, requiredUuid } from './job-kind.ts';

async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  await recheckVersion(context, requiredUuid(job, 'version_id'));
}

export const versionRecheck: JobKind = { kind: 'version_recheck', timeoutMs: 60_000, perform };
