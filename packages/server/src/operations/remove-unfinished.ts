/**
 * Removes what puts and uploads in parts left behind at a store. Uploads in parts may be quiet for hours, so those that are
 * somebody's stay. Invariant: they are asked for first; what is begun since is younger than any leftover that is removed.
 */
import type { Backend } from '../backend/backend.ts';
import type { Database } from '../metadata/database.ts';
import { openStoreUploads } from '../metadata/multipart.ts';

/** Removes what nobody has written to for so long; returns how many. */
export async function removeUnfinished(db: Database, backend: Backend, olderThanSeconds: number): Promise<number> {
  const open = await db.run<{ store_id: string }>(openStoreUploads, [backend.name]);
  const kept = new Set(open.map(({ store_id }) => store_id));
  return await backend.removeUnfinished(Math.max(olderThanSeconds, 0) * 1000, kept);
}
