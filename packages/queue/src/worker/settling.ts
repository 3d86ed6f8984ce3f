/**
 * The last step before sleep. A worker has written that it sleeps; an inserter that read the leases before that will
 * not notify it, and its job may not be visible yet. So the worker goes on looking until every transaction that was
 * under way when it had written has ended. Pure; the other half is `rowlock_wake_queue`.
 */
import type { QueueLook } from '../statements/queue-look.ts';

/** A worker that settles. */
export interface Settling {
  /** Transactions with lower ids may have read the leases too early; undefined before the first look. */
  readonly until: bigint | undefined;
  /** How long to wait for the next look, in milliseconds. */
  readonly delay_ms: number;
}

const firstDelayMs = 5;

/**
 * Goes one look further; undefined means that nothing stands against sleep once the claim after that look is done.
 *
 * The delay doubles each time, so that somebody's long transaction costs a few looks, and then the usual polling.
 */
export function settled(settling: Settling, look: QueueLook): Settling | undefined {
  const until = settling.until ?? look.next;
  if (look.oldest >= until) return undefined;
  return { until, delay_ms: settling.delay_ms === 0 ? firstDelayMs : settling.delay_ms * 2 };
}
