/**
 * Compares the ETag of what was committed with what the store has now, for versions under a key that a presigned URL was out
 * for: a PUT that was used once more is found, and its bytes are not served. It prevents nothing. Invariant: only a store that
 * answers with another ETag puts a version into quarantine; one that is away, or has nothing there, does not.
 */
import type { Backends } from '../backend/backends.ts';
import { fault } from '../domain/fault.ts';
import type { Database } from '../metadata/database.ts';
import { versionQuarantine, versionRechecked, versionsToRecheck, versionToRecheck } from '../metadata/put-guards.ts';
import { one } from '../metadata/upkeep.ts';

interface RecheckContext {
  readonly db: Database;
  readonly backends: Backends;
}

/** `gone`: deleted, purged or in quarantine already. `missing`: fsck tells of those. */
export type Recheck = 'same' | 'changed' | 'missing' | 'gone';

/** Compares one version. Idempotent. @throws RowlockError `unavailable` where its store cannot be asked */
export async function recheckVersion({ db, backends }: RecheckContext, versionId: string): Promise<Recheck> {
  const version = await one<{ backend: string; key: string; etag: string | null }>(db, versionToRecheck, [versionId]);
  const found = version === undefined ? undefined : await backends.of(version.backend).head(version.key);
  const isChanged =
    version !== undefined && version.etag !== null && found !== undefined && found.etag !== version.etag;
  if (!isChanged) {
    await db.run(versionRechecked, [versionId]);
    return version === undefined ? 'gone' : found === undefined ? 'missing' : 'same';
  }
  await fault('recheck.before_quarantine');
  const detail = { committed_etag: version.etag, found_etag: found.etag, found_size: found.size };
  const reason = 'its bytes were replaced after they were committed';
  await db.run(versionQuarantine, [versionId, version.etag, reason, JSON.stringify(detail)]);
  return 'changed';
}

export interface RecheckReport {
  readonly compared: number;
  readonly quarantined: number;
  /** Whose store could not be asked; they are asked again. */
  readonly failed: number;
}

/** Rows that are read at once, and how many of them are compared at the same time. */
const pageRows = 500;
const atOnce = 8;

/** Compares what is due, up to so many. */
export async function recheckDue(context: RecheckContext, limit: number): Promise<RecheckReport> {
  const report = { compared: 0, quarantined: 0, failed: 0 };
  while (report.compared < limit && report.failed === 0) {
    const due = await context.db.run<{ id: string }>(versionsToRecheck, [Math.min(pageRows, limit - report.compared)]);
    const ids = due.map(({ id }) => id);
    const work = async (): Promise<void> => {
      for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
        report.compared += 1;
        const outcome = await recheckVersion(context, id).catch(() => 'failed' as const);
        report.quarantined += outcome === 'changed' ? 1 : 0;
        report.failed += outcome === 'failed' ? 1 : 0;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    if (due.length < pageRows) break;
  }
  return report;
}
