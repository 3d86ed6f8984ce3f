/** `version_purge`: remove the bytes of versions that nothing points at any more. */
import { purgeVersion } from '../operations/purge-versions.ts';
import type { JobAttempt, JobContext, JobKind } from './job-kind.ts';

async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  const ids = job.args['version_ids'];
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === 'string')) {
    throw new TypeError('The arguments have no list version_ids');
  }
  const failures: unknown[] = [];
  for (const id of ids) {
    job.signal.throwIfAborted();
    // One whose bytes are on a store that is away keeps none of the others.
    await purgeVersion(context, id).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

export const versionPurge: JobKind = { kind: 'version_purge', timeoutMs: 300_000, perform };
