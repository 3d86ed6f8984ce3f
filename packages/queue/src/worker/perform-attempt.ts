/**
 * One attempt at a job, from its row to how it ended: decode, find the handler, perform it within its time, judge what
 * it threw. It records nothing, and it never fails: whatever goes wrong inside is how the attempt ended.
 */
import { errorText } from '../attempt-error.ts';
import { decodeJob, type Job, type JobRow } from '../job.ts';
import { JobCancel, JobSnooze } from '../job-verdicts.ts';
import { QueueError } from '../queue-error.ts';
import { AttemptContext } from './attempt-context.ts';
import { AttemptRecord } from './attempt-record.ts';
import type { Handlers, JobHandler, Middleware, OnError, OnStuck, WorkHooks } from './job-handler.ts';
import type { Outcome } from './outcome.ts';
import { performWithin } from './perform-within.ts';
import type { Departure, RunningJob } from './running-job.ts';
import type { AttemptSurroundings } from './worker-context.ts';

/** How long after its time was up a handler is reported as stuck: River's threshold. */
const stuckAfterMs = 10_000;

/** What a worker performs with. */
export interface Performers {
  readonly handlers: Handlers;
  /** For handlers that name no time; null is for ever. */
  readonly jobTimeoutMs: number | null;
  readonly middleware?: readonly Middleware[];
  readonly hooks?: readonly WorkHooks[];
  readonly onError?: OnError;
  readonly onStuck?: OnStuck;
}

/** How an attempt ended, and when to make the next one, where anybody has said so; undefined is River's policy. */
interface Verdict {
  readonly outcome: Outcome;
  readonly retry_seconds?: number | undefined;
}

/** An attempt that has ended. */
export interface Ended extends Verdict {
  /** The job's metadata as they were; empty where they could not be read. */
  readonly metadata: Job['metadata'];
  /** What to merge into them, as JSON by key. */
  readonly updates?: ReadonlyMap<string, string> | undefined;
}

/** Makes the attempt. */
export async function performAttempt(
  context: AttemptSurroundings,
  performers: Performers,
  running: RunningJob,
  row: JobRow,
): Promise<Ended> {
  let job: Job;
  try {
    job = decodeJob(row);
  } catch (error) {
    const undecoded = new Error(`The job could not be decoded: ${errorText(error)}`, { cause: error });
    return { outcome: { kind: 'failed', error: undecoded }, metadata: {} };
  }
  const { metadata } = job;
  if ('cancel_attempted_at' in metadata) return { outcome: cancelledRemotely, metadata };
  const record = new AttemptRecord(job);
  const handler = handlerOf(performers, job.kind);
  const attempt = { context, performers, handler, job, running, record };
  const verdict =
    handler === undefined ? await judge(attempt, unknownKind(job)) : await performInTime(attempt, handler);
  return { ...verdict, metadata, updates: updatesOf(attempt, verdict.outcome) };
}

interface Attempt {
  readonly context: AttemptSurroundings;
  readonly performers: Performers;
  readonly handler: JobHandler | undefined;
  readonly job: Job;
  readonly running: RunningJob;
  readonly record: AttemptRecord;
}

async function performInTime(attempt: Attempt, handler: JobHandler): Promise<Verdict> {
  const { performers, running } = attempt;
  const timeoutMs = handler.timeoutMs === undefined ? performers.jobTimeoutMs : handler.timeoutMs;
  const disarm = timeoutMs === null ? undefined : watch(attempt, timeoutMs);
  try {
    return await new Promise((resolve, reject) => {
      running.whenLeft((departure) => resolve(departed(attempt, departure, timeoutMs)));
      perform(attempt, handler).then(resolve, reject);
    });
  } finally {
    disarm?.();
  }
}

/** Never fails, since nobody may be waiting for it any more. */
async function perform(attempt: Attempt, handler: JobHandler): Promise<Verdict> {
  const { context, performers, job, running, record } = attempt;
  const front = new AttemptContext(context, running, record);
  try {
    await performWithin({ observe: context.observe, surroundings: performers, handler, job, front });
    record.assertDone();
    return { outcome: { kind: 'completed' } };
  } catch (error) {
    return await judge(attempt, error);
  }
}

async function departed(attempt: Attempt, departure: Departure, timeoutMs: number | null): Promise<Verdict> {
  if (departure === 'stopping') return { outcome: { kind: 'interrupted' } };
  const message = `The handler did not end, though its ${timeoutMs} ms were over, and was left behind`;
  return await judgeFailure(attempt, new QueueError('job_timed_out', message));
}

/** Aborts the handler when its time is up, and has it judged where it runs on. Returns what calls that off. */
function watch({ context, performers, job, running }: Attempt, timeoutMs: number): () => void {
  const { clock, observe } = context;
  let disarm = clock.after(timeoutMs, () => {
    running.abort(new QueueError('job_timed_out', `The job took longer than ${timeoutMs} ms`));
    disarm = clock.after(stuckAfterMs, () => {
      observe({ event: 'job_stuck', ...running.observed, timeout_ms: timeoutMs });
      try {
        if (performers.onStuck?.(job) === 'give_back') running.leave('stuck');
      } catch (error) {
        observe({ event: 'task_failed', task: `on_stuck of ${job.kind}`, error });
      }
    });
  });
  return () => disarm();
}

const cancelledRemotely: Outcome = { kind: 'cancelled', error: 'job cancelled remotely' };

/** River's words. */
function unknownKind({ kind }: Job): string {
  return `job kind is not registered in the client's Workers bundle: ${kind}`;
}

/** What becomes of an attempt that has thrown something. Never fails. */
async function judge(attempt: Attempt, thrown: unknown): Promise<Verdict> {
  const { signal } = attempt.running;
  if (thrown instanceof JobCancel) return { outcome: { kind: 'cancelled', error: thrown } };
  if (thrown instanceof JobSnooze) return { outcome: { kind: 'snoozed', delay_ms: thrown.delayMs } };
  const reason: unknown = signal.aborted ? signal.reason : undefined;
  if (reason instanceof QueueError && reason.reason === 'job_cancelled') return { outcome: cancelledRemotely };
  if (reason instanceof QueueError && reason.reason === 'worker_stopping') return { outcome: { kind: 'interrupted' } };
  return await judgeFailure(attempt, thrown);
}

async function judgeFailure(attempt: Attempt, error: unknown): Promise<Verdict> {
  const { context, performers, handler, job } = attempt;
  const failed: Outcome = { kind: 'failed', error };
  try {
    const verdict = await performers.onError?.(error, job);
    if (verdict === 'cancel') return { outcome: { kind: 'cancelled', error, is_failure: true } };
    const seconds = secondsOf(verdict?.retryAfterMs);
    if (seconds !== undefined) return { outcome: failed, retry_seconds: seconds };
  } catch (thrown) {
    context.observe({ event: 'task_failed', task: `on_error of ${job.kind}`, error: thrown });
  }
  return { outcome: failed, retry_seconds: handler && retryOf(context, handler, job, error) };
}

function updatesOf({ context, job, record }: Attempt, outcome: Outcome): ReadonlyMap<string, string> | undefined {
  try {
    return record.updates(outcome.kind === 'completed');
  } catch (error) {
    context.observe({ event: 'task_failed', task: `metadata of ${job.kind}`, error });
    return undefined;
  }
}

/** Finds the handler of a kind; an object's own properties only, since a kind may be called `toString`. */
export function handlerOf({ handlers }: Pick<Performers, 'handlers'>, kind: string): JobHandler | undefined {
  return Object.hasOwn(handlers, kind) ? handlers[kind] : undefined;
}

/** Asks a handler when to try again, in seconds; undefined where it leaves that to River's policy. Never fails. */
export function retryOf(
  { observe }: AttemptSurroundings,
  handler: JobHandler,
  job: Job,
  error: unknown,
): number | undefined {
  try {
    return secondsOf(handler.nextRetry?.(job, error));
  } catch (thrown) {
    observe({ event: 'task_failed', task: `next_retry of ${job.kind}`, error: thrown });
    return undefined;
  }
}

function secondsOf(ms: number | undefined): number | undefined {
  return ms !== undefined && ms >= 0 && Number.isFinite(ms) ? ms / 1000 : undefined;
}
