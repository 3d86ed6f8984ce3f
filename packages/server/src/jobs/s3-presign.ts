/**
 * `s3_presign`: sign the URL of an upload request. The request's row is the truth; of the args only its id is read, so every
 * shape of them that was ever enqueued means the same. Requests that are signed at the same time are read and written
 * together, two statements for all of them.
 */
import { isRowlockError } from '@rowlock/client/contract';
import { JobCancel } from '@rowlock/queue';
import type { PutGuard } from '../backend/backend.ts';
import { fault } from '../domain/fault.ts';
import { requestFailed, requestsSigned, requestsToSign } from '../metadata/upkeep.ts';
import { type SignedPut, signPut } from '../operations/sign-put.ts';
import { gather } from './gather.ts';
import { type JobAttempt, type JobContext, type JobKind, requiredUuid } from './job-kind.ts';

interface RequestToSign extends Record<string, unknown> {
  readonly id: string;
  /** Whether it has a URL that is still good. */
  readonly is_signed: boolean;
  readonly key: string;
  readonly backend: string;
  /** As it was declared, which is what its client will send; '' for nothing. */
  readonly file_type: string;
  readonly file_size: string | null;
  readonly sha256: Buffer | null;
  readonly expiry_seconds: number;
  /** What keeps this PUT from being used once more; null where our own door does. */
  readonly put_guard: PutGuard | null;
}

interface SignedRequest extends SignedPut {
  readonly id: string;
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
      await context.db.run(requestsSigned, [
        inOrder.map(({ id }) => id),
        inOrder.map(({ url }) => url),
        inOrder.map(({ bucket }) => bucket),
        inOrder.map(({ headers }) => JSON.stringify(headers)),
        inOrder.map(({ expires_at }) => expires_at),
      ]);
      return requests.map(() => undefined);
    }),
  };
  requestsOfContext.set(context, made);
  return made;
}

async function sign(context: JobContext, request: RequestToSign): Promise<void> {
  const { id, key, backend, file_type, file_size, sha256 } = request;
  const signed = await signPut(context, {
    key,
    backend,
    fileType: file_type,
    fileSize: file_size === null ? undefined : Number(file_size),
    sha256: sha256 ?? undefined,
    expirySeconds: request.expiry_seconds,
    onlyNew: request.put_guard === 'condition',
  });
  await fault('presign.before_record');
  await requestsOf(context).signed({ id, ...signed });
  await fault('presign.after_record');
}

/** Nobody can sign this, however often it is tried. */
const isPermanent = (error: unknown): boolean =>
  isRowlockError(error, 'invalid_request', 'invalid_name', 'name_too_long', 'invalid_expiry');

/**
 * Signs one request, once: a URL that is still good stays. False where there is none to sign: it is gone, or over.
 *
 * @throws RowlockError of a permanent kind where nobody could sign it, and the row says so; whatever stood in the way otherwise
 */
export async function signUploadRequest(context: JobContext, requestId: string): Promise<boolean> {
  const request = await requestsOf(context).toSign(requestId);
  if (request === undefined) return false;
  if (request.is_signed) return true; // by an earlier attempt: the client may hold that URL already
  try {
    await sign(context, request);
    return true;
  } catch (error) {
    if (isPermanent(error)) {
      await context.db.run(requestFailed, [requestId, 'No URL can be signed for this file; its type may be at fault']);
    }
    throw error;
  }
}

async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  const requestId = requiredUuid(job, 'request_id').toLowerCase();
  try {
    await signUploadRequest(context, requestId);
  } catch (error) {
    if (isPermanent(error)) throw new JobCancel(`The request cannot be signed: ${(error as Error).message}`);
    if (job.attempt >= job.max_attempts) {
      await context.db.run(requestFailed, [requestId, 'The upload URL could not be signed; try again later']);
    }
    throw error;
  }
}

export const s3Presign: JobKind = { kind: 's3_presign', timeoutMs: 10_000, perform };
