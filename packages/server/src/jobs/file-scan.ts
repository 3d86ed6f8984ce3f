/**
 * `file_scan`: ask the scanner whether the bytes of a version are infected. Invariant: `clean` is said only of exactly the bytes
 * that were committed, and only where the scanner said it of all of them; whatever else happens, the version stays what it was.
 */
import { createHash, type Hash } from 'node:crypto';
import type { CheckedVersion } from '../metadata/file-checks.ts';
import { recheckVersion } from '../operations/recheck-versions.ts';
import { ScanError, type Scanner } from '../scanning/clamd.ts';
import type { JobAttempt, JobContext, JobKind } from './job-kind.ts';
import { CheckerAway, CheckGivenUp, type CheckResult, performCheck } from './perform-check.ts';

async function perform(context: JobContext, job: JobAttempt): Promise<void> {
  await performCheck(context, job, fileScan.kind, (version) => scan(context, version, job.signal));
}

async function scan(context: JobContext, version: CheckedVersion, signal: AbortSignal): Promise<CheckResult> {
  const scanner = context.checks?.scanner;
  if (scanner === undefined) {
    throw new CheckerAway('no scanner is configured: set CLAMD for workers of the queue checks');
  }
  if (Number(version.size) > scanner.bytesMax) {
    throw new CheckGivenUp(`it has ${version.size} bytes, and at most ${scanner.bytesMax} are scanned`);
  }
  try {
    return await scanBytes(context, version, { scanner, signal });
  } catch (error) {
    if (!(error instanceof ScanError)) throw error;
    switch (error.failure) {
      case 'away':
        throw new CheckerAway(error.message, { cause: error });
      case 'too_large':
        throw new CheckGivenUp(error.message, { cause: error });
      default:
        throw error;
    }
  }
}

async function scanBytes(
  context: JobContext,
  version: CheckedVersion,
  { scanner, signal }: { readonly scanner: Scanner; readonly signal: AbortSignal },
): Promise<CheckResult> {
  const backend = context.backends.of(version.backend);
  const { sha256, etag, key, version_id } = version;
  const hash = createHash('sha256');
  const verdict = await scanner.scan(async () => hashed((await backend.get(key)).stream, hash), signal);
  if (verdict.status === 'infected') {
    return { status: 'infected', detail: { signature: verdict.signature } };
  }
  const digest = hash.digest();
  if (sha256 !== null && !digest.equals(sha256)) {
    await recheckVersion(context, version_id); // says so where the store knows that they were replaced
    throw new CheckGivenUp('its bytes are not those that were committed');
  }
  // What no server has seen has no digest: the store says whether it is the same.
  if (sha256 === null && etag !== null && (await backend.head(key))?.etag !== etag) {
    await recheckVersion(context, version_id);
    throw new CheckGivenUp('its bytes are not those that were committed');
  }
  return { status: 'clean', detail: { sha256: digest.toString('hex') } };
}

async function* hashed(bytes: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}

/** Five GiB at a slow scanner; what happens meanwhile the scanner's own limits bound. */
const timeoutMs = 3_600_000;

export const fileScan: JobKind = { kind: 'file_scan', timeoutMs, perform };
