/**
 * Takes a claimed job through its attempt: a named list of steps, from the row to the result in the completer's hands.
 * It decides neither when to claim nor what an outcome means. A job whose attempt has ended is still held until its
 * result is recorded.
 */
import type { Job, JobRow, JobState } from '../job.ts';
import type { Completer, Result } from './completer.ts';
import { Latch } from './latch.ts';
import type { ObservedJob } from './observation.ts';
import { type EndedAttempt, type Outcome, settlementOf } from './outcome.ts';
import { type Ended, handlerOf, type Performers, performAttempt, retryOf } from './perform-attempt.ts';
import { RunningJob, type RunningJobs } from './running-job.ts';
import { SecondLook } from './second-look.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { WorkerContext } from './worker-context.ts';

/** What an executor works with. */
export interface ExecutorOptions {
  readonly performers: Performers;
  readonly running: RunningJobs;
  readonly completer: Completer;
  readonly subscriptions: Subscriptions;
  /** A job of a queue will be due again after a while. */
  readonly dueAgain: (queue: string, ms: number) => void;
}

/** Executes jobs. */
export class Executor {
  readonly #context: WorkerContext;
  readonly #options: ExecutorOptions;
  readonly #secondLook: SecondLook;
  #performing = 0;
  #idle: Latch | undefined;
  /** Of queues that somebody waits for. */
  readonly #idleQueues = new Map<string, Latch>();

  constructor(context: WorkerContext, options: ExecutorOptions) {
    this.#context = context;
    this.#options = options;
    this.#secondLook = new SecondLook(context, (result, state) => this.#told(result, state));
  }

  /** Executes a claimed job. Resolves when its slot is free again; never fails. */
  async execute(row: JobRow): Promise<void> {
    const { clock, observe } = this.#context;
    const { performers, running, completer } = this.#options;
    const job = new RunningJob(observedOf(row), row);
    const [startedAt, start] = [clock.now(), clock.monotonic()];
    this.#performing += 1;
    running.add(job);
    observe({ event: 'job_started', ...job.observed });
    const ended = await performAttempt(this.#context, performers, job, row);
    job.ended(ended.outcome.kind);
    observe({ event: 'job_ended', ...job.observed, ...told(ended.outcome), run_ms: clock.monotonic() - start });
    const attempt = this.#endedAttempt(row, ended, startedAt);
    completer.add({ running: job, settlement: settlementOf(attempt, ended.outcome, this.#context.random) });
    this.#performing -= 1;
    if (this.#idleQueues.size > 0) this.#endQueue(job.observed.queue);
    if (this.#performing > 0) return;
    this.#idle?.open();
    this.#idle = undefined;
  }

  /** Resolves when no handler runs. */
  async idle(): Promise<void> {
    if (this.#performing === 0) return;
    this.#idle ??= new Latch();
    await this.#idle.opened;
  }

  /** Resolves when no handler of a queue runs. */
  async queueIdle(queue: string): Promise<void> {
    if (!this.#isPerforming(queue)) return;
    const latch = this.#idleQueues.get(queue) ?? new Latch();
    this.#idleQueues.set(queue, latch);
    await latch.opened;
  }

  /** Resolves when everything that was recorded has been reported. */
  async reported(): Promise<void> {
    await this.#secondLook.idle();
  }

  /** A result is recorded, or refused because the job is no longer ours, or was completed already. */
  settled(result: Result, state: JobState | undefined): void {
    this.#options.running.remove(result.running);
    if (state === undefined) this.#secondLook.add(result);
    else this.#told(result, state);
  }

  #told(result: Result, state: JobState | undefined): void {
    const { running, settlement } = result;
    if (state === undefined) {
      this.#context.observe({ event: 'job_lost', ...running.observed });
      return;
    }
    this.#context.observe({ event: 'job_settled', ...running.observed, state });
    this.#options.subscriptions.settled(result, state);
    if (state === 'available') this.#options.dueAgain(running.observed.queue, (settlement.delay_seconds ?? 0) * 1000);
  }

  /** When a rescued job should run again, if its kind is known here and says so. */
  retrySecondsAfterRescue(job: Job): number | undefined {
    const handler = handlerOf(this.#options.performers, job.kind);
    return handler === undefined ? undefined : retryOf(this.#context, handler, job, new Error('The worker died'));
  }

  #isPerforming(queue: string): boolean {
    return this.#options.running.performing.some(({ observed }) => observed.queue === queue);
  }

  #endQueue(queue: string): void {
    if (this.#isPerforming(queue)) return;
    this.#idleQueues.get(queue)?.open();
    this.#idleQueues.delete(queue);
  }

  #endedAttempt(row: JobRow, ended: Ended, startedAt: number): EndedAttempt {
    return {
      id: row.id ?? '',
      client_id: this.#context.client_id,
      attempt: Number(row.attempt),
      max_attempts: Number(row.max_attempts),
      error_count: Number(row.error_count),
      metadata: ended.metadata,
      updates: ended.updates,
      at: startedAt,
      retry_seconds: ended.retry_seconds,
    };
  }
}

function observedOf(row: JobRow): ObservedJob {
  return { id: row.id ?? '', kind: row.kind ?? '', queue: row.queue ?? '', attempt: Number(row.attempt) };
}

function told(outcome: Outcome): { readonly outcome: Outcome['kind']; readonly error?: unknown } {
  return 'error' in outcome ? { outcome: outcome.kind, error: outcome.error } : { outcome: outcome.kind };
}
