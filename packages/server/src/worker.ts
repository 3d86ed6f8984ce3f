/**
 * Composition root of the workers: configuration to a running job loop. It joins job kinds, database and backend, asks
 * for upkeep, and reports; the loop itself is the queue's.
 */
import { type Observation as QueueObservation, Worker } from '@rowlock/queue';
import type { Backends } from './backend/backends.ts';
import type { WorkerConfig } from './config.ts';
import { loadDetection } from './domain/media-type.ts';
import type { Observe } from './domain/observation.ts';
import type { RunningSigner } from './http/signer-server.ts';
import { DecoderPool } from './imaging/processes/decoder-pool.ts';
import { adoptedKinds } from './jobs/adopted-kinds.ts';
import type { Checkers, JobContext, JobKind } from './jobs/job-kind.ts';
import { NotifiedRequests } from './jobs/notified-requests.ts';
import { type OwnKind, withOwnKinds } from './jobs/own-kinds.ts';
import { requestCleanup } from './jobs/request-cleanup.ts';
import { signUploadRequest } from './jobs/s3-presign.ts';
import { signingKeysRotate } from './jobs/signing-keys-rotate.ts';
import { uploadSweep } from './jobs/upload-sweep.ts';
import { Database } from './metadata/database.ts';
import { defaultBackendIs } from './metadata/placed-buckets.ts';
import { tellPutGuards } from './metadata/put-guards.ts';
import { maintenanceEnqueue } from './metadata/upkeep.ts';
import type { Metrics } from './metrics.ts';
import { openBackends } from './open-backends.ts';
import { assertRegions } from './operations/assert-regions.ts';
import { type HealthFinding, HealthWatch } from './operations/check-health.ts';
import { signPut } from './operations/sign-put.ts';
import { ClamdScanner } from './scanning/clamd.ts';
import { HttpClassifier } from './scanning/http-classifier.ts';

export interface RunningWorker {
  /** Where the HTTP signer listens, where it was asked for. */
  readonly signerUrl: string | undefined;
  /** Looks at database and store and for the bytes of some versions, and reports what it finds. Takes seconds at most. */
  health(): Promise<readonly HealthFinding[]>;
  /** Claims no more, lets running jobs end, records their results. Idempotent. */
  stop(): Promise<void>;
}

export interface WorkerParts {
  readonly observe?: Observe;
  readonly metrics?: Metrics;
  /** Kinds of jobs of the application's own. */
  readonly kinds?: readonly OwnKind[];
}

/** Starts the workers of the configured queues. Resolves when they claim jobs. @throws TypeError for a kind that is none */
export async function createWorker(config: WorkerConfig, parts: WorkerParts = {}): Promise<RunningWorker> {
  const observe: Observe = (observation) => {
    parts.metrics?.observe(observation);
    parts.observe?.(observation);
  };
  const kinds = withOwnKinds(parts.kinds ?? []);
  const db = new Database({
    url: config.database.url,
    connectionsMax: config.database.connections_max,
    statementTimeoutMs: config.database.statement_timeout_ms,
    applicationName: 'rowlock worker',
  });
  const backends = await openBackends(config, observe);
  const decoders = decodersOf(config, observe);
  const context: JobContext = {
    db,
    backends,
    decoders,
    observe,
    upload_acl: config.upload_acl,
    checks: checkersOf(config),
  };
  const worker = new Worker({
    database: config.database.url,
    schema: config.names.metadata,
    queues: Object.fromEntries(Object.entries(config.queues).map(([name, maxWorkers]) => [name, { maxWorkers }])),
    handlers: handlersOf(context, kinds),
    stopTimeoutMs: config.stop_timeout_ms,
    ...leaseOf(config),
    maintenance: { reindex: 'if_permitted' }, // before PostgreSQL 17 that right cannot be granted
    observe: (observation) => report(observe, observation),
  });
  const adopted = adoptedWorker(config, context);
  let signer: RunningSigner | undefined;
  try {
    await introduce(db, backends);
    await worker.start();
    await adopted?.start();
    signer = await signerOf(config, context);
  } catch (error) {
    await Promise.all([worker.stop(), adopted?.stop()]);
    await Promise.all([decoders.stop(), db.close(), backends.close()]);
    throw error;
  }
  const notified = notifiedOf(config, context);
  // Behind the first claims, which need none of it.
  const loading = setTimeout(() => void loadDetection().catch(() => undefined), 1000).unref();
  const upkeep = askForUpkeep(config, context);
  const health = new HealthWatch(context, observe, { sample: healthSample });
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    for (const timer of upkeep) clearInterval(timer);
    clearTimeout(loading);
    health.stop();
    await Promise.all([worker.stop(), adopted?.stop(), signer?.stop(), notified?.stop()]);
    await decoders.stop();
    await Promise.all([db.close(), backends.close()]);
  };
  return {
    signerUrl: signer?.url,
    health: () => health.look(),
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** Says which stores there are, before anything is put into one. */
async function introduce(db: Database, backends: Backends): Promise<void> {
  await assertRegions(db, backends);
  await db.run(defaultBackendIs, [backends.default.name]);
  await tellPutGuards(
    db,
    [...backends].map(({ name, putGuards }) => ({ backend: name, ...putGuards })),
  );
}

const leaseOf = ({ lease_ttl_ms }: WorkerConfig): { readonly leaseTtlMs?: number } =>
  lease_ttl_ms === undefined ? {} : { leaseTtlMs: lease_ttl_ms };

/** How many versions a look at the store looks for. */
const healthSample = 32;

/** At most as many processes as thumbnails are made at once; none is started before there is something to decode. */
function decodersOf(config: WorkerConfig, observe: Observe): DecoderPool {
  const { queues, decoder_limits: limits, decoder_memory_bytes: memoryBudgetBytes } = config;
  return new DecoderPool({
    size: queues['thumbnails'] ?? 1,
    observe,
    ...(memoryBudgetBytes === undefined ? {} : { memoryBudgetBytes }),
    ...(limits === undefined ? {} : { timeoutMs: limits.timeout_ms, memoryBytesMax: limits.memory_bytes_max }),
  });
}

/** Who is asked what is in files. */
function checkersOf({ scanner, classifier }: WorkerConfig): Checkers {
  return {
    ...(scanner === undefined ? {} : { scanner: new ClamdScanner(scanner) }),
    ...(classifier === undefined ? {} : { classifier: new HttpClassifier(classifier) }),
  };
}

/** For databases that ask over HTTP. */
async function signerOf({ http_signer }: WorkerConfig, context: JobContext): Promise<RunningSigner | undefined> {
  if (http_signer === undefined) return undefined;
  const { startSignerServer } = await import('./http/signer-server.ts');
  const signer = await startSignerServer({
    ...http_signer,
    observe: context.observe,
    signRequest: (requestId) => signUploadRequest(context, requestId),
    signPut: (order) => signPut(context, order),
  });
  context.observe({ type: 'lifecycle', message: `the HTTP signer listens at ${signer.url}` });
  return signer;
}

/** For databases that notify. */
function notifiedOf({ source, database, queues }: WorkerConfig, context: JobContext): NotifiedRequests | undefined {
  if (source !== 'notify') return undefined;
  return new NotifiedRequests(context, { url: database.url, claimsMax: queues['s3_signer'] ?? 50 });
}

/** Beside the deployed worker, in its tables and queues of our own; it leaves whatever is not ours alone. */
function adoptedWorker(config: WorkerConfig, context: JobContext): Worker | undefined {
  const { adopted, database, stop_timeout_ms } = config;
  if (adopted === undefined) return undefined;
  return new Worker({
    database: database.url,
    schema: adopted.schema,
    queues: Object.fromEntries(Object.entries(adopted.queues).map(([name, maxWorkers]) => [name, { maxWorkers }])),
    handlers: handlersOf(context, adoptedKinds),
    fetchOnlyKnownKinds: true,
    lead: adopted.lead,
    stopTimeoutMs: stop_timeout_ms,
    ...leaseOf(config),
    maintenance: { reindex: 'if_permitted' },
    observe: (observation) => report(context.observe, observation),
  });
}

function handlersOf(
  context: JobContext,
  kinds: readonly JobKind[],
): Record<string, { perform: (job: JobLike, attempt: { signal: AbortSignal }) => Promise<void>; timeoutMs: number }> {
  return Object.fromEntries(
    kinds.map((kind) => [
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

/** Derived keys must be there before midnight, and follow temporary credentials, which live an hour or longer. */
const signingKeysIntervalMs = 300_000;

/** Requests stay for days: nobody misses an hour. */
const requestCleanupIntervalMs = 3_600_000;

/** Every worker asks now and then for what is done by one; the database lets one job of a kind wait at a time. */
function askForUpkeep(config: WorkerConfig, context: JobContext): readonly NodeJS.Timeout[] {
  if (config.queues['maintenance'] === undefined) {
    return [];
  }
  const askEvery = (intervalMs: number, kind: string): NodeJS.Timeout => {
    const ask = (): void => {
      context.db.run(maintenanceEnqueue, [kind]).catch((error: unknown) => {
        context.observe({ type: 'queue', message: `${kind} could not be asked for`, error });
      });
    };
    ask();
    return setInterval(ask, intervalMs).unref();
  };
  return [
    askEvery(config.sweep_interval_seconds * 1000, uploadSweep.kind),
    askEvery(signingKeysIntervalMs, signingKeysRotate.kind),
    askEvery(requestCleanupIntervalMs, requestCleanup.kind),
  ];
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
