/**
 * Upload requests that are over leave their table, many in one transaction and few enough that nobody waits for it. What is
 * over, and what is archived of it, the database's function says.
 */
import type { Database } from '../metadata/database.ts';
import { requestsCleanUp } from '../metadata/upkeep.ts';

export interface RequestCleanup {
  readonly archived: number;
  readonly deleted: number;
  /** Rows of the archive whose time was over. */
  readonly forgotten: number;
}

/** Most transactions of one run; the next run goes on. */
const batchesMax = 200;

/** Cleans up. Idempotent; several at once share the work. */
export async function cleanUpRequests(
  db: Database,
  { limit = 1000, signal }: { readonly limit?: number; readonly signal?: AbortSignal } = {},
): Promise<RequestCleanup> {
  const total = { archived: 0, deleted: 0, forgotten: 0 };
  for (let batch = 1; batch <= batchesMax && signal?.aborted !== true; batch += 1) {
    const [row] = await db.run<Record<keyof RequestCleanup, string>>(requestsCleanUp, [limit]);
    const [archived, deleted, forgotten] = [row?.archived, row?.deleted, row?.forgotten].map(Number) as [
      number,
      number,
      number,
    ];
    total.archived += archived;
    total.deleted += deleted;
    total.forgotten += forgotten;
    if (Math.max(deleted, forgotten) < limit) break;
  }
  return total;
}
