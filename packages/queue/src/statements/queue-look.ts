/**
 * What a worker has to know before it sleeps: when the next job of a queue falls due, and which transactions are under
 * way that may yet insert one. It claims nothing.
 */
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run, text } from './statement.ts';

/** One probe of the index for each priority, since jobs are ordered by priority first. */
const statement = defineStatement(
  'queue_look',
  (schema) => `
    SELECT
      (
        SELECT ceil(extract(epoch FROM min(next.scheduled_at) - clock_timestamp()) * 1000)
        FROM generate_series(1, 4) AS priority,
        LATERAL (
          SELECT job.scheduled_at FROM ${schema}.river_job AS job
          WHERE job.state = 'available' AND job.queue = $1 AND job.priority = priority.priority
            AND ($2::text[] IS NULL OR job.kind = ANY ($2::text[]))
            AND job.scheduled_at > '-infinity' AND job.scheduled_at < 'infinity'
          ORDER BY job.scheduled_at
          LIMIT 1
        ) AS next
      ) AS due_ms,
      pg_snapshot_xmin(snapshot) AS oldest,
      pg_snapshot_xmax(snapshot) AS next
    FROM pg_current_snapshot() AS snapshot`,
);

/** What a look saw. */
export interface QueueLook {
  /** Milliseconds until the next available job is due, negative when one is; null when there is none. */
  readonly due_ms: number | null;
  /** Every transaction with a lower id has ended. */
  readonly oldest: bigint;
  /** No transaction with this id or a higher one had begun to write. */
  readonly next: bigint;
}

/** What to look at. */
export interface LookedAt {
  readonly queue: string;
  /** Only jobs of these kinds; null or undefined for all. */
  readonly kinds?: readonly string[] | null;
}

/** Looks at a queue. */
export async function queueLook(on: Queryable, schema: SchemaName, { queue, kinds }: LookedAt): Promise<QueueLook> {
  const { rows } = await run<'due_ms' | 'oldest' | 'next'>(on, statement(schema), [queue, kinds ?? null]);
  const row = rows[0];
  if (row === undefined) throw new TypeError('A statement without a condition answered no row');
  return {
    due_ms: row.due_ms === null ? null : Number(row.due_ms),
    oldest: BigInt(text(row, 'oldest')),
    next: BigInt(text(row, 'next')),
  };
}
