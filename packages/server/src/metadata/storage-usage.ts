/** How many bytes are where, counted once each: for operators, over all versions. It reads rows and asks no store. */
import type { Database, Statement } from './database.ts';

/** What one bucket has on one backend. */
export interface UsageRow {
  readonly backend: string;
  /** Null: thumbnails, and what waits to be purged. */
  readonly bucket_id: string | null;
  readonly versions: number;
  readonly bytes: number;
}

/** A version that several names share is counted once, for the first of their buckets. */
export const usageCounted: Statement = {
  name: 'usage_counted',
  text: `SELECT v.backend, p.bucket_id, count(*)::float8 AS versions, sum(v.size)::float8 AS bytes
    FROM storage.versions AS v LEFT JOIN (
      SELECT version_id, min(bucket_id) AS bucket_id FROM (
        SELECT version_id, bucket_id FROM storage.objects
        UNION ALL
        SELECT version_id, bucket_id FROM storage.object_history WHERE version_id IS NOT NULL
      ) AS named GROUP BY version_id
    ) AS p ON p.version_id = v.id
    WHERE v.state IN ('stored', 'purging') AND v.size IS NOT NULL
    GROUP BY v.backend, p.bucket_id ORDER BY bytes DESC, v.backend, p.bucket_id`,
};

/** Counts; takes a pass over all versions. To be run as a role that may read them. */
export function listUsage(db: Database): Promise<readonly UsageRow[]> {
  return db.run<UsageRow & Record<string, unknown>>(usageCounted, []);
}
