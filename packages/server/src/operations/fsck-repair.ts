/**
 * Repairs what is safe to repair of a run's findings: bytes that no row names are removed once they are old, counters of
 * quotas are set. Objects are dropped only where that was asked for, and damaged bytes never: they are the only ones.
 * Invariant: each finding is asked again right before it is acted on, so repairing twice, or after a kill, harms nothing.
 */
import { fault } from '../domain/fault.ts';
import { keysOfAdopted } from '../metadata/adopt-rows.ts';
import { lostDrop, versionsByKey, versionsStored } from '../metadata/fsck.ts';
import { quotaRepair } from '../metadata/quotas.ts';
import type { FindingKind, FsckParts, RecordedRun } from './fsck-run.ts';
import { removeUnfinished } from './remove-unfinished.ts';

export interface RepairOptions {
  /** Bytes without a row younger than this stay. */
  readonly graceSeconds: number;
  /** Removes what no bytes are left of: objects, history and variants. */
  readonly dropLost: boolean;
  /** Acts although so much is wrong that the database and the store may not belong together. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

const pageSize = 200;
/** However short the grace: uploads that are under way have such files. */
const unfinishedSecondsMin = 3600;
/** Beyond this many, and a tenth of all, it is more likely that folder and database do not belong together. */
const doubtfulFrom = 100;

/** Repairs; returns what was held back and why. */
export async function repairFindings(
  parts: FsckParts,
  run: RecordedRun,
  options: RepairOptions,
): Promise<readonly string[]> {
  const counts = await run.counts();
  const heldBack: string[] = [];
  const mayAct = (kind: FindingKind, total: number, what: string): boolean => {
    const found = counts.get(kind)?.found ?? 0;
    const isDoubtful = found > doubtfulFrom && found * 10 > total;
    if (isDoubtful && !options.force) {
      heldBack.push(
        `${found} of ${total} ${what}: is this the folder of this database, from the same time? If it is, add --force`,
      );
    }
    return found > 0 && (!isDoubtful || options.force);
  };
  if (mayAct('bytes_without_row', run.progress.keys, 'keys have no row')) await removeOrphans(parts, run, options);
  if (options.dropLost && mayAct('missing', run.progress.versions, 'versions have no bytes')) {
    await dropLost(parts, run, options);
  }
  if ((counts.get('quota_drift')?.found ?? 0) > 0) {
    await parts.db.run(quotaRepair, []);
    for await (const page of run.unrepaired('quota_drift', pageSize)) {
      await run.repaired(
        'quota_drift',
        page.map(({ key }) => key),
      );
    }
  }
  await removeUnfinished(parts.db, parts.backend, Math.max(options.graceSeconds, unfinishedSecondsMin));
  return heldBack;
}

async function removeOrphans({ db, backend }: FsckParts, run: RecordedRun, options: RepairOptions): Promise<void> {
  for await (const page of run.unrepaired('bytes_without_row', pageSize)) {
    options.signal.throwIfAborted();
    const keys = page.map(({ key }) => key);
    const known = new Set((await db.run<{ key: string }>(versionsByKey, [backend.name, keys])).map(({ key }) => key));
    for (const key of await keysOfAdopted(db, keys)) known.add(key);
    const repaired: string[] = [];
    for (const key of keys.filter((each) => !known.has(each))) {
      const there = await backend.head(key);
      const isOld = there !== undefined && Date.now() - there.last_modified.getTime() >= options.graceSeconds * 1000;
      if (there !== undefined && !isOld) continue;
      if (there !== undefined) {
        await fault('fsck.before_repair');
        await backend.delete(key);
        await fault('fsck.after_removal');
      }
      repaired.push(key);
    }
    await run.repaired('bytes_without_row', repaired);
  }
}

async function dropLost({ db, backend }: FsckParts, run: RecordedRun, options: RepairOptions): Promise<void> {
  for await (const page of run.unrepaired('missing', pageSize)) {
    options.signal.throwIfAborted();
    const ids = page.map(({ version_id }) => version_id);
    const stored = new Set((await db.run<{ id: string }>(versionsStored, [ids])).map(({ id }) => id));
    const repaired: string[] = [];
    for (const { key, version_id } of page) {
      const isStored = version_id !== null && stored.has(version_id);
      if (isStored && (await backend.head(key)) !== undefined) continue;
      await fault('fsck.before_repair');
      if (isStored) await db.run(lostDrop, [version_id]);
      repaired.push(key);
    }
    await run.repaired('missing', repaired);
  }
}
