/**
 * What one subscriber has been told and has not read yet: an async iterator with a bounded buffer. It never makes the
 * worker wait: what does not fit is dropped and counted.
 */
import type { JobDetails, JobState } from '../job.ts';

/** What happened to a job, as River calls it. */
export type JobEventName = 'job_completed' | 'job_failed' | 'job_cancelled' | 'job_snoozed' | 'job_interrupted';

/** What happened to a queue. */
export type QueueEventName = 'queue_paused' | 'queue_resumed';

/** Something that a worker tells its subscribers. */
export type WorkerEvent =
  /** The job as it was recorded. What somebody has changed in the moment since is as they left it. */
  | { readonly event: JobEventName; readonly job: JobDetails }
  | { readonly event: QueueEventName; readonly queue: string };

/** What to tell; what is not named is not filtered by. Events of queues have neither kind nor state. */
export interface SubscribeOptions {
  readonly events?: readonly (JobEventName | QueueEventName)[];
  /** Of jobs of these kinds. */
  readonly kinds?: readonly string[];
  /** Of jobs that came into one of these states. */
  readonly states?: readonly JobState[];
}

/** As many as River keeps for a subscriber. */
const bufferMax = 1000;

/**
 * Events in the order in which they were recorded, for `for await`. Ends when the worker has stopped, after the last
 * event, or when the loop is left.
 */
export class Subscription implements AsyncIterableIterator<WorkerEvent> {
  readonly #options: SubscribeOptions;
  readonly #closed: (self: Subscription) => void;
  readonly #buffer: WorkerEvent[] = [];
  readonly #readers: ((result: IteratorResult<WorkerEvent, undefined>) => void)[] = [];
  #dropped = 0;
  #isEnded = false;

  constructor(options: SubscribeOptions, closed: (self: Subscription) => void) {
    this.#options = options;
    this.#closed = closed;
  }

  /** How many events were not kept, because a thousand were unread. */
  get dropped(): number {
    return this.#dropped;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next event, as soon as there is one. */
  async next(): Promise<IteratorResult<WorkerEvent, undefined>> {
    const value = this.#buffer.shift();
    if (value !== undefined) return { done: false, value };
    if (this.#isEnded) return { done: true, value: undefined };
    return await new Promise((resolve) => this.#readers.push(resolve));
  }

  /** Ends the subscription; what is unread is let go. */
  async return(): Promise<IteratorResult<WorkerEvent, undefined>> {
    this.#buffer.length = 0;
    this.end();
    this.#closed(this);
    return { done: true, value: undefined };
  }

  /** Tells an event, if it is asked for. For the worker. */
  tell(event: WorkerEvent): void {
    if (this.#isEnded || !this.#isWanted(event)) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) reader({ done: false, value: event });
    else if (this.#buffer.length < bufferMax) this.#buffer.push(event);
    else this.drop(1);
  }

  /** Counts what could not be told. For the worker. */
  drop(count: number): void {
    this.#dropped += count;
  }

  /** Nothing will come any more. For the worker. */
  end(): void {
    this.#isEnded = true;
    for (const reader of this.#readers.splice(0)) reader({ done: true, value: undefined });
  }

  #isWanted(event: WorkerEvent): boolean {
    const { events, kinds, states } = this.#options;
    if (events !== undefined && !events.includes(event.event)) return false;
    if (!('job' in event)) return events !== undefined || (kinds === undefined && states === undefined);
    return (kinds?.includes(event.job.kind) ?? true) && (states?.includes(event.job.state) ?? true);
  }
}
