/**
 * What tests of a queue under faults share: a database behind a fault proxy, jobs, workers in processes of their own,
 * and an audit of every start and finish that does not go through the proxy. It decides no fault and judges nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type JobInsertOptions, migrate, type WorkerOptions } from '@rowlock/queue';
import { createEmptyDatabase, type FaultProxy, startFaultProxy, until } from '@rowlock/test-harness';
import pg from 'pg';

/** What a job of these tests does. */
export interface AuditedArgs {
  /** How long an attempt takes. */
  readonly ms?: number;
  readonly fails_first?: boolean;
}

/** Options that can be told to another process. */
export interface ChildOptions
  extends Pick<
    WorkerOptions,
    'clientId' | 'fetchPollIntervalMs' | 'leaseTtlMs' | 'stopTimeoutMs' | 'abortTimeoutMs' | 'queues'
  > {
  /** How many times faster its own timers run; what a statement may take stays as it is. Default 1. */
  readonly hurry?: number;
}

/** What a child is, as its argument. */
export interface WorkerTerms extends ChildOptions {
  readonly url: string;
  /** Where starts and finishes are noted; null where the parent notes them. */
  readonly audit_url: string | null;
  readonly schema: string;
  /** What it inserts while it leads. */
  readonly periodic?: { readonly id: string; readonly schedule: string; readonly job: JobInsertOptions };
}

/** Something that a child has said, and when that was heard on the parent's monotonic clock. */
export interface Heard {
  readonly event: string;
  readonly heard_at: number;
  readonly id?: string;
  readonly attempt?: number;
  readonly task?: string;
  readonly code?: string;
  readonly error?: string;
  readonly queue?: string;
  readonly state?: string;
}

/** How a child has ended. */
export interface Ended {
  /** The exit code; null when it was killed. */
  readonly code: number | null;
  /** What it wrote to its standard error: of a rejection that nobody handled, for example. */
  readonly complaints: string;
  /** From the wish to the end of the process, in seconds. */
  readonly seconds: number;
}

/** A worker in a process of its own. */
export class AuditedWorker {
  readonly heard: Heard[] = [];
  readonly clientId: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #complaints = '';

  constructor(terms: WorkerTerms) {
    const program = fileURLToPath(new URL('./audited-worker.js', import.meta.url));
    const child = spawn(process.execPath, [program, JSON.stringify(terms)], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.clientId = terms.clientId ?? '';
    this.#child = child;
    this.#exited = once(child, 'close');
    child.stdin?.on('error', () => undefined); // it may have been killed
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.heard.push({ ...(JSON.parse(line) as Heard), heard_at: performance.now() });
    });
    child.stderr?.on('data', (data: Buffer) => {
      this.#complaints += data.toString();
    });
  }

  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits for something to be said, at or after a place in `heard`, and returns it. */
  async says(
    event: string,
    {
      fits = () => true,
      from = 0,
      timeoutMs = 20_000,
    }: { fits?: (one: Heard) => boolean; from?: number; timeoutMs?: number } = {},
  ): Promise<Heard> {
    const find = (): Heard | undefined => this.heard.find((one, at) => at >= from && one.event === event && fits(one));
    return await until(find, { timeoutMs, what: `${this.clientId} says ${event}` }).catch((error: unknown) => {
      throw new Error(`last said: ${JSON.stringify(this.heard.slice(-20))} ${this.#complaints}`, { cause: error });
    });
  }

  /** How often it has said something. */
  count(event: string, fits: (one: Heard) => boolean = () => true): number {
    return this.heard.filter((one) => one.event === event && fits(one)).length;
  }

  /** Asks it to stop and waits until the process has ended by itself. */
  async stop(): Promise<Ended> {
    const askedAt = performance.now();
    this.#child.stdin?.end('stop\n');
    await until(() => this.isOver, { timeoutMs: 90_000, what: `${this.clientId} has ended` }).catch(async (error) => {
      await this.kill();
      throw new Error(`last said: ${JSON.stringify(this.heard.slice(-20))} ${this.#complaints}`, { cause: error });
    });
    await this.#exited;
    const seconds = (performance.now() - askedAt) / 1000;
    return { code: this.#child.exitCode, complaints: this.#complaints, seconds };
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}

/** The one schema of these tests. */
export const schema = 'river';

/** Makes the schema and the audit. */
export async function prepareQueue(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  await client.query(`CREATE SCHEMA ${schema}`);
  await migrate(client, { schema });
  await client.query(`CREATE TABLE audit
    (job_id bigint, attempt int, what text, at timestamptz DEFAULT clock_timestamp())`);
  client.release();
}

/** Inserts as many jobs and returns their ids in order. They notify nobody. */
export async function insertJobs(
  pool: pg.Pool,
  count: number,
  { queue = 'default', ms = 0, failing = 0 }: { queue?: string; ms?: number; failing?: number } = {},
): Promise<readonly string[]> {
  const { rows } = await pool.query(
    `INSERT INTO ${schema}.river_job (kind, args, max_attempts, metadata, queue)
     SELECT 'audited', jsonb_build_object('ms', $2::int, 'fails_first', n <= $3::int), 1000, '{}', $4
     FROM generate_series(1, $1) AS n RETURNING id`,
    [count, ms, failing, queue],
  );
  return rows.map(({ id }) => String(id));
}

/**
 * Makes running jobs of which nobody has said that they started older by the time after which a claim counts as lost,
 * instead of waiting for it: what their worker knows of does not change by that. Returns how many there are.
 */
export async function ageLostClaims(pool: pg.Pool): Promise<number> {
  const { rowCount } = await pool.query(
    `UPDATE ${schema}.river_job AS job SET attempted_at = attempted_at - interval '15 seconds'
     WHERE state = 'running' AND attempted_at BETWEEN now() - interval '12 seconds' AND now() - interval '2 seconds'
       AND NOT EXISTS (SELECT FROM audit WHERE job_id = job.id AND audit.attempt = job.attempt)`,
  );
  return rowCount ?? 0;
}

/** A database behind a proxy, with whoever works in it. */
export class AuditedQueue {
  readonly url: string;
  readonly name: string;
  /** Direct, and not through the proxy. */
  readonly pool: pg.Pool;
  readonly proxy: FaultProxy;
  readonly #drop: () => Promise<void>;
  readonly #workers: AuditedWorker[] = [];

  private constructor(url: string, name: string, proxy: FaultProxy, drop: () => Promise<void>) {
    this.url = url;
    this.name = name;
    this.proxy = proxy;
    this.#drop = drop;
    this.pool = new pg.Pool({ connectionString: this.#direct, max: 4 });
    this.pool.on('error', () => undefined); // its database is dropped while a connection closes
  }

  /** A way around the proxy, and around what the database says about transactions. */
  get #direct(): string {
    const direct = new URL(this.url);
    direct.searchParams.set('options', '-c default_transaction_read_only=off');
    return direct.href;
  }

  static async create(): Promise<AuditedQueue> {
    const { url, name, drop } = await createEmptyDatabase({ prefix: 'queue_faults' });
    const proxy = await startFaultProxy({ url, adminUrl: url });
    const queue = new AuditedQueue(url, name, proxy, drop);
    await prepareQueue(queue.pool);
    return queue;
  }

  /** Starts a worker whose way to the database is the proxy; `parameters` go into its connection string. */
  worker(options: Partial<ChildOptions> = {}, { url = this.url, parameters = {} }: Route = {}): AuditedWorker {
    const clientId = options.clientId ?? `worker_${this.#workers.length + 1}`;
    const through = new URL(this.proxy.through(url));
    for (const [name, value] of Object.entries(parameters)) through.searchParams.set(name, value);
    const worker = new AuditedWorker({
      queues: { default: { maxWorkers: 5 } },
      ...options,
      clientId,
      url: through.href,
      audit_url: this.#direct,
      schema,
    });
    this.#workers.push(worker);
    return worker;
  }

  /** Resolves when no job is open any more. */
  async untilDone(timeoutMs: number = 30_000): Promise<void> {
    const open = `SELECT id, state, attempt, attempted_at FROM ${schema}.river_job WHERE finalized_at IS NULL LIMIT 5`;
    const left = async (): Promise<unknown[]> => (await this.pool.query(open)).rows;
    await until(async () => (await left()).length === 0, { timeoutMs, what: 'all jobs are done' }).catch(
      async (error) => {
        const said = this.#workers.map(({ heard }) => heard.slice(-8));
        throw new Error(`left: ${JSON.stringify(await left())}; said: ${JSON.stringify(said)}`, { cause: error });
      },
    );
  }

  /** Ends whoever is left and removes the database. */
  async drop(): Promise<void> {
    await Promise.all(this.#workers.filter(({ isOver }) => !isOver).map(async (worker) => await worker.kill()));
    await this.proxy.close();
    await this.pool.end();
    await this.#drop();
  }
}

/** How a worker gets to the database. */
interface Route {
  /** Another role's URL. */
  readonly url?: string;
  readonly parameters?: Readonly<Record<string, string>>;
}
