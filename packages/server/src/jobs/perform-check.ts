/**
 * What all jobs that look at the bytes of a version have in common: they find the version, look, and say what they found, in
 * `storage.version_checks`. How to look is each kind's own. Invariant: a failure is never a finding; a check that gives up says
 * `error`, and what waits for its scan goes on waiting; the sweep asks for it again, unless the error is `final`.
 */
import type { Readable } from 'node:stream';
import { JobSnooze } from '@rowlock/queue';
import type { ByteRange } from '../backend/backend.ts';
import { beginCheck, type CheckedVersion, type CheckStatus, checkWaits, endCheck } from '../metadata/file-checks.ts';
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

/** Returns where the job is over. @throws what makes the queue try again */
async function failCheck(
  { db }: JobContext,
  { job, kind, version }: { readonly job: JobAttempt; readonly kind: string; readonly version: CheckedVersion },
  error: unknown,
): Promise<void> {
  const { version_id, waited_seconds } = version;
  if (error instanceof CheckerAway && waited_seconds < patienceSeconds) {
    await db.run(checkWaits, [version_id, kind, error.message]);
    // A quarter of the time that it waits already: whoever comes back finds no crowd, and nobody waits much longer.
    throw new JobSnooze(Math.min(Math.max(waited_seconds / 4, 1), waitSecondsMax) * 1000);
  }
  const isGivenUp = error instanceof CheckGivenUp;
  if (isGivenUp || job.attempt >= job.max_attempts) {
    const said = isGivenUp || error instanceof CheckerAway ? error.message : 'nobody could look at it';
    await endCheck(db, version_id, kind, {
      status: 'error',
      detail: { error: said, ...(isGivenUp && { final: true }) },
    });
  }
  if (!isGivenUp) throw error;
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
