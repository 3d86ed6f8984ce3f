/**
 * `s3_presign`: sign the URL of an upload request. The request's row is the truth; of the args only its id is read.
 * Requests that are signed at the same time are read and written together, two statements for all of them.
 */
import { fault } from '../domain/fault.ts';
import { requestFailed, requestsSigned, requestsToSign } from '../metadata/upkeep.ts';
import { gather } from './gather.ts';
import { type JobAttempt, type JobContext, type JobKind, requiredUuid } from './job-kind.ts';

interface RequestToSign extends Record<string, unknown> {
  readonly id: string;
  readonly status: string;
  readonly presigned_url: string | null;
  readonly key: string;
  readonly content_type: string | null;
  readonly expiry_seconds: number;
}

interface SignedRequest {
  readonly id: string;
  readonly url: string;
}

/** The two statements, for whoever needs them at the moment. */
interface Requests {
  readonly toSign: (id: string) => Promise<RequestToSign | undefined>;
  readonly signed: (request: SignedRequest) => Promise<void>;
}

const requestsOfContext = new WeakMap<JobContext, Requests>();

function requestsOf(context: JobContext): Requests {
  const known = requestsOfContext.get(context);
  if (known !== undefined) return known;
  const made: Requests = {
    toSign: gather(async (ids: readonly string[]) => {
      const rows = await context.db.run<RequestToSign>(requestsToSign, [ids]);
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id));
    }),
    signed: gather(async (requests: readonly SignedRequest[]) => {
      const inOrder = requests.toSorted((a, b) => (a.id < b.id ? -1 : 1)); // two workers lock in one order
      const [ids, urls] = [inOrder.map(({ id }) => id), inOrder.map(({ url }) => url)];
      await context.db.run(requestsSigned, [ids, urls, context.backend.bucket]);
      return requests.map(() => undefined);
    }),
  };
  requestsOfContext.set(context, made);
  return made;
}

async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  const requestId = requiredUuid(job, 'request_id').toLowerCase();
  const requests = requestsOf(context);
  const request = await requests.toSign(requestId);
  if (!request || (request.status === 'completed' && request.presigned_url !== null)) {
    return; // gone, or signed by an earlier attempt: the client may hold that URL already
  }
  try {
    const url = context.backend.presignPut(request.key, {
      expirySeconds: request.expiry_seconds,
      ...(request.content_type === null ? {} : { contentType: request.content_type }),
    });
    await fault('presign.before_record');
    await requests.signed({ id: requestId, url });
    await fault('presign.after_record');
  } catch (error) {
    if (job.attempt >= job.max_attempts) {
      await context.db.run(requestFailed, [requestId, 'The upload URL could not be signed; try again later']);
    }
    throw error;
  }
}

export const s3Presign: JobKind = { kind: 's3_presign', timeoutMs: 10_000, perform };
