/**
 * The jobs that this process holds: from the claim until their result is recorded, which is longer than their handler
 * runs. By it a worker knows whom to abort, and which running jobs in the table it has never heard of.
 */
import type { QueueError } from '../queue-error.ts';
import { Latch } from './latch.ts';
import type { ObservedJob } from './observation.ts';

/** One claimed job. */
export class RunningJob {
  readonly observed: ObservedJob;
  readonly #controller = new AbortController();
  readonly #leave = new Latch();
  #isPerforming = true;

  constructor(observed: ObservedJob) {
    this.observed = observed;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether its handler has not ended yet. */
  get isPerforming(): boolean {
    return this.#isPerforming;
  }

  /** Resolves when the worker waits for the handler no longer. */
  get left(): Promise<void> {
    return this.#leave.opened;
  }

  /** Asks the handler to give up. Only the first reason counts. */
  abort(reason: QueueError): void {
    this.#controller.abort(reason);
  }

  /** Stops waiting for a handler that did not give up. */
  leave(): void {
    this.#leave.open();
  }

  ended(): void {
    this.#isPerforming = false;
  }
}

/** All of them. */
export class RunningJobs {
  readonly #jobs = new Map<string, RunningJob>();

  add(job: RunningJob): void {
    this.#jobs.set(job.observed.id, job);
  }

  /** Forgets a job whose result is recorded; if it has been claimed again meanwhile, the newer claim stays. */
  remove(job: RunningJob): void {
    if (this.#jobs.get(job.observed.id) === job) this.#jobs.delete(job.observed.id);
  }

  get(id: string): RunningJob | undefined {
    return this.#jobs.get(id);
  }

  get ids(): readonly string[] {
    return [...this.#jobs.keys()];
  }

  /** Those whose handlers have not ended. */
  get performing(): readonly RunningJob[] {
    return [...this.#jobs.values()].filter((job) => job.isPerforming);
  }
}
