/**
 * The connections of a leader's duties: they are apart from those of the worker, so that a slow duty holds up neither
 * claims nor the renewal of the term. They are opened when they are needed, and closed at once, whatever they do, when
 * the term ends: a statement that is under way then ends on the server, and does no harm there.
 */
import type pg from 'pg';
import { OwnPool } from '../own-pool.ts';
import type { WorkerContext } from '../worker/worker-context.ts';

const connectionsMax = 2;

/** A pool of at most two connections. */
export class DutyPool {
  readonly pool: pg.Pool;
  readonly #own: OwnPool;
  readonly #busy = new Set<pg.PoolClient>();
  #isClosed = false;

  /** Connects as the worker's pool does. */
  constructor({ pool: like, observe }: WorkerContext) {
    const { options } = like;
    this.#own = new OwnPool({ ...options, password: options.password, max: connectionsMax, min: 0 }, (error) => {
      if (!this.#isClosed) observe({ event: 'task_failed', task: 'idle connection', error });
    });
    this.pool = this.#own.pool;
    for (const prepare of like.listeners('connect')) this.pool.on('connect', prepare as () => void);
    this.pool.on('acquire', (client) => this.#busy.add(client));
    this.pool.on('release', (_error, client) => this.#busy.delete(client));
  }

  /** Closes every connection; resolves when they are closed. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const ended = this.#own.end();
    // A client that is busy is closed by ending it: it does not wait for the answer.
    for (const client of this.#busy) void (client as unknown as pg.Client).end().catch(() => undefined);
    await ended;
  }
}
