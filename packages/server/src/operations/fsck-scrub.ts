/**
 * Reads every stored byte again and compares sizes and digests with the rows. A few files at once, each as a stream, at a
 * rate that can be bounded. It repairs nothing: bytes that are damaged are the only ones there are.
 */
import { createHash } from 'node:crypto';
import { RowlockError } from '@rowlock/client/contract';
import { isNotFound, isUnreadable } from '../backend/backend.ts';
import { isKey } from '../backend/keys.ts';
import type { BytePace } from '../domain/byte-pace.ts';
import { fault } from '../domain/fault.ts';
import { fsckPage, type VersionOfKey, versionsStored } from '../metadata/fsck.ts';
import type { Finding, FsckParts, RecordedRun } from './fsck-run.ts';

export interface ScrubOptions {
  readonly pageSize: number;
  readonly pace: BytePace;
  readonly signal: AbortSignal;
}

/** After so many bytes the run is recorded, so that a kill costs at most these; one version may have more. */
const recordBytes = 256 * 2 ** 20;
const readersMax = 4;

/** Scrubs from the run's position on. Resolves when every version was read. */
export async function scrubBytes(parts: FsckParts, run: RecordedRun, options: ScrubOptions): Promise<void> {
  for (;;) {
    const rows = await parts.db.run<VersionOfKey & Record<string, unknown>>(fsckPage, [
      parts.backend.name,
      run.position,
      options.pageSize,
    ]);
    for (const batch of batchesOf(rows)) {
      const found = await scrubBatch(parts, run, batch, options);
      await fault('fsck.before_page');
      await run.advance('scrub', batch.at(-1)?.key ?? '', found);
      await fault('fsck.after_page');
    }
    if (rows.length < options.pageSize) return;
  }
}

function batchesOf(rows: readonly VersionOfKey[]): readonly VersionOfKey[][] {
  const batches: VersionOfKey[][] = [];
  let bytes = recordBytes;
  for (const row of rows) {
    if (bytes >= recordBytes) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(row);
    bytes += Number(row.size ?? 0);
  }
  return batches;
}

async function scrubBatch(
  parts: FsckParts,
  run: RecordedRun,
  batch: readonly VersionOfKey[],
  options: ScrubOptions,
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  const waiting = batch.filter(({ state }) => state === 'stored').values();
  const read = async (): Promise<void> => {
    // One iterator for all readers: each takes the next.
    for (const version of waiting) {
      const finding = await scrubVersion(parts, run, version, options);
      if (finding !== undefined) found.push(finding);
    }
  };
  await Promise.all(Array.from({ length: readersMax }, read));
  return found;
}

async function scrubVersion(
  parts: FsckParts,
  run: RecordedRun,
  { id, key, size, sha256 }: VersionOfKey,
  options: ScrubOptions,
): Promise<Finding | undefined> {
  const finding = (kind: Finding['kind'], detail: Finding['detail']): Finding => ({
    kind,
    key,
    version_id: id,
    detail: { expected_size: Number(size), expected_sha256: sha256, ...detail },
  });
  try {
    if (!isKey(key)) throw new RowlockError('object_not_found', 'No bytes can be under this key.');
    const read = await digestOf(parts, key, options);
    run.progress.scrubbed += 1;
    run.progress.scrubbed_bytes += read.size;
    if (sha256 === null) run.progress.without_digest += 1;
    if (String(read.size) === size && (sha256 === null || read.sha256 === sha256)) return undefined;
    return finding('damaged', { found_size: read.size, found_sha256: read.sha256 });
  } catch (error) {
    if (isUnreadable(error)) return finding('unreadable', { error: (error as NodeJS.ErrnoException).code });
    if (!isNotFound(error)) throw error;
  }
  // Purged since its row was read, unless the row still says that the bytes are there.
  const stored = await parts.db.run(versionsStored, [[id]]);
  return stored.length === 0 ? undefined : finding('missing', {});
}

/** @throws RowlockError `object_not_found`, what the store says where it cannot be read */
async function digestOf(
  { backend }: FsckParts,
  key: string,
  { pace, signal }: ScrubOptions,
): Promise<{ readonly size: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of (await backend.get(key)).stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
    await pace.take(chunk.length, signal);
  }
  return { size, sha256: hash.digest('hex') };
}
