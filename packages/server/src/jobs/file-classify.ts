/** `file_classify`: ask the classifier that is configured what is in a file, and keep what it says. */
import { ClassifyError } from '../scanning/http-classifier.ts';
import type { JobAttempt, JobContext, JobKind } from './job-kind.ts';
import { CheckerAway, CheckGivenUp, type CheckResult, checkedFile, performCheck } from './perform-check.ts';

async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  await performCheck(context, job, fileClassify.kind, async (version): Promise<CheckResult> => {
    const classifier = context.checks?.classifier;
    if (classifier === undefined) {
      throw new CheckerAway('no classifier is configured: set CLASSIFY_URL for workers of the queue checks');
    }
    const { sha256: _, owner_id: __, ...file } = checkedFile(context, version);
    try {
      return { detail: await classifier.classify(file, job.signal) };
    } catch (error) {
      if (!(error instanceof ClassifyError)) throw error;
      throw error.failure === 'away'
        ? new CheckerAway(error.message, { cause: error })
        : new CheckGivenUp(error.message, { cause: error });
    }
  });
}

export const fileClassify: JobKind = { kind: 'file_classify', timeoutMs: 300_000, perform };
