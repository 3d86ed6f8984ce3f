/**
 * The sweep: finds what a crash, a lost job or a vanished client left behind. It completes direct uploads whose bytes
 * arrived, lets go of history and of signed URLs whose time is over, enqueues purges, clears tombstones and temporary
 * files. The rows are the truth; jobs are only quicker.
 */
import type { Backend } from '../backend/backend.ts';
import { fault } from '../domain/fault.ts';
import type { Database } from '../metadata/database.ts';
import {
  auditExpire,
  historyExpire,
  signedUrlsSweep,
  sweepRun,
  tombstoneForget,
  tombstonesDue,
  uploadsUnreported,
} from '../metadata/upkeep.ts';
import { completeDirectUpload } from './direct-upload.ts';
import { expireChanges } from './expire-changes.ts';
import { quotasCounted } from './quotas.ts';

export interface SweepOptions {
  /** How long something must have been quiet before it is touched, in seconds. */
  readonly graceSeconds: number;
  /** Most rows of each kind in one run. */
  readonly limit: number;
}

export interface SweepReport {
  /** Direct uploads that were committed although nobody reported them. */
  readonly completed: number;
  /** Direct uploads whose commit failed; they are tried again until they expire. */
  readonly failed: number;
  /** Rows of history whose time was over. */
  readonly expired: number;
  /** Versions whose purge was enqueued. */
  readonly enqueued: number;
  /** Tombstones whose week was over. */
  readonly forgotten: number;
  /** Temporary files that were removed. */
  readonly unfinished: number;
}

const sweepDefaults: SweepOptions = { graceSeconds: 3600, limit: 1000 };

/** A cascade leaves many rows that expire together: most transactions of one run. */
const expiriesMax = 50;

/** Runs one sweep. Idempotent; several at once only do work twice. */
export async function sweep(
  context: { readonly db: Database; readonly backend: Backend },
  options: SweepOptions = sweepDefaults,
): Promise<SweepReport> {
  const { db, backend } = context;
  let completed = 0;
  const unreported = await db.run<{ id: string }>(uploadsUnreported, [
    Math.min(options.graceSeconds, 60),
    options.limit,
  ]);
  let failed = 0;
  for (const { id } of unreported) {
    try {
      completed += (await completeDirectUpload(context, id)) === 'committed' ? 1 : 0;
    } catch {
      failed += 1; // one upload that cannot be committed must not keep the others; it expires in its time
    }
  }
  await fault('sweep.after_completions');
  const expired = await expireHistory(db, options.limit);
  await fault('sweep.after_expiry');
  await expireChanges(db);
  await expireSignedUrls(db, options.limit);
  await expireAudit(db, options.limit);
  await quotasCounted(db);
  const [run] = await db.run<{ enqueued: string }>(sweepRun, [options.graceSeconds, options.limit]);
  await fault('sweep.after_enqueue');
  const tombstones = await db.run<{ id: string; backend: string; key: string }>(tombstonesDue, [options.limit]);
  for (const tombstone of tombstones.filter((each) => each.backend === backend.name)) {
    await backend.delete(tombstone.key);
    await fault('sweep.after_late_bytes');
    await db.run(tombstoneForget, [tombstone.id]);
  }
  const unfinished = await backend.removeUnfinished(Math.max(options.graceSeconds, 0) * 1000);
  return { completed, failed, expired, enqueued: Number(run?.enqueued ?? 0), forgotten: tombstones.length, unfinished };
}

async function expireAudit(db: Database, limit: number): Promise<void> {
  for (let batch = 1; batch <= expiriesMax; batch += 1) {
    const [row] = await db.run<{ gone: string }>(auditExpire, [limit]);
    if (Number(row?.gone ?? 0) < limit) return;
  }
}

async function expireSignedUrls(db: Database, limit: number): Promise<void> {
  for (let batch = 1; batch <= expiriesMax; batch += 1) {
    const [row] = await db.run<{ swept: string }>(signedUrlsSweep, [limit]);
    if (Number(row?.swept ?? 0) < limit) return;
  }
}

async function expireHistory(db: Database, limit: number): Promise<number> {
  let expired = 0;
  for (let batch = 1; batch <= expiriesMax; batch += 1) {
    const [row] = await db.run<{ expired: string }>(historyExpire, [limit]);
    const count = Number(row?.expired ?? 0);
    expired += count;
    if (count < limit) break;
  }
  return expired;
}
