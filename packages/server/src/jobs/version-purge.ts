/** `version_purge`: remove the bytes of versions that nothing points at any more. */
import { purgeVersion } from '../operations/purge-versions.ts';
import type { JobAttempt, JobContext, JobKind } from './job-kind.ts';

async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  const ids = job.args['version_ids'];
  for (const id of Array.isArray(ids) ? ids : []) {
    job.signal.throwIfAborted();
    if (typeof id === 'string') {
      await purgeVersion(context, id);
    }
  }
}

export const versionPurge: JobKind = { kind: 'version_purge', timeoutMs: 300_000, perform };
