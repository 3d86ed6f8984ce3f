/**
 * The least that working jobs by notification can cost: one connection listens, another runs one statement that claims,
 * does and completes whatever is there. No leases, no retries, no slots, and nobody notices when it dies.
 */
import pg from 'pg';

export interface BareWorkerOptions {
  readonly url: string;
  readonly channel: string;
  /** Claims and completes; returns what it took. No rows: nothing was there. */
  readonly statement: { readonly name: string; readonly text: string };
  /** Gets every row that a run of the statement returned. */
  readonly took?: (row: pg.QueryResultRow) => void;
}

export class BareWorker {
  readonly #options: BareWorkerOptions;
  readonly #listener: pg.Client;
  readonly #worker: pg.Client;
  #isWorking = false;
  #isAsked = false;
  #idle: Promise<void> = Promise.resolve();
  #failed: unknown;

  private constructor(options: BareWorkerOptions) {
    this.#options = options;
    this.#listener = new pg.Client({ connectionString: options.url });
    this.#worker = new pg.Client({ connectionString: options.url });
  }

  static async start(options: BareWorkerOptions): Promise<BareWorker> {
    const worker = new BareWorker(options);
    await Promise.all([worker.#listener.connect(), worker.#worker.connect()]);
    worker.#listener.on('notification', () => worker.#wake());
    await worker.#listener.query(`LISTEN "${options.channel}"`);
    return worker;
  }

  #wake(): void {
    this.#isAsked = true;
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#idle = this.#work().catch((error: unknown) => {
      this.#failed = error;
    });
  }

  async #work(): Promise<void> {
    while (this.#isAsked) {
      this.#isAsked = false;
      const { rows } = await this.#worker.query(this.#options.statement);
      for (const row of rows) this.#options.took?.(row);
      if (rows.length > 0) this.#isAsked = true;
    }
    this.#isWorking = false;
  }

  /** @throws whatever its statement failed with */
  async stop(): Promise<void> {
    await this.#idle;
    await Promise.all([this.#listener.end(), this.#worker.end()]);
    if (this.#failed !== undefined) throw this.#failed;
  }
}
