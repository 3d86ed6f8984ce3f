/**
 * Listens on a connection of its own, and finds another one when it is lost. Notifications are hints: some get lost
 * while there is no connection, and anybody can send them; so whoever is told here looks into the tables, and is told
 * to look as well whenever a connection is there anew.
 */
import pg from 'pg';
import type { Topic } from '../schema-name.ts';
import { listenTo, pingServer } from '../statements/listen.ts';
import { Latch } from './latch.ts';
import type { WorkerContext } from './worker-context.ts';

/** Who is told. */
export interface Hearer {
  /** A connection listens; what was notified before it did is lost. */
  connected(): void;
  notified(topic: Topic, payload: string): void;
}

const topics: readonly Topic[] = ['river_insert', 'river_control', 'river_leadership'];
const connectTimeoutMs = 10_000;
/** A connection whose other end has silently gone is noticed by a question that is not answered: within nine seconds. */
const heartbeatMs = 4000;
const answerTimeoutMs = 4000;
const backoffMs = { first: 250, most: 64_000 } as const;
const endTimeoutMs = 1000;

/** A connection that listens, for as long as it is wanted. */
export class Listener {
  readonly #context: WorkerContext;
  readonly #hearer: Hearer;
  readonly #stopped = new Latch();
  #isStopped = false;
  #loop: Promise<void> | undefined;

  constructor(context: WorkerContext, hearer: Hearer) {
    this.#context = context;
    this.#hearer = hearer;
  }

  /** Begins to listen, in the background. */
  start(): void {
    this.#loop ??= this.#listenOnAndOn();
  }

  /** Ends; resolves when the connection is closed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopped.open();
    await this.#loop;
  }

  async #listenOnAndOn(): Promise<void> {
    let failures = 0;
    while (!this.#isStopped) {
      try {
        await this.#listenOnce(() => {
          failures = 0;
        });
      } catch (error) {
        this.#context.observe({ event: 'listener_lost', error });
        await this.#pause(Math.min(backoffMs.first * 2 ** failures, backoffMs.most));
        failures += 1;
      }
    }
  }

  /** Listens until stopped; fails when the connection does. */
  async #listenOnce(connected: () => void): Promise<void> {
    const client = new pg.Client(this.#clientConfig());
    const lost = new Promise<never>((_resolve, reject) => {
      client.on('error', reject);
      client.on('end', () => reject(new Error('The connection was closed')));
    });
    lost.catch(() => undefined); // it is awaited below, but may come before that
    client.on('notification', ({ channel, payload = '' }) => this.#hear(channel, payload));
    try {
      await this.#answer(lost, client.connect(), connectTimeoutMs);
      for (const topic of topics) {
        if (this.#isStopped) return;
        await this.#answer(lost, listenTo(client, this.#context.schema, topic));
      }
      connected();
      this.#context.observe({ event: 'listener_connected' });
      this.#hearer.connected();
      while (!this.#isStopped) {
        await Promise.race([lost, this.#pause(heartbeatMs)]);
        if (!this.#isStopped) await this.#answer(lost, pingServer(client));
      }
    } finally {
      await this.#close(client);
    }
  }

  /** Waits for an answer until the worker stops; fails when the connection is lost, or nothing is heard in time. */
  async #answer(lost: Promise<never>, answer: Promise<unknown>, timeoutMs: number = answerTimeoutMs): Promise<void> {
    let cancel: () => void = () => undefined;
    const silence = new Promise<never>((_resolve, reject) => {
      cancel = this.#context.clock.after(timeoutMs, () => reject(new Error('The server did not answer')));
    });
    try {
      await Promise.race([lost, silence, answer, this.#stopped.opened]);
    } finally {
      cancel();
    }
  }

  #hear(channel: string, payload: string): void {
    const topic = topics.find((known) => channel.endsWith(`.${known}`));
    if (topic !== undefined && !this.#isStopped) this.#hearer.notified(topic, payload);
  }

  /**
   * The pool's own way to connect, with a deadline. Some of its options cannot be enumerated, and none may be inherited:
   * beside a connection string, the driver only takes what an object has itself.
   */
  #clientConfig(): pg.ClientConfig {
    const config = Object.defineProperties({}, Object.getOwnPropertyDescriptors(this.#context.pool.options));
    return Object.assign(config, { connectionTimeoutMillis: connectTimeoutMs, keepAlive: true });
  }

  /** A server that is gone does not say good-bye, so the wait for it is short; then the connection is cut. */
  async #close(client: pg.Client): Promise<void> {
    const closed = client.end().catch((error: unknown) => {
      this.#context.observe({ event: 'task_failed', task: 'close listener', error });
    });
    const waited = new Latch();
    const cancel = this.#context.clock.after(endTimeoutMs, () => waited.open());
    await Promise.race([closed, waited.opened]);
    cancel();
    client.connection.stream.destroy();
  }

  async #pause(ms: number): Promise<void> {
    const over = new Latch();
    const cancel = this.#context.clock.after(ms * (0.9 + 0.2 * this.#context.random()), () => over.open());
    await Promise.race([over.opened, this.#stopped.opened]);
    cancel();
  }
}
