/**
 * Works jobs in the process of a test, one after another, without a worker: no lease, no timers of its own, no
 * notifications. What it writes is what a worker would have written, since it goes through the same attempts.
 */
import { randomUUID } from 'node:crypto';
import { decodeJob, type Job, type JobRow, type JobState } from '../job.ts';
import { QueueError } from '../queue-error.ts';
import { schemaName } from '../schema-name.ts';
import { jobGetAvailable } from '../statements/job-get-available.ts';
import { jobGetOwned } from '../statements/job-get-owned.ts';
import { jobMakeDue } from '../statements/job-make-due.ts';
import { jobSettleMany } from '../statements/job-settle-many.ts';
import { queueGetAvailable } from '../statements/queue-get-available.ts';
import type { Queryable } from '../statements/statement.ts';
import { systemClock } from '../worker/clock.ts';
import type { Handlers, Middleware, OnError, WorkHooks } from '../worker/job-handler.ts';
import type { Observe } from '../worker/observation.ts';
import { type OutcomeKind, settlementOf } from '../worker/outcome.ts';
import { performAttempt } from '../worker/perform-attempt.ts';
import { RunningJob } from '../worker/running-job.ts';
import type { AttemptSurroundings } from '../worker/worker-context.ts';

/** What to drain, and with what. */
export interface DrainOptions<Kinds extends object = Record<string, unknown>> {
  readonly schema: string;
  readonly handlers: Handlers<Kinds>;
  /** Default: all, in the order of their names. */
  readonly queues?: readonly string[];
  /**
   * Works everything that is due by this time, retries and snoozed jobs too, as if it had come. Default: only what is
   * available now.
   */
  readonly now?: Date | string;
  readonly middleware?: readonly Middleware[];
  readonly hooks?: readonly WorkHooks[];
  readonly onError?: OnError;
  /** Default 60 s, as a worker's; null is for ever. */
  readonly jobTimeoutMs?: number | null;
  /** After so many attempts something goes round in circles. Default 10,000. */
  readonly attemptsMax?: number;
  readonly observe?: Observe;
}

/** An attempt that was made. */
export interface DrainedJob {
  /** As it was claimed. */
  readonly job: Job;
  readonly outcome: OutcomeKind;
  /** What the handler threw, where it failed or cancelled. */
  readonly error?: unknown;
  /** The job's state afterwards; undefined where somebody deleted it meanwhile. */
  readonly state: JobState | undefined;
}

/**
 * Works jobs until none is left and returns every attempt that was made, in order: by queue, and in a queue as a worker
 * claims. `on` is a pool, or a connection, which may be in a transaction that is rolled back later.
 *
 * @throws QueueError `invalid_option` when there is no end to it; what the database answers
 */
export async function drain<Kinds extends object = Record<string, unknown>>(
  on: Queryable,
  options: DrainOptions<Kinds>,
): Promise<readonly DrainedJob[]> {
  const { attemptsMax = 10_000, observe = () => undefined } = options;
  const context: AttemptSurroundings = {
    schema: schemaName(options.schema),
    client_id: `drain_${randomUUID()}`,
    clock: systemClock,
    random: () => 0.5,
    observe,
  };
  const drained: DrainedJob[] = [];
  for (;;) {
    const row = await claimNext(on, context, options);
    if (row === undefined) return drained;
    if (drained.length === attemptsMax) {
      throw new QueueError('invalid_option', `There are still jobs after ${attemptsMax} attempts`);
    }
    drained.push(await work(on, context, row, options));
  }
}

type AnyDrain = Omit<DrainOptions, 'handlers'> & { readonly handlers: object };

async function claimNext(
  on: Queryable,
  { schema, client_id }: AttemptSurroundings,
  { queues, now }: AnyDrain,
): Promise<JobRow | undefined> {
  if (now !== undefined) {
    const until = typeof now === 'string' ? now : now.toISOString();
    await jobMakeDue(on, schema, { until, queues: queues ?? null });
  }
  for (const queue of queues ?? (await queueGetAvailable(on, schema))) {
    const [row] = await jobGetAvailable(on, schema, { queue, limit: 1, client_id });
    if (row !== undefined) return row;
  }
  return undefined;
}

async function work(
  on: Queryable,
  context: AttemptSurroundings,
  row: JobRow,
  { handlers, middleware = [], hooks = [], onError, jobTimeoutMs = 60_000 }: AnyDrain,
): Promise<DrainedJob> {
  const { id, kind, queue, attempt, max_attempts, error_count } = row;
  const observed = { id: id ?? '', kind: kind ?? '', queue: queue ?? '', attempt: Number(attempt) };
  const at = context.clock.now();
  const performers = { handlers: handlers as Handlers, jobTimeoutMs, middleware, hooks, ...(onError && { onError }) };
  const ended = await performAttempt(context, performers, new RunningJob(observed, row), row);
  const counts = { max_attempts: Number(max_attempts), error_count: Number(error_count) };
  const whole = { ...observed, ...counts, ...ended, client_id: context.client_id, at };
  const settlement = settlementOf(whole, ended.outcome, context.random);
  const [settled] = await jobSettleMany(on, context.schema, [settlement]);
  const state = settled?.state ?? (await jobGetOwned(on, context.schema, [observed.id])).get(observed.id)?.state;
  const error = 'error' in ended.outcome ? { error: ended.outcome.error } : {};
  return { job: readable(row), outcome: ended.outcome.kind, state: (state ?? undefined) as JobState, ...error };
}

function readable(row: JobRow): Job {
  try {
    return decodeJob(row);
  } catch {
    return decodeJob({ ...row, args: 'null', metadata: '{}' }); // the attempt has failed for that reason
  }
}
