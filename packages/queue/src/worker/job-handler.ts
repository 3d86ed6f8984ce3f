/** What an application brings: for each kind of job, how it is performed. */
import type { Job } from '../job.ts';

/** What a handler gets beside the job. */
export interface PerformContext {
  /**
   * Aborted when the time is up, when somebody cancels the job, and when the worker stops. Its `reason` is a
   * QueueError; a handler that gives up should throw it.
   */
  readonly signal: AbortSignal;
}

/** How one kind of job is performed. */
export interface JobHandler<Args = unknown> {
  /**
   * Does the work. Returning completes the job, whatever is returned and whatever the signal says; throwing fails the
   * attempt, unless a JobCancel or a JobSnooze is thrown. It may run more than once for one job.
   */
  perform(job: Job<Args>, context: PerformContext): unknown;
  /** How long an attempt may take; null is for ever. Default: the worker's. */
  readonly timeoutMs?: number | null;
  /** Milliseconds until the next attempt. Undefined, negative or no number: River's default policy. */
  nextRetry?(job: Job<Args>, error: unknown): number | undefined;
}
