/**
 * What the tests of this package share: a database for a test file, a migrated schema for a test, workers that record
 * what they observe. It holds no test of its own.
 */
import { once } from 'node:events';
import { createEmptyDatabase, until } from '@rowlock/test-harness';
import pg from 'pg';
import { Client } from './client/client.ts';
import type { Job } from './job.ts';
import type { JobInsertOptions } from './job-insert-options.ts';
import { migrate } from './migrate/migrate.ts';
import { type SchemaName, schemaName, type Topic } from './schema-name.ts';
import { listenTo } from './statements/listen.ts';
import { type Clock, systemClock } from './worker/clock.ts';
import type { Observation } from './worker/observation.ts';
import { Worker } from './worker/worker.ts';
import type { WorkerContext } from './worker/worker-context.ts';
import type { WorkerOptions } from './worker/worker-options.ts';

const waitMs = 20_000;

/** The database of one test file. */
export class QueueDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
  readonly #drop: () => Promise<void>;
  readonly workers: Worker[] = [];
  #schemas = 0;

  private constructor(url: string, drop: () => Promise<void>) {
    this.url = url;
    this.pool = new pg.Pool({ connectionString: url, max: 10 });
    this.#drop = drop;
    // Some tests end connections of others.
    this.pool.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined));
  }

  static async create(): Promise<QueueDatabase> {
    const { url, drop } = await createEmptyDatabase({ prefix: 'queue' });
    return new QueueDatabase(url, drop);
  }

  /** A migrated schema of its own, so that workers of one test do not meet those of another. */
  async schema(): Promise<QueueSchema> {
    this.#schemas += 1;
    const name = schemaName(`queue_${this.#schemas}`);
    const client = await this.pool.connect();
    await migrate(client, { schema: name.name });
    client.release();
    return new QueueSchema(this, name);
  }

  /**
   * Stops what a failed test has left running, and removes the database. A transaction that it left open goes first:
   * workers wait for its locks. Its connection, never given back to the pool, is not waited for.
   */
  async drop(): Promise<void> {
    await this.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
    );
    await Promise.all(this.workers.map(async (worker) => await worker.stop()));
    void this.pool.end();
    await this.#drop();
  }
}

/** Everything that a row of `river_job` says, as JSON. */
export interface JobRecord {
  readonly id: number;
  readonly state: string;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly attempted_by: readonly string[] | null;
  readonly errors: readonly { readonly at: string; readonly attempt: number; readonly error: string; trace: string }[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly finalized_at: string | null;
  readonly scheduled_at: string;
  /** Seconds from now until it is due. */
  readonly due_in: number;
}

/** A worker and what it has observed. */
export interface RecordedWorker {
  readonly worker: Worker;
  readonly observations: readonly Observation[];
  /** Resolves with the first observation of an event that fits, whether it has been made or will be. */
  seen<E extends Observation['event']>(
    event: E,
    fits?: (one: Extract<Observation, { event: E }>) => boolean,
  ): Promise<Extract<Observation, { event: E }>>;
}

/** One schema, and what to do in it. */
export class QueueSchema {
  readonly database: QueueDatabase;
  readonly schema: SchemaName;

  constructor(database: QueueDatabase, schema: SchemaName) {
    this.database = database;
    this.schema = schema;
  }

  get pool(): pg.Pool {
    return this.database.pool;
  }

  get name(): string {
    return this.schema.name;
  }

  /** Runs SQL; `S.` stands for the schema. Returns the rows. */
  async sql(text: string, values: readonly unknown[] = []): Promise<pg.QueryResultRow[]> {
    return (await this.pool.query(this.inSchema(text), [...values])).rows;
  }

  inSchema(text: string): string {
    return text.replace(/\bS\./g, `${this.schema.quoted}.`);
  }

  get client(): Client {
    return new Client({ database: this.pool, schema: this.name });
  }

  async insert(over: Partial<JobInsertOptions> = {}): Promise<Job> {
    const { job } = await this.client.insert({ kind: 'work', args: {}, ...over });
    return job;
  }

  /** Listens like a Go worker; `told` returns the payloads that have come before an own mark that is sent last. */
  async listen(topic: Topic = 'river_insert'): Promise<{ told(): Promise<string[]>; end(): Promise<void> }> {
    const client = new pg.Client({ connectionString: this.database.url });
    await client.connect();
    await listenTo(client, this.schema, topic);
    const payloads: string[] = [];
    client.on('notification', ({ payload = '' }) => {
      payloads.push(payload);
      if (payload === 'mark') client.emit('marked');
    });
    return {
      told: async () => {
        const marked = once(client, 'marked');
        await client.query('SELECT pg_notify($1, $2)', [`${this.name}.${topic}`, 'mark']);
        await marked;
        return payloads.splice(0).filter((payload) => payload !== 'mark');
      },
      end: async () => await client.end(),
    };
  }

  /** Resolves when somebody in this database waits for a lock. */
  async waitingForLock(): Promise<void> {
    await until(
      async () =>
        (await this.sql(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`))
          .length > 0,
    );
  }

  async job(id: string): Promise<JobRecord> {
    const [row] = await this.sql(
      `SELECT to_jsonb(job) || jsonb_build_object('due_in', 
         CASE WHEN isfinite(scheduled_at) THEN extract(epoch FROM scheduled_at - clock_timestamp()) END,
         'errors', coalesce(to_jsonb(errors), '[]')) AS job
       FROM S.river_job AS job WHERE id = $1`,
      [id],
    );
    if (row === undefined) throw new Error(`There is no job ${id}`);
    return row['job'] as JobRecord;
  }

  /** Surroundings for a part of a worker that is tested by itself. */
  context(over: Partial<WorkerContext> = {}): WorkerContext {
    const clock: Clock = systemClock;
    const base = { pool: this.pool, schema: this.schema, client_id: 'client', clock, observe: () => undefined };
    return { ...base, random: () => 0.5, ...over };
  }

  /** A worker with one queue of ten slots, not started; `options` replaces what it should have else. */
  worker(options: Partial<WorkerOptions> = {}): RecordedWorker {
    const observations: Observation[] = [];
    const watchers = new Set<() => void>();
    const worker = new Worker({
      database: this.pool,
      schema: this.name,
      queues: { default: { maxWorkers: 10 } },
      handlers: {},
      stopTimeoutMs: 2000,
      abortTimeoutMs: 200,
      ...options,
      observe: (observation) => {
        observations.push(observation);
        options.observe?.(observation);
        for (const watcher of [...watchers]) watcher();
      },
    });
    this.database.workers.push(worker);
    return { worker, observations, seen: async (event, fits = () => true) => await seen(event, fits) };

    async function seen<E extends Observation['event']>(
      event: E,
      fits: (one: Extract<Observation, { event: E }>) => boolean,
    ): Promise<Extract<Observation, { event: E }>> {
      type Wanted = Extract<Observation, { event: E }>;
      const isWanted = (one: Observation): one is Wanted => one.event === event && fits(one as Wanted);
      return await new Promise<Wanted>((resolve, reject) => {
        const timer = setTimeout(() => {
          watchers.delete(look);
          const had = observations.map((one) => JSON.stringify(one)).join('\n');
          reject(new Error(`Waited ${waitMs} ms in vain for ${event}; observed\n${had}`));
        }, waitMs);
        const look = (): void => {
          const found = observations.find(isWanted);
          if (found === undefined) return;
          clearTimeout(timer);
          watchers.delete(look);
          resolve(found);
        };
        watchers.add(look);
        look();
      });
    }
  }
}
