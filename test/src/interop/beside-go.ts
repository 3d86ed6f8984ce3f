/**
 * One database shared by a real Go River and workers of ours: what the tests beside Go have in common. A test gets a
 * schema of its own, migrated by us. It asserts nothing.
 */
import { Client, type JobInsertOptions, migrate, type Observation, Worker, type WorkerOptions } from '@rowlock/queue';
import {
  createEmptyDatabase,
  type EmptyDatabase,
  GoRiver,
  goRiverNewest,
  goRiverVersions,
  until,
} from '@rowlock/test-harness';
import pg from 'pg';
import { scriptedHandler } from './scripted-handler.ts';

/** The versions of River that tests run beside: the newest, and in a campaign all. */
export const versions: readonly string[] =
  process.env['ROWLOCK_ROUNDS'] === undefined ? [goRiverNewest] : goRiverVersions;

/** Everything that a row of `river_job` says, as JSON; the id is text. */
export interface JobRecord {
  readonly id: string;
  readonly kind: string;
  readonly queue: string;
  readonly state: string;
  readonly args: unknown;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly priority: number;
  readonly tags: readonly string[];
  readonly attempted_by: readonly string[] | null;
  readonly errors: readonly AttemptError[] | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly created_at: string;
  readonly attempted_at: string | null;
  readonly finalized_at: string | null;
  readonly scheduled_at: string;
  readonly unique_key: string | null;
  readonly unique_states: string | null;
  /** Seconds from now until it is due. */
  readonly due_in: number;
}

/** Seconds from a job's claim to its end. */
export function secondsToEnd({ attempted_at, finalized_at }: JobRecord): number {
  return (Date.parse(finalized_at ?? '') - Date.parse(attempted_at ?? '')) / 1000;
}

/** One entry of a job's errors. */
export interface AttemptError {
  readonly at: string;
  readonly attempt: number;
  readonly error: string;
  readonly trace: string;
}

/** How a client of Go works; see `employment` in interop/river-go. */
export interface GoClient {
  readonly name?: string;
  readonly client_id?: string;
  readonly queues: Readonly<Record<string, number>>;
  readonly kinds?: readonly string[];
  readonly follow?: boolean;
  readonly known_kinds_only?: boolean;
  readonly fetch_poll_ms?: number;
  readonly cooldown_ms?: number;
  readonly job_timeout_ms?: number;
  readonly rescue_after_ms?: number;
  readonly cancel_on?: string;
}

/** The database of one test file. */
export class GoDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
  readonly #database: EmptyDatabase;
  readonly #places: BesideGo[] = [];

  private constructor(database: EmptyDatabase) {
    this.#database = database;
    this.url = database.url;
    this.pool = new pg.Pool({ connectionString: database.url, max: 12 });
    this.pool.on('error', () => undefined); // some tests end connections of others
  }

  static async create(): Promise<GoDatabase> {
    return new GoDatabase(await createEmptyDatabase({ prefix: 'beside_go' }));
  }

  /** A schema of its own with a Go River that looks there. */
  async place(version: string = goRiverNewest): Promise<BesideGo> {
    const schema = `beside_go_${this.#places.length + 1}`;
    const client = await this.pool.connect();
    await migrate(client, { schema });
    client.release();
    const place = new BesideGo(this, schema, await GoRiver.start({ url: this.url, schema, version }));
    this.#places.push(place);
    return place;
  }

  /** Ends what runs and removes the database. */
  async drop(): Promise<void> {
    await Promise.all(this.#places.map(async (place) => await place.end()));
    await this.pool.end();
    await this.#database.drop();
  }
}

/** One schema, its Go River, and what to do there. */
export class BesideGo {
  readonly schema: string;
  readonly go: GoRiver;
  /** A client of ours. */
  readonly client: Client;
  readonly #database: GoDatabase;
  readonly #workers: Worker[] = [];

  constructor(database: GoDatabase, schema: string, go: GoRiver) {
    this.#database = database;
    this.schema = schema;
    this.go = go;
    this.client = new Client({ database: database.pool, schema });
  }

  get pool(): pg.Pool {
    return this.#database.pool;
  }

  get url(): string {
    return this.#database.url;
  }

  /** Runs SQL; `S.` stands for the schema. Returns the rows. */
  async sql(text: string, values: readonly unknown[] = []): Promise<pg.QueryResultRow[]> {
    return (await this.pool.query(text.replace(/\bS\./g, `${this.schema}.`), [...values])).rows;
  }

  async job(id: string): Promise<JobRecord> {
    const [row] = await this.sql(
      `SELECT to_jsonb(job) || jsonb_build_object('id', id::text, 'due_in',
         extract(epoch FROM scheduled_at - clock_timestamp())) AS job
       FROM S.river_job AS job WHERE id = $1`,
      [id],
    );
    if (row === undefined) throw new Error(`There is no job ${id}`);
    return row['job'] as JobRecord;
  }

  /** Waits until a job is in one of some states, and returns it. */
  async jobIn(id: string, ...states: readonly string[]): Promise<JobRecord> {
    return await until(
      async () => {
        const job = await this.job(id);
        return states.includes(job.state) ? job : undefined;
      },
      { what: `job ${id} is ${states.join(' or ')}`, timeoutMs: 30_000 },
    );
  }

  /** Waits until a job has failed so often, and no longer runs. */
  async failed(id: string, times = 1): Promise<JobRecord> {
    return await until(
      async () => {
        const job = await this.job(id);
        return job.state !== 'running' && (job.errors?.length ?? 0) >= times ? job : undefined;
      },
      { what: `job ${id} has failed ${times} times`, timeoutMs: 30_000 },
    );
  }

  /** Starts a client of Go that works. Its name is `go` unless given. */
  async startGo(client: GoClient): Promise<{ readonly client_id: string }> {
    return await this.go.ask('start', { name: 'go', kinds: ['scripted'], fetch_poll_ms: 200, ...client });
  }

  /** Inserts by our client, and returns the job's id. */
  async insertOurs(job: Partial<JobInsertOptions> = {}): Promise<string> {
    const result = await this.client.insert({ kind: 'scripted', args: {}, ...job });
    return result.job.id;
  }

  /** Inserts by Go, and returns the job's id. */
  async insertGo(job: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const { id } = await this.go.ask<{ readonly id: string }>('insert', { kind: 'scripted', ...job });
    return id;
  }

  /** Starts a worker of ours that performs scripts; `observations` grows. */
  async startOurs(
    options: Partial<WorkerOptions> & Pick<WorkerOptions, 'queues'>,
  ): Promise<{ readonly worker: Worker; readonly observations: readonly Observation[] }> {
    const observations: Observation[] = [];
    const worker = new Worker({
      database: this.url,
      schema: this.schema,
      handlers: { scripted: scriptedHandler({ pool: this.pool }) },
      stopTimeoutMs: 2000,
      abortTimeoutMs: 500,
      observe: (observation) => observations.push(observation),
      ...options,
    });
    this.#workers.push(worker);
    await worker.start();
    return { worker, observations };
  }

  /** Stops our workers and the program. */
  async end(): Promise<void> {
    await Promise.all(this.#workers.map(async (worker) => await worker.stop()));
    await this.go.end();
  }
}
