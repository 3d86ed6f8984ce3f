/**
 * The worker: puts its parts together, starts them in order and stops them in order. What a part does is said in the
 * part. Between a claim and its recorded result, every job is in one place, `RunningJobs`, so that stopping can account
 * for all of them.
 */
import pg from 'pg';
import type { JobRow } from '../job.ts';
import { QueueError } from '../queue-error.ts';
import { schemaName } from '../schema-name.ts';
import { queueUpsertMany } from '../statements/queue-upsert-many.ts';
import { Completer } from './completer.ts';
import { Control, insertedQueue } from './control.ts';
import { Executor } from './executor.ts';
import { Latch } from './latch.ts';
import { LeaseKeeper, renewalsPerTtl } from './lease-keeper.ts';
import { Listener } from './listener.ts';
import { Producer } from './producer.ts';
import { Repeating } from './repeating.ts';
import { giveBackUnheardOf, rescueAbandoned } from './rescuer.ts';
import { RunningJobs } from './running-job.ts';
import { scheduleDue, scheduleIntervalMs } from './scheduler.ts';
import type { WorkerContext } from './worker-context.ts';
import { type WorkerOptions, type WorkerSettings, workerSettings } from './worker-options.ts';

const queueReportMs = 10 * 60_000;
/** With this many results unrecorded the worker claims no more: it would only remember more of them. */
const unrecordedMax = 10_000;
/** A claim may take ten seconds; one that is older, and that nobody has heard of, was lost. */
const lostClaimSeconds = 15;
const drainTimeoutMs = 5000;
const ownConnectionsMax = 3;

/** Claims jobs of its queues and performs them, from `start` to `stop`. */
export class Worker {
  readonly #settings: WorkerSettings;
  readonly #context: WorkerContext;
  readonly #ownPool: pg.Pool | undefined;
  readonly #running = new RunningJobs();
  readonly #completer: Completer;
  readonly #executor: Executor;
  readonly #lease: LeaseKeeper;
  readonly #producers: readonly Producer[];
  readonly #control: Control;
  readonly #listener: Listener | undefined;
  readonly #chores: readonly Repeating[];
  /** When a claim failed last, on the monotonic clock; jobs of an earlier life under this id count as lost claims. */
  #claimFailedAt: number | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  /** @throws QueueError `invalid_option`, `invalid_schema_name`, `invalid_job` */
  constructor(options: WorkerOptions) {
    const settings = workerSettings(options);
    const { database, clock, random, observe } = settings;
    const schema = schemaName(settings.schema);
    this.#settings = settings;
    if (typeof database === 'string') this.#ownPool = this.#makePool(database);
    const pool = this.#ownPool ?? (database as pg.Pool);
    const context = { pool, schema, client_id: settings.clientId, clock, random, observe };
    this.#context = context;
    this.#completer = new Completer(context, (result, state) => this.#executor.settled(result, state));
    this.#executor = new Executor(context, {
      performers: settings,
      running: this.#running,
      completer: this.#completer,
      dueAgain: (queue, ms) => this.#producer(queue)?.wakeAfter(ms),
    });
    const queues = Object.keys(settings.queues);
    this.#lease = new LeaseKeeper(context, { queues, ttlMs: settings.leaseTtlMs, notifyAlways: settings.notifyAlways });
    this.#producers = queues.map((queue) => this.#makeProducer(queue));
    this.#control = new Control(context, this.#producers, this.#running);
    this.#listener = settings.listen ? this.#makeListener() : undefined;
    this.#chores = this.#makeChores();
  }

  /** The id under which jobs are claimed. */
  get clientId(): string {
    return this.#context.client_id;
  }

  /**
   * Starts to work. Resolves when the worker is known in the database and claims jobs.
   *
   * Fails, and is then stopped, when the database cannot be reached; later outages are sat out.
   *
   * @throws QueueError `already_started`, `client_id_in_use`
   */
  async start(): Promise<void> {
    if (this.#starting !== undefined || this.#stopping !== undefined) {
      throw new QueueError('already_started', 'A worker starts once');
    }
    this.#starting = this.#begin();
    try {
      await this.#starting;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /**
   * Stops: claims no more, waits for running jobs, aborts those that take too long and gives back those that do not
   * give up, and records all results. Takes no longer than `stopTimeoutMs`, `abortTimeoutMs` and a few seconds.
   * Idempotent: every call resolves when it is done.
   */
  async stop(): Promise<void> {
    this.#stopping ??= this.#end();
    await this.#stopping;
  }

  async #begin(): Promise<void> {
    const { pool, schema, client_id, observe, clock } = this.#context;
    await this.#lease.start();
    await queueUpsertMany(pool, schema, Object.keys(this.#settings.queues));
    await this.#control.readPauses();
    await giveBackUnheardOf(this.#context, [], 0);
    this.#claimFailedAt = clock.monotonic();
    if (this.#stopping !== undefined) return;
    this.#listener?.start();
    this.#control.start();
    for (const chore of this.#chores) chore.start();
    for (const producer of this.#producers) producer.start();
    observe({ event: 'worker_started', client_id });
  }

  async #end(): Promise<void> {
    const { observe, client_id } = this.#context;
    observe({ event: 'worker_stopping', client_id });
    await this.#starting?.catch(() => undefined); // start reports it
    await Promise.all(this.#producers.map(async (producer) => await producer.stop()));
    await Promise.all(this.#chores.map(async (chore) => await chore.stop()));
    await this.#endJobs();
    const isRecorded = await this.#completer.drain(drainTimeoutMs);
    await Promise.all([this.#control.stop(), this.#listener?.stop()]);
    await this.#lease.stop({ giveUp: isRecorded });
    await this.#ownPool?.end();
    observe({ event: 'worker_stopped', client_id });
  }

  async #endJobs(): Promise<void> {
    const { stopTimeoutMs, abortTimeoutMs } = this.#settings;
    await this.#idleWithin(stopTimeoutMs);
    for (const job of this.#running.performing) {
      job.abort(new QueueError('worker_stopping', 'The worker is stopping'));
    }
    await this.#idleWithin(abortTimeoutMs);
    for (const job of this.#running.performing) job.leave();
    await this.#executor.idle();
  }

  async #idleWithin(ms: number): Promise<void> {
    const late = new Latch();
    const cancel = this.#context.clock.after(ms, () => late.open());
    await Promise.race([this.#executor.idle(), late.opened]);
    cancel();
  }

  #producer(queue: string): Producer | undefined {
    return this.#producers.find((producer) => producer.queue === queue);
  }

  #makePool(connectionString: string): pg.Pool {
    const pool = new pg.Pool({ connectionString, max: ownConnectionsMax, application_name: 'rowlock worker' });
    pool.on('error', (error) => this.#context.observe({ event: 'task_failed', task: 'idle connection', error }));
    return pool;
  }

  #makeProducer(queue: string): Producer {
    return new Producer(this.#context, {
      queue,
      maxWorkers: this.#settings.queues[queue]?.maxWorkers ?? 1,
      pollIntervalMs: this.#settings.fetchPollIntervalMs,
      listens: this.#settings.listen,
      execute: async (row: JobRow) => await this.#executor.execute(row),
      mayClaim: () => this.#lease.isValid && this.#completer.pending < unrecordedMax,
      setWaiting: async (name, isWaiting) => await this.#lease.setWaiting(name, isWaiting),
      claimFailed: () => {
        this.#claimFailedAt = this.#context.clock.monotonic();
      },
    });
  }

  #makeListener(): Listener {
    return new Listener(this.#context, {
      connected: () => {
        this.#control.lookSoon();
        for (const producer of this.#producers) producer.wake('look');
      },
      notified: (topic, payload) => {
        if (topic === 'river_control') this.#control.notified(payload);
        else this.#producer(insertedQueue(payload) ?? '')?.wake();
      },
    });
  }

  #makeChores(): readonly Repeating[] {
    const { pool, schema } = this.#context;
    const queues = Object.keys(this.#settings.queues);
    const leaseMs = this.#settings.leaseTtlMs / renewalsPerTtl;
    const chore = (name: string, intervalMs: number, run: () => Promise<unknown>): Repeating =>
      new Repeating(this.#context, { name, intervalMs, run });
    return [
      chore('schedule', scheduleIntervalMs, async () => await scheduleDue(this.#context)),
      chore('rescue', leaseMs, async () => {
        await rescueAbandoned(this.#context, { retrySeconds: (job) => this.#executor.retrySecondsAfterRescue(job) });
      }),
      chore('give back lost claims', lostClaimSeconds * 1000, async () => await this.#giveBackLostClaims()),
      chore('report queues', queueReportMs, async () => await queueUpsertMany(pool, schema, queues)),
    ];
  }

  /** Looks only while a claim has failed of late: otherwise this client has heard of everything that it claimed. */
  async #giveBackLostClaims(): Promise<void> {
    const failedAt = this.#claimFailedAt;
    if (failedAt === undefined) return;
    const isOver = this.#context.clock.monotonic() - failedAt > 2 * lostClaimSeconds * 1000;
    await giveBackUnheardOf(this.#context, this.#running.ids, lostClaimSeconds);
    if (isOver && this.#claimFailedAt === failedAt) this.#claimFailedAt = undefined;
  }
}
