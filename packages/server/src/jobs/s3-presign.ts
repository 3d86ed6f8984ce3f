/** `s3_presign`: sign the URL of an upload request. The request's row is the truth; of the args only its id is read. */
import { fault } from '../domain/fault.ts';
import { one, requestFailed, requestSigned, requestToSign } from '../metadata/upkeep.ts';
import { type JobAttempt, type JobContext, type JobKind, requiredUuid } from './job-kind.ts';

interface RequestToSign extends Record<string, unknown> {
  readonly status: string;
  readonly presigned_url: string | null;
  readonly key: string;
  readonly content_type: string | null;
  readonly expiry_seconds: number;
}

async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  const requestId = requiredUuid(job, 'request_id');
  const request = await one<RequestToSign>(context.db, requestToSign, [requestId]);
  if (!request || (request.status === 'completed' && request.presigned_url !== null)) {
    return; // gone, or signed by an earlier attempt: the client may hold that URL already
  }
  try {
    const url = context.backend.presignPut(request.key, {
      expirySeconds: request.expiry_seconds,
      ...(request.content_type === null ? {} : { contentType: request.content_type }),
    });
    await fault('presign.before_record');
    await context.db.run(requestSigned, [requestId, url, context.backend.bucket]);
    await fault('presign.after_record');
  } catch (error) {
    if (job.attempt >= job.max_attempts) {
      await context.db.run(requestFailed, [requestId, 'The upload URL could not be signed; try again later']);
    }
    throw error;
  }
}

export const s3Presign: JobKind = { kind: 's3_presign', timeoutMs: 10_000, perform };
