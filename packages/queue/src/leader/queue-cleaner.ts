/**
 * Forgets queues that no client has worked for a day. A queue that is worked is reported every ten minutes, so it is
 * never forgotten, paused or not.
 */
import { queueDeleteUnused } from '../statements/queue-delete-unused.ts';
import type { DutyContext } from './duty-context.ts';

const batchRows = 1000;

/** Makes one pass, batch by batch. */
export async function cleanQueues(context: DutyContext, retentionMs: number): Promise<void> {
  const { pool, schema, observe, term } = context;
  while (term.isCurrent) {
    const queues = await queueDeleteUnused(pool, schema, retentionMs / 1000, batchRows);
    if (queues.length > 0) observe({ event: 'queues_cleaned', queues });
    if (queues.length < batchRows) return;
  }
}
