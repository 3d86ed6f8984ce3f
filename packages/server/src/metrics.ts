/** Observations as Prometheus metrics. Labels have few values: route patterns, methods, statuses, kinds of jobs. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Observation } from './domain/observation.ts';

export interface Metrics {
  observe(observation: Observation): void;
  render(connections: { readonly total: number; readonly idle: number; readonly waiting: number }): Promise<{
    readonly content_type: string;
    readonly text: string;
  }>;
}

interface Instruments {
  readonly requests: Histogram;
  readonly bytes: Counter;
  readonly jobs: Histogram;
  readonly internal: Counter;
  readonly swept: Counter;
  readonly audit: Counter;
  readonly backendCalls: Histogram;
  readonly backendBytes: Counter;
  readonly events: Counter;
  readonly renders: Histogram;
  readonly pool: Gauge;
  readonly lag: Gauge;
  readonly streams: Gauge;
  readonly sent: Counter;
  readonly ended: Counter;
}

function createInstruments(registry: Registry): Instruments {
  const registers = [registry];
  return {
    requests: new Histogram({
      name: 'rowlock_http_request_duration_seconds',
      help: 'HTTP requests by route, method and status',
      labelNames: ['route', 'method', 'status'],
      buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
      registers,
    }),
    bytes: new Counter({
      name: 'rowlock_http_bytes_total',
      help: 'Body bytes by direction',
      labelNames: ['direction'],
      registers,
    }),
    jobs: new Histogram({
      name: 'rowlock_job_duration_seconds',
      help: 'Attempts of jobs by kind and outcome',
      labelNames: ['kind', 'outcome'],
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 300],
      registers,
    }),
    internal: new Counter({ name: 'rowlock_internal_errors_total', help: 'Errors that are ours to fix', registers }),
    swept: new Counter({ name: 'rowlock_swept_total', help: 'What sweeps found', labelNames: ['kind'], registers }),
    ...feedInstruments(registers),
    ...backendInstruments(registers),
    audit: new Counter({
      name: 'rowlock_audit_entries_total',
      help: 'Refusals and signed URLs for the audit log: written, or dropped',
      labelNames: ['outcome'],
      registers,
    }),
    events: new Counter({
      name: 'rowlock_store_events_total',
      help: 'What events of S3 stores were about',
      labelNames: ['about'],
      registers,
    }),
    pool: new Gauge({
      name: 'rowlock_database_connections',
      help: 'Connections of the API by state',
      labelNames: ['state'],
      registers,
    }),
  };
}

function backendInstruments(registers: Registry[]): Pick<Instruments, 'backendCalls' | 'backendBytes' | 'renders'> {
  return {
    renders: new Histogram({
      name: 'rowlock_render_duration_seconds',
      help: 'Pictures rendered on demand by outcome, with reading and keeping them',
      labelNames: ['outcome'],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
    backendCalls: new Histogram({
      name: 'rowlock_backend_call_duration_seconds',
      help: 'Calls to S3 stores by backend, call and outcome, to the end of their bytes',
      labelNames: ['backend', 'call', 'outcome'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
      registers,
    }),
    backendBytes: new Counter({
      name: 'rowlock_backend_bytes_total',
      help: 'Bytes to and from S3 stores by backend and call',
      labelNames: ['backend', 'call'],
      registers,
    }),
  };
}

function feedInstruments(registers: Registry[]): Pick<Instruments, 'lag' | 'streams' | 'sent' | 'ended'> {
  return {
    lag: new Gauge({
      name: 'rowlock_changes_lag_seconds',
      help: 'Age of the oldest committed change that nobody can read yet',
      registers,
    }),
    streams: new Gauge({ name: 'rowlock_change_streams', help: 'Followers of the change feed', registers }),
    sent: new Counter({
      name: 'rowlock_changes_sent_total',
      help: 'Changes that callers were shown',
      labelNames: ['transport'],
      registers,
    }),
    ended: new Counter({
      name: 'rowlock_change_streams_ended_total',
      help: 'Followers that are gone, by why',
      labelNames: ['transport', 'reason'],
      registers,
    }),
  };
}

function record(instruments: Instruments, observation: Observation): void {
  switch (observation.type) {
    case 'request': {
      const { route, method, status, duration_ms } = observation;
      instruments.requests.observe({ route, method, status: String(status) }, duration_ms / 1000);
      instruments.bytes.inc({ direction: 'in' }, observation.bytes_in ?? 0);
      instruments.bytes.inc({ direction: 'out' }, observation.bytes_out ?? 0);
      break;
    }
    case 'job':
      instruments.jobs.observe(
        { kind: observation.kind, outcome: observation.outcome },
        observation.duration_ms / 1000,
      );
      break;
    case 'internal_error':
      instruments.internal.inc();
      break;
    case 'sweep':
      instruments.swept.inc({ kind: 'purge' }, observation.enqueued);
      instruments.swept.inc({ kind: 'completed_upload' }, observation.completed);
      instruments.swept.inc({ kind: 'quarantined_version' }, observation.quarantined);
      instruments.swept.inc({ kind: 'expired_version' }, observation.expired);
      instruments.swept.inc({ kind: 'requeued_image' }, observation.requeued);
      instruments.swept.inc({ kind: 'tombstone' }, observation.forgotten);
      break;
    case 'backend_call': {
      const { backend, call, outcome, duration_ms, bytes } = observation;
      instruments.backendCalls.observe({ backend, call, outcome }, duration_ms / 1000);
      instruments.backendBytes.inc({ backend, call }, bytes);
      break;
    }
    case 'render':
      instruments.renders.observe({ outcome: observation.outcome }, observation.duration_ms / 1000);
      break;
    case 'store_events':
      for (const about of ['arrived', 'rechecked', 'adopted', 'unknown', 'ignored'] as const) {
        instruments.events.inc({ about }, observation[about]);
      }
      break;
    case 'changes_polled':
      instruments.lag.set(observation.lag_seconds);
      instruments.streams.set(observation.streams);
      break;
    case 'changes_sent':
      instruments.sent.inc({ transport: observation.transport }, observation.count);
      break;
    case 'stream_ended':
      instruments.ended.inc({ transport: observation.transport, reason: observation.reason });
      break;
    case 'audit':
      instruments.audit.inc({ outcome: 'written' }, observation.written);
      instruments.audit.inc({ outcome: 'dropped' }, observation.dropped);
      break;
    case 'queue':
    case 'denied':
    case 'health':
    case 'lifecycle':
      break;
  }
}

/** Makes a registry of its own, so that several servers of one process do not mix. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const instruments = createInstruments(registry);
  return {
    observe: (observation) => record(instruments, observation),
    async render(connections) {
      for (const [state, count] of Object.entries(connections)) {
        instruments.pool.set({ state }, count);
      }
      return { content_type: registry.contentType, text: await registry.metrics() };
    },
  };
}
