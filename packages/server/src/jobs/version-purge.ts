/** `version_purge`: remove the bytes of versions that nothing points at any more. */
import { purgeVersion } from '../operations/purge-versions.ts';
import type { JobAttempt, JobContext, JobKind } from './job-kind.ts';

async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  const ids = job.args['version_ids'];
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) {
    throw new TypeError('The arguments have no list version_ids');
  }
  for (const id of ids) {
    job.signal.throwIfAborted();
    await purgeVersion(context, id);
  }
}

export const versionPurge: JobKind = { kind: 'version_purge', timeoutMs: 300_000, perform };
