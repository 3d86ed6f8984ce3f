/**
 * Listens to channels on a connection of its own, and finds another one when it is lost. A notification is a hint: some
 * get lost while there is no connection and anybody can send one, so it only says that it is time to look, and it says
 * so whenever a connection is there anew. Payloads are not read.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

export interface NotifyListenerOptions {
  readonly url: string;
  /** Names that need no quotes. */
  readonly channels: readonly string[];
  /** Called for every notification, and when it listens (again). */
  readonly onHint: () => void;
  readonly onLost: (error: unknown) => void;
}

const connectTimeoutMs = 10_000;
/** A connection whose other end has silently gone is noticed by a question that is not answered in time. */
const heartbeatMs = 4000;
const backoffMs = { first: 250, most: 30_000 } as const;

/** A connection that listens for as long as it is wanted. */
export class NotifyListener {
  readonly #options: NotifyListenerOptions;
  readonly #stopping = new AbortController();
  readonly #loop: Promise<void>;

  /** Begins at once, in the background. @throws TypeError for a channel that needs quotes */
  constructor(options: NotifyListenerOptions) {
    const wrong = options.channels.find((channel) => !/^[a-z_][a-z0-9_]{0,62}$/.test(channel));
    if (wrong !== undefined) throw new TypeError(`"${wrong}" is no channel to listen to`);
    this.#options = options;
    this.#loop = this.#listenOnAndOn();
  }

  /** Ends; resolves when the connection is closed. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #listenOnAndOn(): Promise<void> {
    let waitMs: number = backoffMs.first;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#listenOnce(() => {
          waitMs = backoffMs.first;
        });
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        this.#options.onLost(error);
        await this.#pause(waitMs * (0.9 + 0.2 * Math.random()));
        waitMs = Math.min(waitMs * 2, backoffMs.most);
      }
    }
  }

  /** Listens until stopped; fails when the connection does. */
  async #listenOnce(connected: () => void): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: 'rowlock listener',
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: heartbeatMs,
      keepAlive: true,
    });
    let isLost = false;
    const lost = new Promise<never>((_resolve, reject) => {
      client.on('error', reject);
      client.on('end', () => reject(new Error('the connection was closed')));
    });
    lost.catch(() => {
      isLost = true;
    });
    client.on('notification', () => this.#options.onHint());
    try {
      await client.connect();
      for (const channel of this.#options.channels) await client.query(`LISTEN ${channel}`);
      connected();
      this.#options.onHint();
      while (!this.#stopping.signal.aborted) {
        await Promise.race([lost, this.#pause(heartbeatMs)]);
        if (!this.#stopping.signal.aborted) await client.query('SELECT 1');
      }
    } finally {
      // A server that is gone does not say good-bye.
      if (!isLost) await Promise.race([client.end(), this.#shortly()]);
      client.connection.stream.destroy();
    }
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  async #shortly(): Promise<void> {
    await delay(1000, undefined, { ref: false });
  }
}
