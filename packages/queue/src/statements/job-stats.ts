/**
 * Counts what is in the tables, for people who operate them. It reads the whole table of jobs, so it is nothing to ask
 * every second. The times are those of requirements R126 to R128: latency is from when a job was due to its end.
 */
import type { SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run } from './statement.ts';

const counts = defineStatement(
  'job_stats_counts',
  (schema) => `
    SELECT queue, kind, state, count(*) AS count,
      extract(epoch FROM clock_timestamp() - min(scheduled_at) FILTER (
        WHERE state = 'available' AND scheduled_at <= clock_timestamp()
      )) AS oldest_seconds
    FROM ${schema}.river_job GROUP BY queue, kind, state ORDER BY queue, kind, state`,
);

const latencies = defineStatement(
  'job_stats_latencies',
  (schema) => `
    SELECT kind, count(*) AS count,
      percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50_seconds,
      percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95_seconds,
      percentile_cont(0.99) WITHIN GROUP (ORDER BY seconds) AS p99_seconds
    FROM (
      SELECT kind, extract(epoch FROM finalized_at - scheduled_at)::float8 AS seconds FROM ${schema}.river_job
      WHERE state = 'completed' AND finalized_at > clock_timestamp() - interval '1 hour'
    ) AS ended
    GROUP BY kind ORDER BY kind`,
);

const workers = defineStatement(
  'job_stats_workers',
  (schema) => `
    SELECT lease.client_id, to_json(lease.queues) AS queues, lease.expires_at > clock_timestamp() AS is_alive,
      extract(epoch FROM clock_timestamp() - lease.updated_at) AS seen_seconds,
      EXISTS (
        SELECT FROM ${schema}.river_leader AS leader
        WHERE leader.leader_id = lease.client_id AND leader.expires_at > clock_timestamp()
      ) AS is_leader
    FROM ${schema}.rowlock_worker_lease AS lease ORDER BY lease.client_id`,
);

const leader = defineStatement(
  'job_stats_leader',
  (schema) => `SELECT leader_id FROM ${schema}.river_leader WHERE expires_at > clock_timestamp()`,
);

type CountColumn = 'queue' | 'kind' | 'state' | 'count' | 'oldest_seconds';
type LatencyColumn = 'kind' | 'count' | 'p50_seconds' | 'p95_seconds' | 'p99_seconds';
type WorkerColumn = 'client_id' | 'queues' | 'is_alive' | 'seen_seconds' | 'is_leader';

/** What was counted, as text. */
export interface JobStatsRows {
  readonly counts: readonly Readonly<Record<CountColumn, string | null>>[];
  readonly latencies: readonly Readonly<Record<LatencyColumn, string | null>>[];
  readonly workers: readonly Readonly<Record<WorkerColumn, string | null>>[];
  readonly leader_id: string | null;
}

/** Counts, one statement after the other: what they say need not be of the same moment. */
export async function jobStats(on: Queryable, schema: SchemaName): Promise<JobStatsRows> {
  const counted = await run<CountColumn>(on, counts(schema));
  const measured = await run<LatencyColumn>(on, latencies(schema));
  const leased = await run<WorkerColumn>(on, workers(schema));
  const led = await run<'leader_id'>(on, leader(schema));
  return {
    counts: counted.rows,
    latencies: measured.rows,
    workers: leased.rows,
    leader_id: led.rows[0]?.leader_id ?? null,
  };
}
