/**
 * What operators do with versions that nobody is served: list them, let one out, remove one for ever. Straight in the
 * database, as the worker's role; each that is let out or removed is in the audit log, with why.
 */
import type { Database } from '../metadata/database.ts';
import {
  type QuarantinedVersion,
  quarantineList,
  quarantinePurge,
  quarantineRelease,
} from '../metadata/file-checks.ts';
import { one } from '../metadata/upkeep.ts';

export const quarantineCauses = ['replaced', 'infected', 'not_scanned'] as const;
export type QuarantineCause = (typeof quarantineCauses)[number];

export interface QuarantineQuery {
  readonly cause?: QuarantineCause | undefined;
  readonly bucket?: string | undefined;
  /** 1 to 10,000 rows. */
  readonly limit: number;
}

/** The newest first; one row for each name that an object has, without thumbnails. */
export function listQuarantine(db: Database, query: QuarantineQuery): Promise<readonly QuarantinedVersion[]> {
  return db.run<QuarantinedVersion>(quarantineList, [query.cause ?? null, query.bucket ?? null, query.limit]);
}

/** `gone`: none of this id is in quarantine. `replaced`: its bytes are not what was committed, so it stays. */
export type ReleaseOutcome = 'released' | 'gone' | 'replaced' | 'derived';

/** Lets a version be read again, and its thumbnails made. Idempotent; atomic. */
export async function releaseVersion(db: Database, versionId: string, why: string): Promise<ReleaseOutcome> {
  const row = await one<{ outcome: ReleaseOutcome }>(db, quarantineRelease, [versionId, why]);
  return row?.outcome ?? 'gone';
}

/**
 * Deletes every object that points at a version in quarantine, and what history keeps of it; jobs then purge its bytes.
 * Returns how many names it had, or `undefined` where none of this id is in quarantine. Atomic.
 *
 * @throws RowlockError `object_in_use` where something of the application refers to its file
 */
export async function purgeQuarantined(db: Database, versionId: string, why: string): Promise<number | undefined> {
  const row = await one<{ names: string | null }>(db, quarantinePurge, [versionId, why]);
  return row === undefined || row.names === null ? undefined : Number(row.names);
}

export type { QuarantinedVersion } from '../metadata/file-checks.ts';
