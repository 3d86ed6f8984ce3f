/**
 * Copies versions from one backend to another while the service runs: page by page in the order of keys, a few at once, at a
 * rate that can be bounded. What is copied is not on the source any more, so a run that was killed goes on by beginning
 * again. It never touches what it cannot copy whole, and removes nothing itself.
 */
import { randomUUID } from 'node:crypto';
import { RowlockError } from '@rowlock/client/contract';
import type { Backends } from '../backend/backends.ts';
import { BytePace } from '../domain/byte-pace.ts';
import { fault } from '../domain/fault.ts';
import {
  backendCopyAdvance,
  backendCopyBegin,
  backendCopyFailures,
  backendVersionsLeft,
  type CopyFailure,
  type CopyRun,
  type CopyScope,
  selectVersionsToCopy,
  type VersionToCopy,
} from '../metadata/backend-copies.ts';
import type { Database } from '../metadata/database.ts';
import { type CopyParts, copyVersion, type VersionCopyOptions } from './copy-version.ts';

export interface CopyBackendOptions {
  /** Names of backends, both open in this process. */
  readonly from: string;
  readonly to: string;
  /** Only what objects of this bucket have or had, and their variants; all when undefined. */
  readonly bucket?: string | undefined;
  /** With `bucket`: only below this prefix. */
  readonly prefix?: string | undefined;
  /** Counts and copies nothing. */
  readonly dryRun?: boolean;
  /** Goes on with the last run of this scope that did not end, past what it could not copy. */
  readonly resume?: boolean;
  /** Versions at once. Default 4. */
  readonly concurrency?: number;
  /** Most bytes a second; none unless given. */
  readonly bytesPerSecond?: number;
  /** How long the old bytes stay for those who read them, in seconds. Default 7,200: longer than any presigned URL lives. */
  readonly graceSeconds?: number;
  /** Versions that are asked for at once. Default 500. */
  readonly pageSize?: number;
  /** Ends the run; it can be resumed. */
  readonly signal?: AbortSignal;
  /** Called after each version. */
  readonly onVersion?: (progress: CopyProgress) => void;
}

export interface CopyProgress {
  /** Versions that are on the other backend now, and their bytes; with `dryRun`, that would be. */
  copied: number;
  bytes: number;
  /** Deleted or moved while they were copied. */
  gone: number;
  failed: number;
}

export interface CopyReport extends Readonly<CopyProgress> {
  /** The row of `storage.backend_copies`; null of a dry run. All failures stand in `storage.backend_copy_failures`. */
  readonly run_id: string | null;
  readonly resumed: boolean;
  readonly from: string;
  readonly to: string;
  /** Versions that are stored on the source now, those that failed and those of other buckets included. */
  readonly left: number;
  /** The first thousand. */
  readonly failures: readonly CopyFailure[];
}

const graceSecondsDefault = 7200;
const failuresShownMax = 1000;

/**
 * Copies. Every version changes over by itself: however this ends, each is on one backend or on the other, whole.
 *
 * @throws the signal's reason when it was ended; RowlockError `precondition_failed` when another process went on with this
 *   run, `bucket_not_found`, `invalid_request`; what database or stores say where they cannot be used. What was copied until
 *   then is copied, and the rest can be resumed
 */
export async function copyBackend(
  { db, backends }: { readonly db: Database; readonly backends: Backends },
  options: CopyBackendOptions,
): Promise<CopyReport> {
  const { from, to, bucket, prefix = '' } = options;
  if (from === to) throw new RowlockError('invalid_request', 'From and to are the same backend');
  if (prefix !== '' && bucket === undefined) throw new RowlockError('invalid_request', 'A prefix is of a bucket');
  const parts = { db, source: backends.of(from), target: backends.of(to) };
  const scope = { source: from, target: to, bucket, prefix };
  return options.dryRun ? await countOnly(parts, scope, options) : await copyAll(parts, scope, options);
}

async function countOnly(parts: CopyParts, scope: CopyScope, options: CopyBackendOptions): Promise<CopyReport> {
  const progress: CopyProgress = { copied: 0, bytes: 0, gone: 0, failed: 0 };
  const failures: CopyFailure[] = [];
  for await (const page of pagesOf(parts.db, scope, '', options)) {
    for (const { id, key, size } of page) {
      const isTooLarge = parts.target.bytesMax !== undefined && Number(size) > parts.target.bytesMax;
      progress.copied += isTooLarge ? 0 : 1;
      progress.bytes += isTooLarge ? 0 : Number(size);
      progress.failed += isTooLarge ? 1 : 0;
      if (isTooLarge && failures.length < failuresShownMax) {
        failures.push({ version_id: id, key, reason: 'too_large', detail: { size: Number(size) } });
      }
    }
    options.onVersion?.(progress);
  }
  const left = await leftOn(parts);
  return { ...progress, run_id: null, resumed: false, from: scope.source, to: scope.target, left, failures };
}

async function copyAll(parts: CopyParts, scope: CopyScope, options: CopyBackendOptions): Promise<CopyReport> {
  const { db } = parts;
  const holder = randomUUID();
  const [run] = await db.run<CopyRun & Record<string, unknown>>(backendCopyBegin, [
    scope.source,
    scope.target,
    scope.bucket ?? null,
    scope.prefix,
    holder,
    options.resume ?? false,
  ]);
  if (run === undefined) throw new Error('the run was not recorded');
  const progress: CopyProgress = { copied: 0, bytes: 0, gone: 0, failed: 0, ...run.progress };
  const advance = async (position: string, failures: readonly CopyFailure[], hasEnded: boolean): Promise<void> => {
    const values = [run.id, holder, position, JSON.stringify(progress), JSON.stringify(failures), hasEnded];
    await db.run(backendCopyAdvance, values);
  };
  const pace = new BytePace(options.bytesPerSecond ?? Number.POSITIVE_INFINITY);
  let position = run.position;
  for await (const page of pagesOf(db, scope, run.position, options)) {
    const failures = await copyPage(parts, page, { ...options, progress, pace });
    position = page.at(-1)?.key ?? position;
    await advance(position, failures, false);
    await fault('backend_copy.after_page');
  }
  await advance(position, [], true);
  return {
    ...progress,
    run_id: run.id,
    resumed: run.position !== '',
    from: scope.source,
    to: scope.target,
    left: await leftOn(parts),
    failures: await db.run<CopyFailure & Record<string, unknown>>(backendCopyFailures, [run.id, failuresShownMax]),
  };
}

async function* pagesOf(
  db: Database,
  scope: CopyScope,
  from: string,
  { pageSize = 500, signal }: CopyBackendOptions,
): AsyncGenerator<readonly VersionToCopy[], void> {
  for (let after = from; ; ) {
    signal?.throwIfAborted();
    const page = await selectVersionsToCopy(db, scope, after, pageSize);
    if (page.length > 0) yield page;
    if (page.length < pageSize) return;
    after = page.at(-1)?.key ?? '';
  }
}

/** Copies a page, a few at once; one that cannot go on ends the others after what they are doing. */
async function copyPage(
  parts: CopyParts,
  page: readonly VersionToCopy[],
  options: CopyBackendOptions & { readonly progress: CopyProgress; readonly pace: BytePace },
): Promise<readonly CopyFailure[]> {
  const { progress, concurrency = 4, onVersion } = options;
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const { pace, graceSeconds = graceSecondsDefault } = options;
  const each: VersionCopyOptions = { graceSeconds, pace, signal };
  const failures: CopyFailure[] = [];
  const waiting = page.values();
  const work = async (): Promise<void> => {
    for (const version of waiting) {
      signal.throwIfAborted();
      const copied = await copyVersion(parts, version, each);
      if (copied.outcome === 'copied') progress.bytes += copied.bytes;
      if (copied.outcome === 'failed') failures.push(copied.failure);
      progress[copied.outcome] += 1;
      onVersion?.(progress);
    }
  };
  const ended = await Promise.allSettled(
    Array.from({ length: concurrency }, () =>
      work().catch((error: unknown) => {
        stop.abort(error);
        throw error;
      }),
    ),
  );
  if (ended.some(({ status }) => status === 'rejected'))
    throw options.signal?.aborted ? options.signal.reason : stop.signal.reason;
  return failures;
}

async function leftOn({ db, source }: CopyParts): Promise<number> {
  const [row] = await db.run<{ count: string }>(backendVersionsLeft, [source.name]);
  return Number(row?.count ?? 0);
}
