/**
 * Tells subscribers what was recorded, with the rows as they are in the table. Nothing is read as long as nobody has
 * subscribed, and no result waits for a subscriber. Events come in the order in which results were recorded.
 */
import { decodeJobDetails, type JobDetails, type JobDetailsRow, type JobState } from '../job.ts';
import { jobGetOwned } from '../statements/job-get-owned.ts';
import type { Result } from './completer.ts';
import { Latch } from './latch.ts';
import type { Observation } from './observation.ts';
import type { OutcomeKind } from './outcome.ts';
import { type JobEventName, type SubscribeOptions, Subscription, type WorkerEvent } from './subscription.ts';
import type { WorkerContext } from './worker-context.ts';

interface Told {
  readonly event: JobEventName;
  readonly state: JobState;
  readonly result: Result;
}

/** More than this many recorded results are not kept until their rows are read. */
const waitingMax = 10_000;
const batchMax = 1000;

/** All subscriptions of a worker. */
export class Subscriptions {
  readonly #context: WorkerContext;
  readonly #all = new Set<Subscription>();
  #waiting: (Told | WorkerEvent)[] = [];
  #isTelling = false;
  #isEnded = false;
  #idle: Latch | undefined;

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  /** Begins one; it ends at once where the worker has stopped. */
  add(options: SubscribeOptions): Subscription {
    const subscription = new Subscription(options, (self) => this.#all.delete(self));
    if (this.#isEnded) subscription.end();
    else this.#all.add(subscription);
    return subscription;
  }

  /** A result was recorded, and this is the state that the job is in. */
  settled(result: Result, state: JobState): void {
    const { outcome } = result.running;
    if (this.#all.size > 0 && outcome !== undefined) this.#tell({ event: eventOf(outcome, state), state, result });
  }

  /** Pauses and resumptions are told as well. */
  observed(observation: Observation): void {
    if (this.#all.size === 0) return;
    const { event } = observation;
    if (event === 'queue_paused' || event === 'queue_resumed') this.#tell({ event, queue: observation.queue });
  }

  /** Tells what is left and ends all subscriptions. */
  async end(): Promise<void> {
    if (this.#isTelling) {
      this.#idle = new Latch();
      await this.#idle.opened;
    }
    this.#isEnded = true;
    for (const subscription of this.#all) subscription.end();
    this.#all.clear();
  }

  #tell(told: Told | WorkerEvent): void {
    if (this.#waiting.length >= waitingMax) {
      for (const subscription of this.#all) subscription.drop(1);
      return;
    }
    this.#waiting.push(told);
    if (this.#isTelling) return;
    this.#isTelling = true;
    setImmediate(() => void this.#tellOnAndOn());
  }

  async #tellOnAndOn(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, batchMax);
      const rows = await this.#read(batch.flatMap((told) => ('result' in told ? [told.result.settlement.id] : [])));
      for (const told of batch) this.#publish('result' in told ? asRecorded(told, rows) : told);
    }
    this.#isTelling = false;
    this.#idle?.open();
  }

  #publish(event: WorkerEvent | undefined): void {
    if (event !== undefined) for (const subscription of this.#all) subscription.tell(event);
  }

  async #read(ids: readonly string[]): Promise<ReadonlyMap<string, JobDetailsRow>> {
    if (ids.length === 0) return new Map();
    const { pool, schema, observe } = this.#context;
    try {
      return await jobGetOwned(pool, schema, ids);
    } catch (error) {
      observe({ event: 'task_failed', task: 'read jobs for subscribers', error });
      return new Map();
    }
  }
}

/** What was recorded counts, not what the handler meant: a cancellation may have come first. */
function eventOf(outcome: OutcomeKind, state: JobState): JobEventName {
  if (state === 'completed') return 'job_completed';
  if (state === 'cancelled') return 'job_cancelled';
  if (outcome === 'snoozed') return 'job_snoozed';
  return outcome === 'interrupted' ? 'job_interrupted' : 'job_failed';
}

/** A job that was deleted meanwhile, or that cannot be read, is told as it was claimed. */
function asRecorded({ event, state, result }: Told, rows: ReadonlyMap<string, JobDetailsRow>): WorkerEvent | undefined {
  const { running, settlement } = result;
  const row = rows.get(settlement.id) ?? (running.row && { ...running.row, ...unknownDetails });
  if (row === undefined) return undefined;
  const job = decodedLeniently(row);
  return {
    event,
    job: { ...job, state, attempt: settlement.state === state ? settlement.attempt_after : job.attempt },
  };
}

const unknownDetails = { finalized_at: null, attempted_by: null, errors: null, unique_key: null };

function decodedLeniently(row: JobDetailsRow): JobDetails {
  try {
    return decodeJobDetails(row);
  } catch {
    return decodeJobDetails({ ...row, args: 'null', metadata: '{}', tags: '[]' }); // a row that its own attempt failed to read
  }
}
