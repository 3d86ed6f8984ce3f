/** A queue as callers see it: its row in `river_queue`, decoded. It does no I/O. */
import type { QueueRow } from '../statements/queue-control.ts';

/** A queue that some worker has served of late, or that is paused. */
export interface QueueRecord {
  readonly name: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** ISO 8601 in UTC, with microseconds. */
  readonly created_at: string;
  /** Null as long as it is not paused. */
  readonly paused_at: string | null;
  /** When a worker last said that it serves it. A day later whoever leads removes the row, and with it the pause. */
  readonly updated_at: string;
}

/** Decodes a row. */
export function decodeQueue(row: QueueRow): QueueRecord {
  const metadata: unknown = JSON.parse(row.metadata ?? '{}');
  return {
    name: row.name ?? '',
    metadata: typeof metadata === 'object' && metadata !== null ? (metadata as QueueRecord['metadata']) : {},
    created_at: `${row.created_at}Z`,
    paused_at: row.paused_at === null ? null : `${row.paused_at}Z`,
    updated_at: `${row.updated_at}Z`,
  };
}
