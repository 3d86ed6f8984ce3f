/** How the queues fare, for people and monitors: counts, latencies, workers. It decodes; the counting is in SQL. */
import type { JobState } from '../job.ts';
import { type JobStatsRows, jobStats } from '../statements/job-stats.ts';
import type { Scene } from './change-jobs.ts';

/** The jobs of one kind in one queue. */
export interface KindStats {
  readonly queue: string;
  readonly kind: string;
  /** How many there are by state; a state without any is absent. */
  readonly counts: Readonly<Partial<Record<JobState, number>>>;
  /** How long the oldest that could run has been waiting; null where none is. */
  readonly oldest_due_seconds: number | null;
}

/** From when jobs were due to when they were completed, retries included; of the last hour. */
export interface LatencyStats {
  readonly kind: string;
  readonly completed: number;
  readonly p50_seconds: number;
  readonly p95_seconds: number;
  readonly p99_seconds: number;
}

/** A worker of this package; Go's leave no trace in the tables but the leader's. */
export interface WorkerStats {
  readonly client_id: string;
  readonly queues: readonly string[];
  /** Whether its lease still lives. */
  readonly is_alive: boolean;
  readonly seen_seconds_ago: number;
  readonly is_leader: boolean;
}

export interface QueueStats {
  readonly kinds: readonly KindStats[];
  readonly latencies: readonly LatencyStats[];
  readonly workers: readonly WorkerStats[];
  /** The client that leads, ours or Go's; null where none does. */
  readonly leader_id: string | null;
}

/** Counts. Reads the whole table of jobs. */
export async function queueStats({ on, schema }: Scene): Promise<QueueStats> {
  const rows = await jobStats(on, schema);
  return {
    kinds: kindsOf(rows),
    latencies: rows.latencies.map((row) => ({
      kind: row.kind ?? '',
      completed: Number(row.count),
      p50_seconds: Number(row.p50_seconds),
      p95_seconds: Number(row.p95_seconds),
      p99_seconds: Number(row.p99_seconds),
    })),
    workers: rows.workers.map((row) => ({
      client_id: row.client_id ?? '',
      queues: JSON.parse(row.queues ?? '[]') as readonly string[],
      is_alive: row.is_alive === 't',
      seen_seconds_ago: Number(row.seen_seconds),
      is_leader: row.is_leader === 't',
    })),
    leader_id: rows.leader_id,
  };
}

function kindsOf({ counts }: JobStatsRows): readonly KindStats[] {
  const kinds = new Map<string, { -readonly [Key in keyof KindStats]: KindStats[Key] }>();
  for (const { queue, kind, state, count, oldest_seconds: oldest } of counts) {
    const key = JSON.stringify([queue, kind]);
    const known = kinds.get(key) ?? { queue: queue ?? '', kind: kind ?? '', counts: {}, oldest_due_seconds: null };
    known.counts = { ...known.counts, [state ?? '']: Number(count) };
    if (oldest !== null) known.oldest_due_seconds = Number(oldest);
    kinds.set(key, known);
  }
  return [...kinds.values()];
}
