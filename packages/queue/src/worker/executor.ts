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
import { type Ended, type Performers, performAttempt, retryOf } from './perform-attempt.ts';
import { RunningJob, type RunningJobs } from './running-job.ts';
import type { WorkerContext } from './worker-context.ts';

/** What an executor works with. */
export interface ExecutorOptions {
  readonly performers: Performers;
  readonly running: RunningJobs;
  readonly completer: Completer;
  /** A job of a queue will be due again after a while. */
  readonly dueAgain: (queue: string, ms: number) => void;
}

/** Executes jobs. */
export class Executor {
  readonly #context: WorkerContext;
  readonly #options: ExecutorOptions;
  #performing = 0;
  #idle: Latch | undefined;

  constructor(context: WorkerContext, options: ExecutorOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Executes a claimed job. Resolves when its slot is free again; never fails. */
  async execute(row: JobRow): Promise<void> {
    const { clock, observe } = this.#context;
    const { performers, running, completer } = this.#options;
    const job = new RunningJob(observedOf(row));
    const [startedAt, start] = [clock.now(), clock.monotonic()];
    this.#performing += 1;
    running.add(job);
    observe({ event: 'job_started', ...job.observed });
    const ended = await performAttempt(this.#context, performers, job, row);
    job.ended();
    observe({ event: 'job_ended', ...job.observed, ...told(ended.outcome), run_ms: clock.monotonic() - start });
    const attempt = this.#endedAttempt(row, ended, startedAt);
    completer.add({ running: job, settlement: settlementOf(attempt, ended.outcome, this.#context.random) });
    this.#performing -= 1;
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

  /** A result is recorded, or refused because the job is no longer ours. */
  settled({ running, settlement }: Result, state: JobState | undefined): void {
    this.#options.running.remove(running);
    if (state === undefined) {
      this.#context.observe({ event: 'job_lost', ...running.observed });
      return;
    }
    this.#context.observe({ event: 'job_settled', ...running.observed, state });
    if (state === 'available') this.#options.dueAgain(running.observed.queue, (settlement.delay_seconds ?? 0) * 1000);
  }

  /** When a rescued job should run again, if its kind is known here and says so. */
  retrySecondsAfterRescue(job: Job): number | undefined {
    const { handlers } = this.#options.performers;
    const handler = Object.hasOwn(handlers, job.kind) ? handlers[job.kind] : undefined;
    return handler === undefined ? undefined : retryOf(this.#context, handler, job, new Error('The worker died'));
  }

  #endedAttempt(row: JobRow, ended: Ended, startedAt: number): EndedAttempt {
    return {
      id: row.id ?? '',
      client_id: this.#context.client_id,
      attempt: Number(row.attempt),
      max_attempts: Number(row.max_attempts),
      error_count: Number(row.error_count),
      metadata: ended.metadata,
      at: new Date(startedAt).toISOString(),
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
