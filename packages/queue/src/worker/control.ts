/**
 * Pauses and cancellations. A notification only says that it is worth looking, since it may be lost and anybody may
 * send one; what is true is read from the tables, when told and from time to time anyway.
 */
import { QueueError } from '../queue-error.ts';
import { jobGetCancelled } from '../statements/job-get-cancelled.ts';
import { queueGetPaused } from '../statements/queue-upsert-many.ts';
import type { Producer } from './producer.ts';
import { Repeating } from './repeating.ts';
import type { RunningJobs } from './running-job.ts';
import type { WorkerContext } from './worker-context.ts';

const pausesMs = 2000;
const cancellationsMs = 5000;

/** What the notification asks for, as far as a worker acts on it. */
export type ControlAction = 'pauses' | 'cancellations' | 'nothing';

/** Reads the payload of a control notification. Whatever it is not, is nothing to act on. */
export function controlAction(payload: string): ControlAction {
  const message = objectOf(payload);
  switch (message['action']) {
    case 'pause':
    case 'resume':
      return 'pauses';
    case 'cancel':
      return 'cancellations';
    default:
      return 'nothing';
  }
}

/** Reads the queue that an insert notification names, if it names one. */
export function insertedQueue(payload: string): string | undefined {
  const { queue } = objectOf(payload);
  return typeof queue === 'string' ? queue : undefined;
}

/** Keeps producers paused, and running jobs aborted, as the tables say. */
export class Control {
  readonly #context: WorkerContext;
  readonly #producers: () => readonly Producer[];
  readonly #running: RunningJobs;
  readonly #pauses: Repeating;
  readonly #cancellations: Repeating;

  /** `producers` returns those that there are now. */
  constructor(context: WorkerContext, producers: () => readonly Producer[], running: RunningJobs) {
    this.#context = context;
    this.#producers = producers;
    this.#running = running;
    this.#pauses = new Repeating(context, {
      name: 'read pauses',
      intervalMs: pausesMs,
      run: async () => await this.readPauses(),
    });
    this.#cancellations = new Repeating(context, {
      name: 'read cancellations',
      intervalMs: cancellationsMs,
      run: async () => await this.#readCancellations(),
    });
  }

  start(): void {
    this.#pauses.start();
    this.#cancellations.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#pauses.stop(), this.#cancellations.stop()]);
  }

  /** A control notification has come. */
  notified(payload: string): void {
    const action = controlAction(payload);
    if (action === 'pauses') this.#pauses.soon();
    if (action === 'cancellations') this.#cancellations.soon();
  }

  /** Notifications may have been lost. */
  lookSoon(): void {
    this.#pauses.soon();
    this.#cancellations.soon();
  }

  /** Pauses and resumes producers as the table says. */
  async readPauses(): Promise<void> {
    const { pool, schema } = this.#context;
    const producers = this.#producers();
    const queues = producers.map(({ queue }) => queue);
    const paused = await queueGetPaused(pool, schema, queues);
    for (const producer of producers) producer.setPaused(paused.has(producer.queue));
  }

  async #readCancellations(): Promise<void> {
    const { pool, schema } = this.#context;
    const ids = this.#running.performing.map(({ observed }) => observed.id);
    if (ids.length === 0) return;
    for (const id of await jobGetCancelled(pool, schema, ids)) {
      this.#running.get(id)?.abort(new QueueError('job_cancelled', 'The job was cancelled'));
    }
  }
}

function objectOf(payload: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(payload);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // anybody may notify, with whatever they like
  }
}
