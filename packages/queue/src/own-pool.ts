/**
 * A pool that this package opens by itself. It runs nothing. Neither its beginning nor its end waits for a network that
 * says nothing any more: a connection is made in time or not at all, and one that does not end in time is cut.
 */
import pg from 'pg';
import { systemClock } from './worker/clock.ts';
import { Latch } from './worker/latch.ts';

/** How long a connection may take to be made, or to become free. */
const connectTimeoutMs = 10_000;
/** How long the server may take to hear that a connection ends. */
const endTimeoutMs = 1000;

/** A pool and its end. */
export class OwnPool {
  readonly pool: pg.Pool;
  readonly #clients = new Set<pg.Client>();
  #ended: Promise<void> | undefined;

  /** `failed` is told of connections that break while nobody uses them; the pool makes new ones when they are needed. */
  constructor(config: pg.PoolConfig, failed: (error: Error) => void) {
    const connectionTimeoutMillis = config.connectionTimeoutMillis || connectTimeoutMs;
    const clients = this.#clients;
    /** Known from its first moment, since it may be asked to end before it is connected. */
    class Client extends pg.Client {
      constructor(options?: pg.ClientConfig) {
        super(options);
        clients.add(this);
        this.once('end', () => clients.delete(this));
      }
    }
    this.pool = new pg.Pool({ keepAlive: true, ...config, connectionTimeoutMillis, Client });
    this.pool.on('error', failed);
  }

  /** Ends every connection, and waits no longer than a second for those that are in use or silent. Idempotent. */
  async end(): Promise<void> {
    this.#ended ??= this.#end();
    await this.#ended;
  }

  async #end(): Promise<void> {
    const late = new Latch();
    const cancel = systemClock.after(endTimeoutMs, () => late.open());
    await Promise.race([this.pool.end(), late.opened]);
    cancel();
    for (const { connection } of this.#clients) connection.stream.destroy();
  }
}
