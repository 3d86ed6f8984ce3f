/**
 * Rows as `fsck` reads them, and the record of its runs: pages in the order of keys, what names a version, findings. It
 * compares nothing. Run as the worker's own role, whose rights are these functions and reading the tables.
 */
import type { Database, Statement } from './database.ts';

/** A version as a page shows it. Sizes are texts: they are bigints. */
export interface VersionOfKey {
  readonly id: string;
  readonly key: string;
  readonly state: string;
  readonly size: string | null;
  /** In hexadecimal; null where nobody has computed it. */
  readonly sha256: string | null;
  /** An intent, or a purge, whose time is over. */
  readonly expired: boolean;
  /** Its bytes may go, or never came, and yet something points at it. */
  readonly doomed: boolean;
  /** Stored, and nothing points at it. */
  readonly unreferenced: boolean;
  /** Why it is not served; null for what is. */
  readonly quarantined: string | null;
}

export interface FsckRun {
  readonly id: string;
  readonly phase: string;
  readonly position: string;
  readonly progress: Readonly<Record<string, number>>;
}

/** What names a version: an object, its history, or the object that it is a variant of. */
export interface NamedBy {
  readonly bucket: string;
  readonly name: string;
  /** `current`, `history`, or `variant` with its preset. */
  readonly as: string;
}

/** A finding as it is recorded. */
export interface FindingRow {
  readonly kind: string;
  readonly key: string;
  readonly version_id: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

export const fsckPage: Statement = {
  name: 'fsck_page',
  text: 'SELECT * FROM storage_internal.fsck_page($1, $2, $3)',
};

export const fsckBegin: Statement = {
  name: 'fsck_begin',
  text: 'SELECT id, phase, position, progress FROM storage_internal.fsck_begin($1, $2, $3, $4)',
};

export const fsckAdvance: Statement = {
  name: 'fsck_advance',
  text: 'SELECT storage_internal.fsck_advance($1, $2, $3, $4, $5, $6)',
};

export const fsckRepaired: Statement = {
  name: 'fsck_repaired',
  text: 'SELECT storage_internal.fsck_repaired($1, $2, $3, $4::text[])',
};

/** Findings of one kind that are not repaired, in the order of their keys. */
export const fsckUnrepaired: Statement = {
  name: 'fsck_unrepaired',
  text: `SELECT kind, key, version_id, detail FROM storage.fsck_findings
    WHERE run_id = $1 AND kind = $2 AND key > $3 AND repaired_at IS NULL ORDER BY key LIMIT $4`,
};

/** The first findings of each kind. */
export const fsckFindings: Statement = {
  name: 'fsck_findings',
  text: `SELECT f.kind, f.key, f.version_id, f.detail FROM unnest($2::text[]) AS wanted (kind), LATERAL (
      SELECT * FROM storage.fsck_findings AS every WHERE every.run_id = $1 AND every.kind = wanted.kind
      ORDER BY every.key LIMIT $3) AS f ORDER BY f.kind, f.key`,
};

export const fsckCounts: Statement = {
  name: 'fsck_counts',
  text: `SELECT kind, count(*) AS found, count(repaired_at) AS repaired
    FROM storage.fsck_findings WHERE run_id = $1 GROUP BY kind`,
};

export const versionsByKey: Statement = {
  name: 'versions_by_key',
  text: 'SELECT key FROM storage.versions WHERE backend = $1 AND key = ANY ($2::text[])',
};

export const versionsStored: Statement = {
  name: 'versions_stored',
  text: `SELECT id FROM storage.versions WHERE id = ANY ($1::uuid[]) AND state = 'stored'`,
};

/** Rows that keys of yet other backends have: nobody can compare them here. */
export const versionsElsewhere: Statement = {
  name: 'versions_elsewhere',
  text: 'SELECT count(*) AS count FROM storage.versions WHERE backend <> ALL ($1::text[])',
};

/** Up to ten names for each version. */
export const versionsNamed: Statement = {
  name: 'versions_named',
  text: `SELECT version_id, jsonb_agg(jsonb_build_object('bucket', bucket_id, 'name', name, 'as', kind)) AS named_by
    FROM unnest($1::uuid[]) AS wanted (version_id), LATERAL (
      SELECT * FROM (
        (SELECT o.bucket_id, o.name, 'current' AS kind FROM storage.objects AS o
          WHERE o.version_id = wanted.version_id LIMIT 10)
        UNION ALL
        (SELECT h.bucket_id, h.name, 'history' FROM storage.object_history AS h
          WHERE h.version_id = wanted.version_id LIMIT 10)
        UNION ALL
        (SELECT o.bucket_id, o.name, 'variant ' || d.preset
          FROM storage.variants AS d JOIN storage.objects AS o ON o.version_id = d.source_version_id
          WHERE d.version_id = wanted.version_id LIMIT 10)
      ) AS every LIMIT 10
    ) AS named GROUP BY version_id`,
};

export const lostDrop: Statement = { name: 'lost_drop', text: 'SELECT storage_internal.drop_lost($1) AS dropped' };

/** Some stored versions of a backend from a key on: keys end in random digits, and most begin with two of them. */
export const versionSample: Statement = {
  name: 'version_sample',
  // From a key on, and from the first one where there are too few behind it.
  text: `(SELECT id, key, size FROM storage.versions
      WHERE backend = $1 AND state = 'stored' AND key >= $2 ORDER BY key LIMIT $3)
    UNION ALL
    (SELECT id, key, size FROM storage.versions
      WHERE backend = $1 AND state = 'stored' AND key < $2 ORDER BY key LIMIT $3)
    LIMIT $3`,
};

export const versionsEstimated: Statement = {
  name: 'versions_estimated',
  text: `SELECT greatest(reltuples, 0)::bigint AS estimate FROM pg_catalog.pg_class
    WHERE oid = 'storage.versions'::pg_catalog.regclass`,
};

/** Facts for whoever starts the service; the API's role may ask as well. */
export const healthFacts: Statement = {
  name: 'health_facts',
  text: `SELECT h.*, r.rolname::text AS role, r.rolsuper OR r.rolbypassrls AS is_unbound,
      pg_catalog.current_setting('transaction_read_only') = 'on' AS is_read_only
    FROM storage_internal.health() AS h, pg_catalog.pg_roles AS r WHERE r.rolname = session_user`,
};

/** What names each version that something names. */
export async function selectNames(
  db: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly NamedBy[]>> {
  const rows = await db.run<{ version_id: string; named_by: readonly NamedBy[] }>(versionsNamed, [ids]);
  return new Map(rows.map(({ version_id, named_by }) => [version_id, named_by]));
}
