/**
 * What names pointed at before, as rows: older versions, delete markers, what was deleted and can come back. Every
 * statement runs as the caller; `storage.object_history` is written by triggers alone, never from here.
 */
import type { Caller } from '../domain/caller.ts';
import type { Database, Statement } from './database.ts';
import type { CallersObject } from './objects.ts';

/** One entry of a name's versions: the current one, an older one, or a delete marker. */
export interface VersionEntry {
  /** Id of the version; of a delete marker, its own. */
  readonly version: string;
  readonly object_id: string;
  readonly name: string;
  readonly is_current: boolean;
  readonly delete_marker: boolean;
  /** What ended it; null for the current one. */
  readonly reason: 'overwrite' | 'delete' | 'move' | null;
  readonly owner_id: string | null;
  /** Bytes, as text; null for a delete marker, like what else describes bytes. */
  readonly size: string | null;
  readonly content_type: string | null;
  readonly sha256: Buffer | null;
  readonly cache_control: string | null;
  readonly user_metadata: Readonly<Record<string, unknown>> | null;
  readonly created_at: Date;
  readonly modified_at: Date;
  readonly superseded_at: Date | null;
  readonly superseded_by: string | null;
  /** When the sweep takes it; null for never. */
  readonly purge_after: Date | null;
  /** Its place among the entries of its name; null for the current one. */
  readonly sequence: string | null;
}

/** The object that a restore made. */
export interface RestoredObject {
  readonly id: string;
  readonly bucket_id: string;
  readonly name: string;
  readonly owner_id: string | null;
  readonly version_id: string;
  readonly size: string;
  readonly content_type: string;
  readonly sha256: Buffer | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export const versionRead: Statement = {
  name: 'version_read',
  text: 'SELECT * FROM storage.read_version($1, $2, $3)',
};

const entryColumns = `h.version, h.object_id, h.name, h.is_current, h.delete_marker, h.reason, h.owner_id, h.size, h.content_type, h.sha256,
  h.cache_control, h.user_metadata, h.created_at, h.modified_at, h.superseded_at, h.superseded_by, h.purge_after, h.sequence`;

/** The current one first; below it from the index, so that a page costs the same whatever the number of versions. */
export const versionList: Statement = {
  name: 'version_list',
  text: `SELECT * FROM (
           (SELECT ${entryColumns} FROM storage.object_versions AS h
            WHERE h.bucket_id = $1 AND h.name = $2 AND h.is_current AND $3::bigint IS NULL)
           UNION ALL
           (SELECT ${entryColumns} FROM storage.object_versions AS h
            WHERE h.bucket_id = $1 AND h.name = $2 AND NOT h.is_current AND ($3::bigint IS NULL OR h.sequence < $3)
              AND (h.purge_after IS NULL OR h.purge_after > now())
            ORDER BY h.sequence DESC LIMIT $4)
         ) AS entries ORDER BY sequence DESC NULLS FIRST LIMIT $4`,
};

/** Names whose newest entry is a delete marker, with the version that a restore would bring back. */
export const deletedList: Statement = {
  name: 'deleted_list',
  text: `SELECT ${entryColumns} FROM (
           SELECT DISTINCT ON (m.name) m.bucket_id, m.name FROM storage.object_history AS m
           WHERE m.bucket_id = $1 AND m.marker_id IS NOT NULL AND m.name > $2 AND m.name >= $3 AND starts_with(m.name, $3)
             AND NOT EXISTS (SELECT FROM storage.objects AS o WHERE o.bucket_id = m.bucket_id AND o.name = m.name)
             AND EXISTS (SELECT FROM storage.object_history AS v WHERE v.bucket_id = m.bucket_id AND v.name = m.name
               AND v.version_id IS NOT NULL AND (v.purge_after IS NULL OR v.purge_after > now()))
           ORDER BY m.name, m.sequence DESC LIMIT $4
         ) AS gone
         CROSS JOIN LATERAL (
           SELECT * FROM storage.object_versions AS v
           WHERE v.bucket_id = gone.bucket_id AND v.name = gone.name AND NOT v.is_current AND NOT v.delete_marker
             AND (v.purge_after IS NULL OR v.purge_after > now())
           ORDER BY v.sequence DESC LIMIT 1
         ) AS h ORDER BY h.name COLLATE "C"`,
};

export const objectRestore: Statement = {
  name: 'object_restore',
  text: `SELECT r.id, r.bucket_id, r.name, r.owner_id, r.version_id, r.size, r.content_type, r.sha256, r.created_at, r.updated_at
         FROM storage.restore_object($1, $2, $3) AS r`,
};

export const versionPurge: Statement = {
  name: 'version_purge',
  text: 'SELECT storage.purge_version($1, $2, $3) AS purged',
};

export const historyPurge: Statement = {
  name: 'history_purge',
  text: 'SELECT storage.purge_history($1, $2) AS purged',
};

/** A version that the caller may read, current or not; `undefined` when hidden, missing or a delete marker. */
export async function selectVersion(
  db: Database,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string; readonly version: string },
  operation: string,
): Promise<CallersObject | undefined> {
  const rows = await db.asCaller<CallersObject & Record<string, unknown>>(
    caller,
    { operation, readOnly: true },
    versionRead,
    [at.bucket, at.name, at.version],
  );
  return rows[0];
}

/** Versions and delete markers of one name, newest first, below a place. */
export function selectVersions(
  db: Database,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string; readonly before: string | undefined; readonly limit: number },
): Promise<readonly VersionEntry[]> {
  return db.asCaller<VersionEntry & Record<string, unknown>>(
    caller,
    { operation: 'storage.object.list_versions', readOnly: true },
    versionList,
    [at.bucket, at.name, at.before ?? null, at.limit],
  );
}

/** What was deleted and can be restored, one entry a name, in bytewise order after a name. */
export function selectDeleted(
  db: Database,
  caller: Caller,
  at: { readonly bucket: string; readonly prefix: string; readonly after: string; readonly limit: number },
): Promise<readonly VersionEntry[]> {
  return db.asCaller<VersionEntry & Record<string, unknown>>(
    caller,
    { operation: 'storage.object.list_deleted', readOnly: true },
    deletedList,
    [at.bucket, at.after, at.prefix, at.limit],
  );
}

/**
 * Makes a version the current one, or takes the last deletion back. Atomic, in constant time.
 *
 * @throws RowlockError `object_not_found`, `object_exists`, `not_allowed`, `too_large`, `media_type_not_allowed`
 */
export async function restoreVersion(
  db: Database,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string; readonly version: string | undefined },
): Promise<RestoredObject> {
  const rows = await db.asCaller<RestoredObject & Record<string, unknown>>(
    caller,
    { operation: 'storage.object.restore' },
    objectRestore,
    [at.bucket, at.name, at.version ?? null],
  );
  return rows[0] as RestoredObject;
}

/** Purges a version or a delete marker for ever; false where the caller sees none. @throws RowlockError `not_allowed` */
export async function purgeVersionRow(
  db: Database,
  caller: Caller,
  at: { readonly bucket: string; readonly name: string; readonly version: string },
): Promise<boolean> {
  const rows = await db.asCaller<{ purged: boolean }>(caller, { operation: 'storage.object.purge' }, versionPurge, [
    at.bucket,
    at.name,
    at.version,
  ]);
  return rows[0]?.purged ?? false;
}

/** Purges at most so many rows of a bucket's history, those that the caller may purge; answers how many. */
export async function purgeHistoryRows(db: Database, caller: Caller, bucket: string, limit: number): Promise<number> {
  const rows = await db.asCaller<{ purged: string }>(
    caller,
    { operation: 'storage.bucket.purge_history' },
    historyPurge,
    [bucket, limit],
  );
  return Number(rows[0]?.purged ?? 0);
}
