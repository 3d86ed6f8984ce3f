/**
 * The client: inserts jobs, and reads and changes what is in the tables, at once or in a transaction of the caller's.
 * It works no job and holds no state but its options, so that one may be made for a single transaction. Whatever it
 * does is one statement, or one transaction: it is there as a whole or not at all.
 */
import type pg from 'pg';
import type { Job, JobDetails } from '../job.ts';
import { checkInsert, type JobInsertOptions } from '../job-insert-options.ts';
import { OwnPool } from '../own-pool.ts';
import { QueueError } from '../queue-error.ts';
import { type SchemaName, schemaName } from '../schema-name.ts';
import type { Queryable } from '../statements/statement.ts';
import { type Clock, systemClock } from '../worker/clock.ts';
import {
  cancelJob,
  completeJob,
  deleteJob,
  deleteJobs,
  getJob,
  type JobDeleteOptions,
  type JobUpdate,
  listJobs,
  retryJob,
  type Scene,
  updateJob,
} from './change-jobs.ts';
import {
  type AnyKinds,
  type ClientOptions,
  type InsertDefaults,
  insertDefaults,
  type JobOf,
  type JobOfKind,
  withDefaults,
} from './client-options.ts';
import { getQueue, listQueues, setQueuePaused, updateQueue } from './control-queues.ts';
import { type InsertResult, insertJobs } from './insert-jobs.ts';
import type { JobListOptions, JobPage } from './job-listing.ts';
import type { QueueRecord } from './queue-record.ts';
import { type QueueStats, queueStats } from './queue-stats.ts';

/** A connection that is in a transaction. */
export type Transaction = pg.ClientBase;

const ownConnectionsMax = 4;

/**
 * Inserts, finds and controls jobs. `Kinds` says what the arguments of each kind are, such as
 * `interface Kinds { send_email: { to: string } }`.
 *
 * A method whose name ends in `Tx` does the same in a transaction of the caller's: it counts, and others are told of
 * it, if and only if that commits. What it refuses by an error of PostgreSQL's ends that transaction.
 */
export class Client<Kinds extends object = AnyKinds> {
  readonly #database: pg.Pool | pg.ClientBase | string | undefined;
  readonly #schema: SchemaName;
  readonly #defaults: InsertDefaults;
  readonly #clock: Clock;
  #ownPool: OwnPool | undefined;

  /** @throws QueueError `invalid_schema_name`, `invalid_job` for the name of a kind */
  constructor(options: ClientOptions<NoInfer<Kinds>>) {
    this.#database = options.database;
    this.#schema = schemaName(options.schema);
    this.#defaults = insertDefaults(options);
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Inserts a job and returns it, or the one that was there where another holds its unique key.
   *
   * A job that is due within five seconds is `available` at once and held back by its time; a later one is
   * `scheduled`. Waits for a transaction that is inserting a job with the same unique key.
   *
   * @throws QueueError `invalid_job`
   */
  async insert<Kind extends keyof Kinds & string>(job: JobOfKind<Kinds, Kind>): Promise<InsertResult<Kinds[Kind]>> {
    return await this.#insertOne(this.#at().on, job);
  }

  /** See `insert`. */
  async insertTx<Kind extends keyof Kinds & string>(
    tx: Transaction,
    job: JobOfKind<Kinds, Kind>,
  ): Promise<InsertResult<Kinds[Kind]>> {
    return await this.#insertOne(tx, job);
  }

  /**
   * Inserts jobs, all or none, and returns what became of each, in the same order. Of several with one unique key, the
   * first is inserted and the others are its duplicates. Up to 10,000 are one statement.
   *
   * @throws QueueError `invalid_job`
   */
  async insertMany(jobs: readonly JobOf<Kinds>[]): Promise<readonly InsertResult[]> {
    return await this.#insertAll(this.#at().on, jobs);
  }

  /** See `insertMany`. */
  async insertManyTx(tx: Transaction, jobs: readonly JobOf<Kinds>[]): Promise<readonly InsertResult[]> {
    return await this.#insertAll(tx, jobs);
  }

  /** Reads a job. @throws QueueError `not_found` */
  async get(id: string): Promise<JobDetails> {
    return await getJob(this.#at(), id);
  }

  /** See `get`. */
  async getTx(tx: Transaction, id: string): Promise<JobDetails> {
    return await getJob(this.#at(tx), id);
  }

  /** Lists jobs, a page at a time. @throws QueueError `invalid_option` */
  async list(options: JobListOptions = {}): Promise<JobPage> {
    return await listJobs(this.#at(), options);
  }

  /** See `list`. */
  async listTx(tx: Transaction, options: JobListOptions = {}): Promise<JobPage> {
    return await listJobs(this.#at(tx), options);
  }

  /**
   * Cancels a job and returns it as it is then. One that runs stays `running`: the signal of its handler is aborted,
   * and it is `cancelled` unless the handler succeeds all the same. One that has ended is left as it is.
   *
   * @throws QueueError `not_found`
   */
  async cancel(id: string): Promise<JobDetails> {
    return await cancelJob(this.#at(), id);
  }

  /** See `cancel`. */
  async cancelTx(tx: Transaction, id: string): Promise<JobDetails> {
    return await cancelJob(this.#at(tx), id);
  }

  /**
   * Makes a job available now, whether it has ended or waits, with one more attempt where none was left. One that is
   * running, or available already, is left as it is.
   *
   * @throws QueueError `not_found`, `unique_conflict` when another job holds its unique key
   */
  async retry(id: string): Promise<JobDetails> {
    return await retryJob(this.#at(), id);
  }

  /** See `retry`. After a `unique_conflict` the transaction can only be rolled back. */
  async retryTx(tx: Transaction, id: string): Promise<JobDetails> {
    return await retryJob(this.#at(tx), id);
  }

  /** Deletes a job and returns what it was. @throws QueueError `not_found`, `job_running` */
  async delete(id: string): Promise<JobDetails> {
    return await deleteJob(this.#at(), id);
  }

  /** See `delete`. */
  async deleteTx(tx: Transaction, id: string): Promise<JobDetails> {
    return await deleteJob(this.#at(tx), id);
  }

  /**
   * Deletes up to `limit` jobs that fit and are neither running nor locked, and returns what they were.
   *
   * @throws QueueError `invalid_option`, for instance where there is no filter and `all` is not set
   */
  async deleteMany(options: JobDeleteOptions): Promise<readonly JobDetails[]> {
    return await deleteJobs(this.#at(), options);
  }

  /** See `deleteMany`. */
  async deleteManyTx(tx: Transaction, options: JobDeleteOptions): Promise<readonly JobDetails[]> {
    return await deleteJobs(this.#at(tx), options);
  }

  /** Merges an output and keys into the metadata of a job. @throws QueueError `not_found`, `invalid_option` */
  async update(id: string, update: JobUpdate): Promise<JobDetails> {
    return await updateJob(this.#at(), id, update);
  }

  /** See `update`. */
  async updateTx(tx: Transaction, id: string, update: JobUpdate): Promise<JobDetails> {
    return await updateJob(this.#at(tx), id, update);
  }

  /**
   * Completes a job in the transaction in which its work is done, from within its handler: work and completion commit
   * together. `job` is the one that the handler was given. What the handler does afterwards changes nothing any more.
   *
   * @throws QueueError `job_not_running` when that attempt is over: rescued, finished or deleted
   */
  async completeTx(tx: Transaction, job: Job, update: JobUpdate = {}): Promise<JobDetails> {
    return await completeJob(this.#at(tx), job, update);
  }

  /** Reads a queue. @throws QueueError `not_found` */
  async queueGet(name: string): Promise<QueueRecord> {
    return await getQueue(this.#at(), name);
  }

  /** See `queueGet`. */
  async queueGetTx(tx: Transaction, name: string): Promise<QueueRecord> {
    return await getQueue(this.#at(tx), name);
  }

  /** Lists up to `limit` queues by name; 100 where nothing is said. @throws QueueError `invalid_option` */
  async queueList(options: { readonly limit?: number } = {}): Promise<readonly QueueRecord[]> {
    return await listQueues(this.#at(), options.limit);
  }

  /** See `queueList`. */
  async queueListTx(tx: Transaction, options: { readonly limit?: number } = {}): Promise<readonly QueueRecord[]> {
    return await listQueues(this.#at(tx), options.limit);
  }

  /**
   * Pauses a queue, or every queue for `*`: its jobs that run go on, and no others are begun. Idempotent.
   *
   * @throws QueueError `not_found`
   */
  async queuePause(name: string): Promise<void> {
    await setQueuePaused(this.#at(), name, true);
  }

  /** See `queuePause`. */
  async queuePauseTx(tx: Transaction, name: string): Promise<void> {
    await setQueuePaused(this.#at(tx), name, true);
  }

  /** Resumes a queue, or every queue for `*`. Idempotent. @throws QueueError `not_found` */
  async queueResume(name: string): Promise<void> {
    await setQueuePaused(this.#at(), name, false);
  }

  /** See `queueResume`. */
  async queueResumeTx(tx: Transaction, name: string): Promise<void> {
    await setQueuePaused(this.#at(tx), name, false);
  }

  /** Replaces the metadata of a queue, at most 7,500 bytes. @throws QueueError `not_found`, `invalid_option` */
  async queueUpdate(name: string, metadata: Readonly<Record<string, unknown>>): Promise<QueueRecord> {
    return await updateQueue(this.#at(), name, metadata);
  }

  /** See `queueUpdate`. */
  async queueUpdateTx(
    tx: Transaction,
    name: string,
    metadata: Readonly<Record<string, unknown>>,
  ): Promise<QueueRecord> {
    return await updateQueue(this.#at(tx), name, metadata);
  }

  /** Counts jobs, their latencies and the workers. Reads the whole table of jobs. */
  async stats(): Promise<QueueStats> {
    return await queueStats(this.#at());
  }

  /** Ends the pool that a connection string made; a pool of the caller's is left to the caller. */
  async close(): Promise<void> {
    const pool = this.#ownPool;
    this.#ownPool = undefined;
    await pool?.end();
  }

  async #insertOne<Args>(on: Queryable, job: JobInsertOptions): Promise<InsertResult<Args>> {
    const [result] = await insertJobs(on, this.#schema, [this.#checked(job)]);
    if (result === undefined) throw new TypeError('An insert that succeeded returned no row');
    return result as InsertResult<Args>;
  }

  async #insertAll(on: Queryable, jobs: readonly JobInsertOptions[]): Promise<readonly InsertResult[]> {
    return await insertJobs(
      on,
      this.#schema,
      jobs.map((job) => this.#checked(job)),
    );
  }

  #checked(job: JobInsertOptions): ReturnType<typeof checkInsert> {
    return checkInsert(withDefaults(job, this.#defaults), this.#clock.now());
  }

  #at(on: Queryable = this.#queryable()): Scene {
    return { on, schema: this.#schema };
  }

  #queryable(): Queryable {
    const database = this.#database;
    if (database === undefined) {
      throw new QueueError('invalid_option', 'A client without a database can only be used in a transaction');
    }
    if (typeof database !== 'string') return database;
    this.#ownPool ??= openPool(database);
    return this.#ownPool.pool;
  }
}

/** A connection that fails while nobody uses it is replaced by the pool when it is needed; there is nothing to do. */
function openPool(connectionString: string): OwnPool {
  const config = { connectionString, max: ownConnectionsMax, application_name: 'rowlock client' };
  return new OwnPool(config, () => undefined);
}
