/**
 * The jobs that this process holds: from the claim until their result is recorded, which is longer than their handler
 * runs. By it a worker knows whom to abort, and which running jobs in the table it has never heard of.
 */
import type { JobRow } from '../job.ts';
import type { QueueError } from '../queue-error.ts';
import type { ObservedJob } from './observation.ts';
import type { OutcomeKind } from './outcome.ts';

/** Why a worker waits for a handler no longer: it stops, or the slot of a stuck handler is given back. */
export type Departure = 'stopping' | 'stuck';

/** One claimed job. */
export class RunningJob {
  readonly observed: ObservedJob;
  /** As it was claimed; undefined only in tests of parts that do not need it. */
  readonly row: JobRow | undefined;
  /** Made when it is asked for: most handlers never look. */
  #controller: AbortController | undefined;
  #departure: Departure | undefined;
  #tellLeft: ((departure: Departure) => void) | undefined;
  #outcome: OutcomeKind | undefined;

  constructor(observed: ObservedJob, row?: JobRow) {
    this.observed = observed;
    this.row = row;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Whether its handler has not ended yet. */
  get isPerforming(): boolean {
    return this.#outcome === undefined;
  }

  /** How the attempt ended; undefined as long as it has not. */
  get outcome(): OutcomeKind | undefined {
    return this.#outcome;
  }

  /** Has somebody told, one at most, when the worker waits for the handler no longer; at once where that is so. */
  whenLeft(tell: (departure: Departure) => void): void {
    this.#tellLeft = tell;
    if (this.#departure !== undefined) tell(this.#departure);
  }

  /** Asks the handler to give up. Only the first reason counts. */
  abort(reason: QueueError): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }

  /** Stops waiting for a handler that did not give up. Only the first departure counts. */
  leave(departure: Departure): void {
    if (this.#departure !== undefined) return;
    this.#departure = departure;
    this.#tellLeft?.(departure);
  }

  ended(outcome: OutcomeKind): void {
    this.#outcome = outcome;
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
