/**
 * `s3_presign` of an adopted row: signs the URL of a request that the deployed functions wrote, and writes what the
 * deployed worker would have written. Of the arguments, in whatever of their shapes, only the request's id is read; the
 * file's id is chosen once, so an attempt that is repeated signs the same key.
 */
import { isRowlockError } from '@rowlock/client/contract';
import { fileKey } from '../backend/keys.ts';
import { fault } from '../domain/fault.ts';
import { timeOrderedUuid } from '../domain/time-ordered-uuid.ts';
import { adoptedRequestFailed, adoptedRequestSigned, adoptedRequestToSign } from '../metadata/adopt-rows.ts';
import { one } from '../metadata/upkeep.ts';
import { type JobAttempt, type JobContext, type JobKind, requiredUuid } from './job-kind.ts';

interface AdoptedRequest extends Record<string, unknown> {
  readonly file_id: string;
  readonly entity_type: string;
  readonly entity_id: string;
  readonly file_name: string;
  readonly file_type: string;
}

/** As the deployed worker's URLs. */
const expirySeconds = 900;

/** Signs one request. What can never be signed is said in its row and is no failure of the job. */
async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  const requestId = requiredUuid(job, 'request_id').toLowerCase();
  const request = await one<AdoptedRequest>(context.db, adoptedRequestToSign, [requestId, timeOrderedUuid()]);
  if (request === undefined) return; // gone, or answered: the client may hold its URL already
  try {
    const key = fileKey(request);
    const url = await context.backends.default.presignPut(key, {
      expirySeconds,
      ...(request.file_type === '' ? {} : { contentType: request.file_type }),
      ...(context.upload_acl === undefined ? {} : { acl: context.upload_acl }),
    });
    await fault('presign.before_record');
    await context.db.run(adoptedRequestSigned, [requestId, key, url]);
    await fault('presign.after_record');
  } catch (error) {
    const isHopeless = isRowlockError(error, 'invalid_name') || isRowlockError(error, 'name_too_long');
    if (isHopeless || job.attempt >= job.max_attempts) {
      const reason = isHopeless
        ? 'Entity type and id may have only letters, digits, ".", "_" and "-"'
        : 'The upload URL could not be signed; try again later';
      await context.db.run(adoptedRequestFailed, [requestId, reason]);
    }
    if (!isHopeless) throw error;
  }
}

export const adoptedPresign: JobKind = { kind: 's3_presign', timeoutMs: 10_000, perform };
