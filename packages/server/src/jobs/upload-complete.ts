/** `upload_complete`: commit a direct upload that its client reported. */
import { completeDirectUpload } from '../operations/direct-upload.ts';
import { type JobAttempt, type JobContext, type JobKind, requiredUuid } from './job-kind.ts';

async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  const uploadId = requiredUuid(job, 'upload_id');
  if ((await completeDirectUpload(context, uploadId)) === 'waiting') {
    throw new Error('the bytes have not arrived yet');
  }
}

/** Parts of a disk are copied together, and large files read once more where they declared a digest; rescued after an hour. */
const timeoutMs = 3_000_000;

export const uploadComplete: JobKind = { kind: 'upload_complete', timeoutMs, perform };
