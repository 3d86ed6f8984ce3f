/**
 * The sweep: finds what a crash, a lost job or a vanished client left behind. It completes direct uploads whose bytes
 * arrived, lets go of history and of signed URLs whose time is over, enqueues purges, clears tombstones and temporary
 * files. The rows are the truth; jobs are only quicker.
 */
import type { Backend } from '../backend/backend.ts';
import type { Backends } from '../backend/backends.ts';
import { fault } from '../domain/fault.ts';
import type { Database } from '../metadata/database.ts';
import { checksRequeue } from '../metadata/file-checks.ts';
import {
  auditExpire,
  historyExpire,
  imagePlace,
  imagesToPlace,
  rendersSweep,
  signedUrlsSweep,
  sweepExpired,
  sweepUnreferenced,
  tombstonesDue,
  tombstonesForget,
  uploadsUnreported,
} from '../metadata/upkeep.ts';
import { requeueVariants } from '../metadata/variants.ts';
import { completeDirectUpload } from './direct-upload.ts';
import { expireChanges } from './expire-changes.ts';
import { quotasCounted } from './quotas.ts';
import { recheckDue } from './recheck-versions.ts';
import { removeUnfinished } from './remove-unfinished.ts';

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
  /** Versions whose bytes were found to be others than those that were committed. */
  readonly quarantined: number;
  /** Rows of history whose time was over. */
  readonly expired: number;
  /** Versions whose purge was enqueued. */
  readonly enqueued: number;
  /** Versions that were looked at for whether anything points at them. */
  readonly examined: number;
  /** Versions whose variants were given a job again. */
  readonly requeued: number;
  /** Tombstones whose week was over. */
  readonly forgotten: number;
  /** Temporary files that were removed. */
  readonly unfinished: number;
}

const sweepDefaults: SweepOptions = { graceSeconds: 3600, limit: 1000 };

/** A cascade leaves many rows that expire together: most transactions of one run. */
const expiriesMax = 50;

/** ETags of one run; what is due beyond is the next one's. */
const rechecksMax = 20_000;

/** Versions whose variants are given a job in one run: what was lost comes back, and nothing else has to wait for it. */
const requeuesMax = 100;

/** Positions in one run that are written to their entities late: each may wait a second for a lock. */
const placesMax = 20;

/** Versions in one statement that looks for what nothing points at. */
const pageVersions = 5000;
/** Most such statements of one run; the next run goes on where this one ended. */
const pagesMax = 400;

/** Runs one sweep. Idempotent; several at once only do work twice. */
export async function sweep(
  context: { readonly db: Database; readonly backends: Backends; readonly upload_acl?: string | undefined },
  options: SweepOptions = sweepDefaults,
): Promise<SweepReport> {
  const { db } = context;
  let completed = 0;
  const unreported = await db.run<{ id: string }>(uploadsUnreported, [
    Math.min(options.graceSeconds, 60),
    options.limit,
  ]);
  let failed = 0;
  for (const { id } of unreported) {
    try {
      const completion = await completeDirectUpload(context, id, { putsPartsTogether: 'late' });
      completed += completion === 'committed' ? 1 : 0;
    } catch {
      failed += 1; // one upload that cannot be committed must not keep the others; it expires in its time
    }
  }
  await fault('sweep.after_completions');
  const { quarantined } = await recheckDue(context, rechecksMax);
  const expired = await expireHistory(db, options.limit);
  await fault('sweep.after_expiry');
  await expireChanges(db);
  await expireSignedUrls(db, options.limit);
  await expireAudit(db, options.limit);
  await quotasCounted(db);
  const requeued = await requeueVariants(db, requeuesMax);
  for (const { id } of await db.run<{ id: string }>(imagesToPlace, [placesMax])) await db.run(imagePlace, [id]);
  await db.run(rendersSweep, [options.limit]);
  await db.run(checksRequeue, [requeuesMax]);
  const [late] = await db.run<{ enqueued: string }>(sweepExpired, [options.limit]);
  const lost = await sweepLost(db, options);
  await fault('sweep.after_enqueue');
  let forgotten = 0;
  let unfinished = 0;
  for (const backend of context.backends) {
    forgotten += await forgetTombstones(db, backend, options.limit);
    unfinished += await removeUnfinished(db, backend, options.graceSeconds);
  }
  const enqueued = Number(late?.enqueued ?? 0) + lost.enqueued;
  return {
    completed,
    failed,
    quarantined,
    expired,
    enqueued,
    examined: lost.examined,
    requeued,
    forgotten,
    unfinished,
  };
}

/** Enqueues the purge of what is stored and nothing points at: its job was lost. */
async function sweepLost(
  db: Database,
  { graceSeconds, limit }: SweepOptions,
): Promise<{ readonly examined: number; readonly enqueued: number }> {
  let examined = 0;
  let enqueued = 0;
  for (let page = 1; page <= pagesMax && enqueued < limit; page += 1) {
    const [row] = await db.run<{ examined: string; enqueued: string; ended: boolean }>(sweepUnreferenced, [
      graceSeconds,
      pageVersions,
      limit - enqueued,
    ]);
    examined += Number(row?.examined ?? 0);
    enqueued += Number(row?.enqueued ?? 0);
    if (row?.ended !== false) break;
  }
  return { examined, enqueued };
}

/** Removes bytes that came late, and then the tombstones that knew of them. */
async function forgetTombstones(db: Database, backend: Backend, limit: number): Promise<number> {
  const tombstones = await db.run<{ id: string; key: string }>(tombstonesDue, [backend.name, limit]);
  for (const { key } of tombstones) {
    await backend.delete(key);
    await fault('sweep.after_late_bytes');
  }
  if (tombstones.length > 0) await db.run(tombstonesForget, [tombstones.map(({ id }) => id)]);
  return tombstones.length;
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
