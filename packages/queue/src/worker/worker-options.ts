/** What a worker is made from, with every bound and default. It opens nothing. */
import { randomInt } from 'node:crypto';
import { hostname } from 'node:os';
import type { Pool } from 'pg';
import { assertKind, assertQueueName } from '../job-insert-options.ts';
import { type MaintenanceOptions, type MaintenanceTerms, maintenanceTerms } from '../leader/maintenance-options.ts';
import type { PeriodicJob } from '../leader/periodic-jobs.ts';
import { QueueError } from '../queue-error.ts';
import { clientIdLengthMax, makeClientId } from './client-id.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Handlers, JobHandler, Middleware, OnError, OnStuck, WorkHooks } from './job-handler.ts';
import type { Observe } from './observation.ts';

/** What one queue may take. */
export interface QueueOptions {
  /** How many of its jobs run at once in this process; 1 to 10,000. */
  readonly maxWorkers: number;
}

/** What a worker takes. `Kinds` says what the arguments of each kind are. */
export interface WorkerOptions<Kinds extends object = Record<string, unknown>> {
  /**
   * A pool of at least two connections, which stays the caller's, or a connection string, for a pool of the worker's
   * own with three. One more connection listens. A pool of the caller's should have a `connectionTimeoutMillis`.
   */
  readonly database: Pool | string;
  /** The schema of River's tables. */
  readonly schema: string;
  /** By name, the queues to work. */
  readonly queues: Readonly<Record<string, QueueOptions>>;
  /** By kind, how jobs are performed. A job of another kind fails, and is tried again, maybe by another worker. */
  readonly handlers: Handlers<Kinds>;
  /** Whether to leave jobs of kinds without a handler to other workers. Default false, as River's. */
  readonly fetchOnlyKnownKinds?: boolean;
  /** Around every attempt, the first one outermost. */
  readonly middleware?: readonly Middleware[];
  readonly hooks?: readonly WorkHooks[];
  /** Asked about every failed attempt, before the `nextRetry` of its handler. */
  readonly onError?: OnError;
  /** Asked about handlers that do not end, though their time is up. Default: they keep their slots. */
  readonly onStuck?: OnStuck;
  /** Unique among all processes that live; at most 100 characters. Default: host and time. */
  readonly clientId?: string;
  /** How often to look for jobs that nobody announced. Default 1 s, at least 1 ms; a tenth is added at random. */
  readonly fetchPollIntervalMs?: number;
  /** How long an attempt may take where its handler names no time; null is for ever. Default 60 s, as River's. */
  readonly jobTimeoutMs?: number | null;
  /** How long this worker counts as alive after its last sign of life. Default 30 s, at least 5 s. */
  readonly leaseTtlMs?: number;
  /** How long `stop` waits for running jobs before it aborts them. Default 25 s. */
  readonly stopTimeoutMs?: number;
  /** How long aborted handlers may take to give up before their jobs are given back. Default 3 s. */
  readonly abortTimeoutMs?: number;
  /** Whether to listen for notifications. Default true; false where connections go through a transaction pooler. */
  readonly listen?: boolean;
  /** Set where Go workers share a queue and this fleet leads, so that inserts always notify. Default false. */
  readonly notifyAlways?: boolean;
  /**
   * Whether this worker may lead the fleet: promote scheduled jobs, rescue stuck ones, delete finished ones, reindex,
   * and insert periodic ones, for Go's workers as well. Default true; without the rights for all of it, it does not.
   */
  readonly lead?: boolean;
  /** What it does when it leads, and what it keeps. */
  readonly maintenance?: MaintenanceOptions;
  /** What it inserts again and again while it leads. */
  readonly periodicJobs?: readonly PeriodicJob[];
  readonly observe?: Observe;
  readonly clock?: Clock;
  /** Returns numbers in [0, 1). */
  readonly random?: () => number;
}

/** Options with every default filled in. */
export type WorkerSettings = Required<Omit<WorkerOptions, 'maintenance'>> & { readonly maintenance: MaintenanceTerms };

/** The same for any kinds: what the arguments are is not known at run time. */
type AnyOptions = Omit<WorkerOptions, 'handlers'> & { readonly handlers: object };

/** As the system's random numbers, but not for secrets. */
const systemRandom = (): number => randomInt(2 ** 32) / 2 ** 32;

/**
 * Checks options and fills in the defaults.
 *
 * @throws QueueError `invalid_option`, `invalid_job` for the name of a queue or kind
 */
export function workerSettings(options: AnyOptions): WorkerSettings {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const settings: WorkerSettings = {
    fetchPollIntervalMs: 1000,
    jobTimeoutMs: 60_000,
    leaseTtlMs: 30_000,
    stopTimeoutMs: 25_000,
    abortTimeoutMs: 3000,
    listen: true,
    notifyAlways: false,
    lead: true,
    periodicJobs: [],
    fetchOnlyKnownKinds: false,
    middleware: [],
    hooks: [],
    onError: () => undefined,
    onStuck: () => 'wait',
    observe: () => undefined,
    clientId: makeClientId(hostname(), clock.now(), random),
    ...options,
    handlers: options.handlers as Handlers,
    clock,
    random,
    maintenance: maintenanceTerms(options.maintenance ?? {}, options.jobTimeoutMs),
  };
  const queues = Object.entries(settings.queues);
  expect(queues.length > 0, 'A worker needs at least one queue');
  for (const [name, queue] of queues) assertQueue(name, queue);
  for (const [kind, handler] of Object.entries(settings.handlers)) assertHandler(kind, handler);
  expect(
    settings.clientId.length >= 1 && settings.clientId.length <= clientIdLengthMax,
    'clientId: 1 to 100 characters',
  );
  expect(settings.fetchPollIntervalMs >= 1, 'fetchPollIntervalMs: at least 1');
  expect(isTimeout(settings.jobTimeoutMs), 'jobTimeoutMs: more than 0, or null');
  expect(settings.leaseTtlMs >= 5000, 'leaseTtlMs: at least 5000');
  expect(settings.stopTimeoutMs >= 0 && settings.abortTimeoutMs >= 0, 'stopTimeoutMs and abortTimeoutMs: at least 0');
  return settings;
}

/**
 * Checks one queue.
 *
 * @throws QueueError `invalid_option`, `invalid_job` for its name
 */
export function assertQueue(name: string, { maxWorkers }: QueueOptions): void {
  assertQueueName(name);
  const isCount = Number.isInteger(maxWorkers) && maxWorkers >= 1 && maxWorkers <= 10_000;
  expect(isCount, `maxWorkers of ${name}: 1 to 10000`);
}

function assertHandler(kind: string, handler: JobHandler | undefined): void {
  assertKind(kind);
  expect(typeof handler?.perform === 'function', `The handler of ${kind} has no perform`);
  expect(isTimeout(handler?.timeoutMs ?? null), `timeoutMs of ${kind}: more than 0, or null`);
}

function isTimeout(ms: number | null): boolean {
  return ms === null || ms > 0;
}

function expect(isTrue: boolean, message: string): void {
  if (!isTrue) throw new QueueError('invalid_option', message);
}
