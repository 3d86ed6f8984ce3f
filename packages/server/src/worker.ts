/**
 * Composition root of the workers: configuration to a running job loop. It joins job kinds, database and backend, asks
 * for sweeps, and reports; the loop itself is the queue's.
 */
import { type Observation as QueueObservation, Worker } from '@rowlock/queue';
import { openBackend } from './backend/open-backend.ts';
import type { WorkerConfig } from './config.ts';
import type { Observe } from './domain/observation.ts';
import { DecoderPool } from './imaging/decoder-pool.ts';
import type { JobContext } from './jobs/job-kind.ts';
import { jobKinds } from './jobs/job-kinds.ts';
import { Database } from './metadata/database.ts';
import { maintenanceEnqueue } from './metadata/upkeep.ts';
import type { Metrics } from './metrics.ts';
import { type HealthFinding, HealthWatch } from './operations/check-health.ts';

export interface RunningWorker {
  /** Looks at database and store and for the bytes of some versions, and reports what it finds. Takes seconds at most. */
  health(): Promise<readonly HealthFinding[]>;
  /** Claims no more, lets running jobs end, records their results. Idempotent. */
  stop(): Promise<void>;
}

export interface WorkerParts {
  readonly observe?: Observe;
  readonly metrics?: Metrics;
}

/** Starts the workers of the configured queues. Resolves when they claim jobs. */
export async function createWorker(config: WorkerConfig, parts: WorkerParts = {}): Promise<RunningWorker> {
  const observe: Observe = (observation) => {
    parts.metrics?.observe(observation);
    parts.observe?.(observation);
  };
  const db = new Database({
    url: config.database.url,
    connectionsMax: config.database.connections_max,
    statementTimeoutMs: config.database.statement_timeout_ms,
    applicationName: 'rowlock worker',
  });
  const backend = await openBackend(config.backend);
  const decoders = decodersOf(config, observe);
  const context: JobContext = { db, backend, decoders, observe };
  const worker = new Worker({
    database: config.database.url,
    schema: config.names.metadata,
    queues: Object.fromEntries(Object.entries(config.queues).map(([name, maxWorkers]) => [name, { maxWorkers }])),
    handlers: handlersOf(context),
    stopTimeoutMs: config.stop_timeout_ms,
    maintenance: { reindex: 'if_permitted' }, // before PostgreSQL 17 that right cannot be granted
    observe: (observation) => report(observe, observation),
  });
  try {
    await worker.start();
  } catch (error) {
    await Promise.all([db.close(), backend.close()]);
    throw error;
  }
  const sweeps = askForSweeps(config, context);
  const health = new HealthWatch(context, observe, { sample: healthSample });
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    clearInterval(sweeps);
    health.stop();
    await worker.stop();
    await decoders.stop();
    await Promise.all([db.close(), backend.close()]);
  };
  return {
    health: () => health.look(),
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** How many versions a look at the store looks for. */
const healthSample = 32;

/** As many processes as thumbnails are made at once; none is started before there is something to decode. */
function decodersOf({ queues, decoder_limits: limits }: WorkerConfig, observe: Observe): DecoderPool {
  return new DecoderPool({
    size: queues['thumbnails'] ?? 1,
    observe,
    ...(limits === undefined ? {} : { timeoutMs: limits.timeout_ms, memoryBytesMax: limits.memory_bytes_max }),
  });
}

function handlersOf(
  context: JobContext,
): Record<string, { perform: (job: JobLike, attempt: { signal: AbortSignal }) => Promise<void>; timeoutMs: number }> {
  return Object.fromEntries(
    jobKinds.map((kind) => [
      kind.kind,
      {
        timeoutMs: kind.timeoutMs,
        perform: (job: JobLike, { signal }: { signal: AbortSignal }) =>
          kind.perform(context, {
            args: isObject(job.args) ? job.args : {},
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            signal,
          }),
      },
    ]),
  );
}

interface JobLike {
  readonly args: unknown;
  readonly attempt: number;
  readonly max_attempts: number;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every worker asks now and then; the database lets one sweep wait at a time. */
function askForSweeps(config: WorkerConfig, context: JobContext): NodeJS.Timeout | undefined {
  if (config.queues['maintenance'] === undefined) {
    return undefined;
  }
  const ask = (): void => {
    context.db.run(maintenanceEnqueue, ['upload_sweep']).catch((error: unknown) => {
      context.observe({ type: 'queue', message: 'a sweep could not be asked for', error });
    });
  };
  ask();
  const timer = setInterval(ask, config.sweep_interval_seconds * 1000);
  timer.unref();
  return timer;
}

function report(observe: Observe, observation: QueueObservation): void {
  switch (observation.event) {
    case 'job_ended':
      observe({
        type: 'job',
        kind: observation.kind,
        outcome: observation.outcome,
        duration_ms: observation.run_ms,
        error: observation.error,
      });
      break;
    case 'job_lost':
    case 'job_stuck':
    case 'job_rescued':
      observe({ type: 'queue', message: `${observation.event}: ${observation.kind} ${observation.id}` });
      break;
    case 'client_id_in_use':
      observe({ type: 'queue', message: `another process works under the id ${observation.client_id}` });
      break;
    case 'leader_not_standing':
      observe({ type: 'queue', message: `this worker cannot lead, it lacks ${observation.missing.join(', ')}` });
      break;
    case 'index_skipped':
      observe({ type: 'queue', message: `${observation.index} is not rebuilt: drop ${observation.found.join(', ')}` });
      break;
    case 'listener_lost':
      observe({ type: 'queue', message: 'the listener lost its connection', error: observation.error });
      break;
    case 'task_failed':
      observe({
        type: 'queue',
        message: `${observation.task} failed and will be tried again`,
        error: observation.error,
      });
      break;
    default:
      break;
  }
}
