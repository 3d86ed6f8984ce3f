/**
 * The queues that a worker serves, which may come, go and change their size while it runs. It does not know what a
 * producer does. A queue is here from the moment when it is to be served until nothing is claimed from it any more.
 */
import { QueueError } from '../queue-error.ts';
import type { Producer } from './producer.ts';
import { assertQueue, type QueueOptions } from './worker-options.ts';

/** How many slots a queue has now. */
export interface Slots {
  readonly maxWorkers: number;
}

interface Served {
  readonly slots: { maxWorkers: number };
  readonly producer: Producer;
}

/** The queues of one worker. */
export class WorkerQueues {
  readonly #make: (queue: string, slots: Slots) => Producer;
  readonly #served = new Map<string, Served>();
  /** Of queues that were taken away: what they have claimed last may not have been answered yet. */
  readonly #leaving = new Set<Producer>();

  constructor(make: (queue: string, slots: Slots) => Producer) {
    this.#make = make;
  }

  get names(): readonly string[] {
    return [...this.#served.keys()];
  }

  get producers(): readonly Producer[] {
    return [...this.#served.values()].map(({ producer }) => producer);
  }

  /** Claims no more from any queue, also from those that are being taken away. */
  async stop(): Promise<void> {
    const all = [...this.producers, ...this.#leaving];
    await Promise.all(all.map(async (producer) => await producer.stop()));
  }

  /** Starts none of the jobs that a claim which is still under way may bring. */
  leave(): void {
    for (const producer of [...this.producers, ...this.#leaving]) producer.leave();
  }

  /** The producer of a queue, if it is served. */
  producer(queue: string): Producer | undefined {
    return this.#served.get(queue)?.producer;
  }

  /**
   * Adds a queue and returns its producer, not started.
   *
   * @throws QueueError `invalid_option` also where it is served already, `invalid_job` for its name
   */
  add(queue: string, options: QueueOptions): Producer {
    assertQueue(queue, options);
    if (this.#served.has(queue)) throw new QueueError('invalid_option', `The queue ${queue} is served already`);
    const slots = { maxWorkers: options.maxWorkers };
    const producer = this.#make(queue, slots);
    this.#served.set(queue, { slots, producer });
    return producer;
  }

  /**
   * Changes how many jobs of a queue run at once; those that run go on.
   *
   * @throws QueueError `invalid_option`
   */
  resize(queue: string, options: QueueOptions): void {
    assertQueue(queue, options);
    const { slots, producer } = this.#find(queue);
    slots.maxWorkers = options.maxWorkers;
    producer.wake('look');
  }

  /**
   * Takes a queue away. Resolves when its last claim has been answered and its jobs have been started.
   *
   * @throws QueueError `invalid_option`
   */
  async remove(queue: string): Promise<void> {
    const { producer } = this.#find(queue);
    this.#served.delete(queue);
    this.#leaving.add(producer);
    await producer.stop();
    this.#leaving.delete(producer);
  }

  #find(queue: string): Served {
    const served = this.#served.get(queue);
    if (served === undefined) throw new QueueError('invalid_option', `The queue ${queue} is not served`);
    return served;
  }
}
