/** What a soak measures, each with its title and unit. It measures nothing itself. */
import { latenciesOf } from '../../../bench/dist/measure/statistics.js';

type Percentile = 'p50' | 'p95' | 'p99';
type OfWorker = 'rss_mib' | 'heap_mib' | 'loop_p99_ms' | 'cpu_percent';

/** A duration that every window has many of; `go` is measured at the pipe of the Go program. */
export type LatencyName = 'ours_start' | 'ours_finalised' | 'ours_scheduled' | 'go_start' | 'go_finalised';

export type QuantityId =
  | 'table_mib'
  | 'indexes_mib'
  | 'gin_indexes_mib'
  | 'live_rows'
  | 'dead_rows'
  | 'jobs_waiting'
  | 'ended_per_second'
  | 'connections'
  | 'oldest_xmin_age'
  | `${LatencyName}_${Percentile}_ms`
  | `worker_${1 | 2}_${OfWorker}`;

export interface Quantity {
  readonly title: string;
  readonly unit: string;
}

/** Values of one moment; null, or absent, where there was nothing to measure. */
export type Values = Readonly<Partial<Record<QuantityId, number | null>>>;

/** Every quantity, in the order of reports. */
export const quantities: Readonly<Record<QuantityId, Quantity>> = {
  table_mib: { title: 'size of the table', unit: 'MiB' },
  indexes_mib: { title: 'size of its indexes', unit: 'MiB' },
  gin_indexes_mib: { title: 'size of those that are GIN', unit: 'MiB' },
  live_rows: { title: 'live rows', unit: '' },
  dead_rows: { title: 'dead rows', unit: '' },
  jobs_waiting: { title: 'jobs due and not started', unit: '' },
  ended_per_second: { title: 'jobs that ended', unit: '1/s' },
  connections: { title: 'connections', unit: '' },
  oldest_xmin_age: { title: 'age of the oldest snapshot', unit: 'xids' },
  ours_start_p50_ms: { title: 'insert to start, p50', unit: 'ms' },
  ours_start_p95_ms: { title: 'insert to start, p95', unit: 'ms' },
  ours_start_p99_ms: { title: 'insert to start, p99', unit: 'ms' },
  ours_finalised_p50_ms: { title: 'insert to end, p50', unit: 'ms' },
  ours_finalised_p95_ms: { title: 'insert to end, p95', unit: 'ms' },
  ours_finalised_p99_ms: { title: 'insert to end, p99', unit: 'ms' },
  ours_scheduled_p50_ms: { title: 'scheduled time to start, p50', unit: 'ms' },
  ours_scheduled_p95_ms: { title: 'scheduled time to start, p95', unit: 'ms' },
  ours_scheduled_p99_ms: { title: 'scheduled time to start, p99', unit: 'ms' },
  go_start_p50_ms: { title: 'Go: insert to start, p50', unit: 'ms' },
  go_start_p95_ms: { title: 'Go: insert to start, p95', unit: 'ms' },
  go_start_p99_ms: { title: 'Go: insert to start, p99', unit: 'ms' },
  go_finalised_p50_ms: { title: 'Go: insert to end, p50', unit: 'ms' },
  go_finalised_p95_ms: { title: 'Go: insert to end, p95', unit: 'ms' },
  go_finalised_p99_ms: { title: 'Go: insert to end, p99', unit: 'ms' },
  worker_1_rss_mib: { title: 'worker 1: resident memory', unit: 'MiB' },
  worker_1_heap_mib: { title: 'worker 1: heap in use', unit: 'MiB' },
  worker_1_loop_p99_ms: { title: 'worker 1: event loop late, p99', unit: 'ms' },
  worker_1_cpu_percent: { title: 'worker 1: processor', unit: '%' },
  worker_2_rss_mib: { title: 'worker 2: resident memory', unit: 'MiB' },
  worker_2_heap_mib: { title: 'worker 2: heap in use', unit: 'MiB' },
  worker_2_loop_p99_ms: { title: 'worker 2: event loop late, p99', unit: 'ms' },
  worker_2_cpu_percent: { title: 'worker 2: processor', unit: '%' },
};

/** The ids of all quantities, in the order of reports. */
export const quantityIds: readonly QuantityId[] = Object.keys(quantities) as QuantityId[];

/** The percentiles of durations in milliseconds, under the name that they are reported by. */
export function percentilesOf(name: LatencyName, durations: readonly number[]): Values {
  const entries = Object.entries(latenciesOf(durations)).map(([id, value]) => [
    `${name}_${id}`,
    Number.isNaN(value) ? null : value,
  ]);
  return Object.fromEntries(entries) as Values;
}
