/** Buckets that name a backend: asked by the login roles, since where bytes go is not for callers to know or to say. */
import type { Statement, StatementRunner } from './database.ts';

export const placedBuckets: Statement = {
  name: 'placed_buckets',
  text: 'SELECT id, backend FROM storage_internal.placed_buckets()',
};

export const regionsOfBuckets: Statement = {
  name: 'regions_of_buckets',
  text: 'SELECT id, backend, region FROM storage_internal.regions_of_buckets()',
};

export const defaultBackendIs: Statement = {
  name: 'default_backend_is',
  text: 'SELECT storage_internal.default_backend_is($1)',
};

export const bucketPlace: Statement = {
  name: 'bucket_place',
  text: 'SELECT storage_internal.place_bucket($1, $2)',
};

/** What each backend has, by its name in the rows, and the buckets that name it. */
export const backendsCounted: Statement = {
  name: 'backends_counted',
  text: `SELECT coalesce(v.backend, b.backend) AS name, coalesce(v.versions, 0) AS versions, coalesce(v.bytes, 0) AS bytes,
      coalesce(b.buckets, '{}') AS buckets
    FROM (
      SELECT backend, count(*) AS versions, sum(size) AS bytes FROM storage.versions WHERE state = 'stored' GROUP BY backend
    ) AS v FULL JOIN (
      SELECT backend, array_agg(id ORDER BY id) AS buckets FROM storage.buckets WHERE backend IS NOT NULL GROUP BY backend
    ) AS b ON b.backend = v.backend ORDER BY 1`,
};

/** The backend's name for each bucket that names one. */
export async function selectPlacedBuckets(db: StatementRunner): Promise<ReadonlyMap<string, string>> {
  const rows = await db.run<{ id: string; backend: string }>(placedBuckets, []);
  return new Map(rows.map(({ id, backend }) => [id, backend]));
}
