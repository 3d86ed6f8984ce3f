/**
 * One attempt at a job, from its row to how it ended: decode, find the handler, perform it within its time. It records
 * nothing, and it never fails: whatever goes wrong inside is how the attempt ended.
 */
import { errorText } from '../attempt-error.ts';
import { decodeJob, type Job, type JobRow } from '../job.ts';
import { JobCancel, JobSnooze } from '../job-verdicts.ts';
import { QueueError } from '../queue-error.ts';
import type { JobHandler } from './job-handler.ts';
import type { Outcome } from './outcome.ts';
import type { RunningJob } from './running-job.ts';
import type { WorkerContext } from './worker-context.ts';

/** How long after its time was up a handler is reported as stuck: River's threshold. */
const stuckAfterMs = 10_000;

/** What a worker performs with. */
export interface Performers {
  readonly handlers: Readonly<Record<string, JobHandler>>;
  /** For handlers that name no time; null is for ever. */
  readonly jobTimeoutMs: number | null;
}

/** An attempt that has ended. */
export interface Ended {
  readonly outcome: Outcome;
  /** What the handler wants to wait for before the next attempt; undefined is River's policy. */
  readonly retry_seconds?: number | undefined;
  /** The job's metadata; empty where they could not be read. */
  readonly metadata: Job['metadata'];
}

/** Makes the attempt. */
export async function performAttempt(
  context: WorkerContext,
  performers: Performers,
  running: RunningJob,
  row: JobRow,
): Promise<Ended> {
  const { kind } = running.observed;
  let job: Job;
  try {
    job = decodeJob(row);
  } catch (error) {
    const undecoded = new Error(`The job could not be decoded: ${errorText(error)}`, { cause: error });
    return { outcome: { kind: 'failed', error: undecoded }, metadata: {} };
  }
  const { metadata } = job;
  if ('cancel_attempted_at' in metadata) return { outcome: cancelledRemotely, metadata };
  const handler = Object.hasOwn(performers.handlers, kind) ? performers.handlers[kind] : undefined;
  if (handler === undefined) {
    const error = `job kind is not registered in the client's Workers bundle: ${kind}`;
    return { outcome: { kind: 'failed', error }, metadata };
  }
  const outcome = await performInTime(context, { handler, job, running, timeoutMs: timeoutOf(performers, handler) });
  if (outcome.kind !== 'failed') return { outcome, metadata };
  return { outcome, metadata, retry_seconds: retryOf(context, handler, job, outcome.error) };
}

interface Performance {
  readonly handler: JobHandler;
  readonly job: Job;
  readonly running: RunningJob;
  readonly timeoutMs: number | null;
}

async function performInTime({ clock, observe }: WorkerContext, performance: Performance): Promise<Outcome> {
  const { handler, job, running, timeoutMs } = performance;
  const { signal } = running;
  let disarm: () => void = () => undefined;
  if (timeoutMs !== null) {
    disarm = clock.after(timeoutMs, () => {
      running.abort(new QueueError('job_timed_out', `The job took longer than ${timeoutMs} ms`));
      disarm = clock.after(stuckAfterMs, () => {
        observe({ event: 'job_stuck', ...running.observed, timeout_ms: timeoutMs });
      });
    });
  }
  try {
    const performed = (async () => await handler.perform(job, { signal }))().then(
      (): Outcome => ({ kind: 'completed' }),
    );
    return await Promise.race([performed, running.left.then((): Outcome => ({ kind: 'interrupted' }))]);
  } catch (error) {
    return outcomeOf(error, signal);
  } finally {
    disarm();
  }
}

const cancelledRemotely: Outcome = { kind: 'cancelled', error: 'job cancelled remotely' };

function outcomeOf(thrown: unknown, signal: AbortSignal): Outcome {
  if (thrown instanceof JobCancel) return { kind: 'cancelled', error: thrown };
  if (thrown instanceof JobSnooze) return { kind: 'snoozed', delay_ms: thrown.delayMs };
  const reason: unknown = signal.aborted ? signal.reason : undefined;
  if (reason instanceof QueueError && reason.reason === 'job_cancelled') return cancelledRemotely;
  if (reason instanceof QueueError && reason.reason === 'worker_stopping') return { kind: 'interrupted' };
  return { kind: 'failed', error: thrown };
}

function timeoutOf({ jobTimeoutMs }: Performers, { timeoutMs }: JobHandler): number | null {
  return timeoutMs === undefined ? jobTimeoutMs : timeoutMs;
}

/** Asks a handler when to try again, in seconds; undefined where it leaves that to River's policy. Never fails. */
export function retryOf({ observe }: WorkerContext, handler: JobHandler, job: Job, error: unknown): number | undefined {
  try {
    const ms = handler.nextRetry?.(job, error);
    return ms !== undefined && ms >= 0 && Number.isFinite(ms) ? ms / 1000 : undefined;
  } catch (thrown) {
    observe({ event: 'task_failed', task: `next_retry of ${job.kind}`, error: thrown });
    return undefined;
  }
}
