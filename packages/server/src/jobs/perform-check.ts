/**
 * What all jobs that look at the bytes of a version have in common: they find the version, look, and say what they found, in
 * `storage.version_checks`. How to look is each kind's own. Invariant: a failure is never a finding; a check whose job ends without
 * one says `error`, and one whose job runs again says nothing yet; what waits for its scan goes on waiting, and the sweep asks for
 * it again, unless the error is `final`.
 */
import type { Readable } from 'node:stream';
import { JobCancel, JobSnooze, QueueError } from '@rowlock/queue';
import type { ByteRange } from '../backend/backend.ts';
import { beginCheck, type CheckedVersion, type CheckStatus, endCheck, waitCheck } from '../metadata/file-checks.ts';
import { type JobAttempt, type JobContext, requiredUuid } from './job-kind.ts';

/** What was found: `clean` and `infected` of scans, `done` of everything else. */
export interface CheckResult {
  readonly status?: Exclude<CheckStatus, 'error'>;
  /** Anything that JSON says in 40 KiB. The file's owner reads it. */
  readonly detail?: unknown;
}

/** Who should look is not there: the check waits, and its attempts are not counted, for a day. */
export class CheckerAway extends Error {}

/** Looking again would find nothing else: there is no further attempt, ever. The file's owner reads the message. */
export class CheckGivenUp extends Error {}

/** A file that is looked at. */
export interface CheckedFile {
  readonly version_id: string;
  /** Where it is, or was when nothing names it any more. */
  readonly bucket: string | null;
  readonly name: string | null;
  readonly owner_id: string | null;
  /** Bytes. */
  readonly size: number;
  readonly content_type: string;
  readonly detected_type: string | null;
  /** In hex; null for bytes that no server has seen. */
  readonly sha256: string | null;
  /** Opens the bytes, or a part of them. Read the stream to its end, or destroy it. */
  open(range?: ByteRange): Promise<Readable>;
  /** A URL that reads the file, 1 to 3,600 seconds; an hour unless given. */
  url(expirySeconds?: number): Promise<string>;
}

const waitSecondsMax = 300;
const patienceSeconds = 86_400;
const detailBytesMax = 40 * 2 ** 10;
const saidCharsMax = 500;

/**
 * Performs one attempt of a check of the version that the arguments name. Idempotent: where somebody has looked already,
 * nobody looks again.
 */
export async function performCheck(
  context: JobContext,
  job: JobAttempt,
  kind: string,
  look: (version: CheckedVersion) => Promise<CheckResult | undefined>,
): Promise<void> {
  const versionId = requiredUuid(job, 'version_id');
  const version = await beginCheck(context.db, versionId, kind);
  if (version === undefined) return;
  let result: CheckResult | undefined;
  try {
    result = await look(version);
    assertResult(kind, result);
  } catch (error) {
    await failCheck(context, { job, kind, version }, error);
    return;
  }
  const found = { status: result?.status ?? 'done', detail: result?.detail } as const;
  const { outcome, wait_seconds } = await endCheck(context.db, versionId, kind, found);
  if (outcome === 'waits') throw new JobSnooze(Math.max(wait_seconds ?? 0, 1) * 1000);
}

/** Returns where the job is over. @throws what the queue makes of the job: an end, or another attempt */
async function failCheck(
  { db }: JobContext,
  { job, kind, version }: { readonly job: JobAttempt; readonly kind: string; readonly version: CheckedVersion },
  error: unknown,
): Promise<void> {
  const { version_id, waited_seconds } = version;
  if (isToRunAgain(job, error)) throw error;
  if (error instanceof CheckerAway && !isCancelled(job) && waited_seconds < patienceSeconds) {
    await waitCheck(db, version_id, kind, error.message);
    // A quarter of the time that it waits already: whoever comes back finds no crowd, and nobody waits much longer.
    throw new JobSnooze(Math.min(Math.max(waited_seconds / 4, 1), waitSecondsMax) * 1000);
  }
  const isFinal = error instanceof CheckGivenUp || error instanceof JobCancel;
  if (isFinal || isCancelled(job) || job.attempt >= job.max_attempts) {
    const detail = { error: saidOf(job, error), ...(isFinal && { final: true }) };
    await endCheck(db, version_id, kind, { status: 'error', detail });
  }
  // Of a job that is cancelled the queue keeps the reason too.
  if (!(error instanceof CheckGivenUp)) throw error;
}

/** Whether the queue gives the job another attempt, however many it had: its check waits for that. */
function isToRunAgain(job: JobAttempt, error: unknown): boolean {
  if (error instanceof JobCancel || isCancelled(job)) return false;
  return error instanceof JobSnooze || stopReason(job.signal) === 'worker_stopping';
}

/** Whether somebody has cancelled the job while it ran: nobody looks any more, unless they are asked again. */
function isCancelled({ signal }: JobAttempt): boolean {
  return stopReason(signal) === 'job_cancelled';
}

function stopReason(signal: AbortSignal): string | undefined {
  const reason: unknown = signal.aborted ? signal.reason : undefined;
  return reason instanceof QueueError ? reason.reason : undefined;
}

/** What the file's owner reads: words that were meant for them, and of nothing else any. */
function saidOf(job: JobAttempt, error: unknown): string {
  const isMeant = error instanceof CheckGivenUp || error instanceof JobCancel;
  if (isMeant) return error.message.slice(0, saidCharsMax);
  if (isCancelled(job)) return 'its job was cancelled';
  return error instanceof CheckerAway ? error.message.slice(0, saidCharsMax) : 'nobody could look at it';
}

/** @throws TypeError for what cannot be kept, and for a scan that does not say what it found */
function assertResult(kind: string, result: CheckResult | undefined): void {
  const status = result?.status ?? 'done';
  const isScan = kind === 'file_scan';
  if (!['done', 'clean', 'infected'].includes(status) || (isScan && status === 'done')) {
    throw new TypeError(`A check of kind ${kind} says ${isScan ? 'clean or infected' : 'done, clean or infected'}`);
  }
  const bytes = Buffer.byteLength(JSON.stringify(result?.detail) ?? '');
  if (bytes > detailBytesMax) throw new TypeError(`The detail of a check has at most ${detailBytesMax} bytes of JSON`);
}

/** The file of a version, for whoever looks at it. */
export function checkedFile({ backends }: JobContext, version: CheckedVersion): CheckedFile {
  const { version_id, bucket_id, name, owner_id, size, content_type, detected_type, sha256, key } = version;
  return {
    version_id,
    bucket: bucket_id,
    name,
    owner_id,
    size: Number(size),
    content_type,
    detected_type,
    sha256: sha256?.toString('hex') ?? null,
    open: async (range) => (await backends.of(version.backend).get(key, range)).stream,
    url: (expirySeconds = 3600) => backends.of(version.backend).presignGet(key, { expirySeconds }),
  };
}
