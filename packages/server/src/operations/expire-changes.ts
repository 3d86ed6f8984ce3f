/** Forgets changes that are older than the feed is kept for, in batches, so that no transaction is long. */
import type { Database } from '../metadata/database.ts';
import { changesExpire } from '../metadata/upkeep.ts';

const batchRows = 5000;
/** One run deletes at most a million; the next one goes on. */
const batchesMax = 200;

/** Deletes old changes; resolves to how many. Idempotent. A cursor before what is left answers `cursor_expired`. */
export async function expireChanges(db: Database): Promise<number> {
  let deleted = 0;
  for (let batch = 0; batch < batchesMax; batch += 1) {
    const [row] = await db.run<{ deleted: string }>(changesExpire, [batchRows]);
    const count = Number(row?.deleted ?? 0);
    deleted += count;
    if (count < batchRows) break;
  }
  return deleted;
}
