/** What an application brings: for each kind of job how it is performed, and what stands around that for all of them. */
import type { ClientBase } from 'pg';
import type { Job } from '../job.ts';

/** What a step gets. */
export interface StepContext {
  /** What `setCursor` was given last in an earlier attempt that did not end this step; undefined where it was not. */
  readonly cursor: unknown;
  /** Says how far the step has come, in anything that JSON can say. Kept when the attempt does not succeed. */
  readonly setCursor: (cursor: unknown) => void;
  /**
   * Writes in a transaction of the caller's that the step is done, or with a cursor how far it has come: then it is
   * known if and only if what the step did is committed, even if this process dies.
   *
   * @throws QueueError `job_not_running` when the attempt is no longer this worker's
   */
  readonly checkpointTx: (tx: ClientBase, progress?: { readonly cursor: unknown }) => Promise<void>;
}

/** What a handler gets beside the job. All of it may be taken apart: `{ signal, log }`. */
export interface PerformContext {
  /**
   * Aborted when the time is up, when somebody cancels the job, and when the worker stops. Its `reason` is a
   * QueueError; a handler that gives up should throw it.
   */
  readonly signal: AbortSignal;
  /**
   * Records what came of the job, in anything that JSON can say, up to 32 MB: `output` in its metadata, where River UI
   * shows it. Written with the outcome, whatever that is. The last call counts.
   *
   * @throws QueueError `invalid_option` when it is too large; TypeError for what JSON cannot say
   */
  readonly recordOutput: (value: unknown) => void;
  /**
   * Sets keys of the job's metadata when the attempt ends. Shallow: the value of a key is replaced as a whole.
   *
   * @throws QueueError `invalid_option` for keys that start with `river:`
   */
  readonly mergeMetadata: (patch: Readonly<Record<string, unknown>>) => void;
  /** Logs a line for River UI. Two megabytes of an attempt are kept, and eight of all attempts together. */
  readonly log: (line: string) => void;
  /**
   * Does a part of the work that a later attempt need not repeat. Steps run one after another, each name once, in the
   * same order every time; a step that an earlier attempt completed is skipped, so it returns nothing. What a step
   * throws, `step` throws, and the attempt fails. Work outside of steps is repeated.
   */
  readonly step: (name: string, perform: (step: StepContext) => unknown) => Promise<void>;
  /**
   * Completes the job in a transaction of the caller's, with everything recorded so far: it is done if and only if
   * that commits. Returns the job as completed. Commit before the handler returns.
   *
   * @throws QueueError `job_not_running` when the attempt is no longer this worker's, as after a rescue
   */
  readonly completeTx: (tx: ClientBase) => Promise<Job>;
}

/**
 * Stands around every attempt: does something, calls `next` once, which performs the job, and does something after.
 * What it throws, and what `next` throws and it does not catch, is what the handler threw. Without a call to `next`
 * the job is not performed, and is completed all the same.
 */
export type Middleware = (job: Job, context: PerformContext, next: () => Promise<void>) => unknown;

/** Is told of attempts. */
export interface WorkHooks {
  /** Called before the arguments are decoded; what it throws fails the attempt. */
  workBegin?(job: Job, context: PerformContext): unknown;
  /**
   * Called when the handler has ended; `thrown` is undefined where it returned. What it throws itself fails an attempt
   * that had succeeded, and is only reported where that had failed.
   */
  workEnd?(job: Job, context: PerformContext, thrown: unknown): unknown;
}

/** What an error handler decides; undefined leaves it to the handler of the kind and to River's policy. */
export type ErrorVerdict = 'cancel' | { readonly retryAfterMs: number } | undefined;

/** Decides over failed attempts of all kinds. What it throws is reported, and nothing is decided. */
export type OnError = (error: unknown, job: Job) => ErrorVerdict | Promise<ErrorVerdict>;

/**
 * Decides over a handler that runs on ten seconds after its time was up. `wait` lets it have its slot until it ends;
 * `give_back` fails the attempt now and frees the slot, though the handler may still be at it: it may then run beside
 * the next attempt, and its own end is ignored.
 */
export type OnStuck = (job: Job) => 'wait' | 'give_back';

/** How one kind of job is performed. */
export interface JobHandler<Args = unknown> {
  /**
   * Does the work. Returning completes the job, whatever is returned and whatever the signal says; throwing fails the
   * attempt, unless a JobCancel or a JobSnooze is thrown. It may run more than once for one job.
   */
  perform(job: Job<Args>, context: PerformContext): unknown;
  /** Makes the arguments what `perform` takes, or throws: then the attempt fails. Default: they are taken as they are. */
  decode?(args: unknown): Args;
  /** How long an attempt may take; null is for ever. Default: the worker's. */
  readonly timeoutMs?: number | null;
  /** Milliseconds until the next attempt. Undefined, negative or no number: River's default policy. */
  nextRetry?(job: Job<Args>, error: unknown): number | undefined;
  /** Inside of the worker's own, the first one outermost. */
  readonly middleware?: readonly Middleware[];
  /** After the worker's own. */
  readonly hooks?: readonly WorkHooks[];
}

/** Handlers by kind. `Kinds` says what the arguments of each kind are. */
export type Handlers<Kinds extends object = Record<string, unknown>> = {
  readonly [Kind in keyof Kinds & string]?: JobHandler<Kinds[Kind]>;
};
