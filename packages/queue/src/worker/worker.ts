/**
 * The worker: puts its parts together, starts them in order and stops them in order. What a part does is said in the
 * part. Between a claim and its recorded result, every job is in one place, `RunningJobs`, so that stopping can account
 * for all of them.
 */
import type pg from 'pg';
import type { JobRow } from '../job.ts';
import { Leadership } from '../leader/leadership.ts';
import { PeriodicJobs } from '../leader/periodic-jobs.ts';
import { OwnPool } from '../own-pool.ts';
import { QueueError } from '../queue-error.ts';
import { schemaName } from '../schema-name.ts';
import { queueUpsertMany } from '../statements/queue-upsert-many.ts';
import { Completer } from './completer.ts';
import { Control, insertedQueue } from './control.ts';
import { Executor } from './executor.ts';
import { Latch } from './latch.ts';
import { LeaseKeeper, renewalsPerTtl } from './lease-keeper.ts';
import { Listener } from './listener.ts';
import type { Observation } from './observation.ts';
import { Patience } from './patience.ts';
import { Producer } from './producer.ts';
import { Repeating } from './repeating.ts';
import { giveBackUnheardOf, rescueAbandoned } from './rescuer.ts';
import { RunningJobs } from './running-job.ts';
import type { SubscribeOptions, Subscription } from './subscription.ts';
import { Subscriptions } from './subscriptions.ts';
import type { WorkerContext } from './worker-context.ts';
import { type QueueOptions, type WorkerOptions, type WorkerSettings, workerSettings } from './worker-options.ts';
import { type Slots, WorkerQueues } from './worker-queues.ts';

const queueReportMs = 10 * 60_000;
/** With this many results unrecorded the worker claims no more: it would only remember more of them. */
const unrecordedMax = 10_000;
/** A claim may take ten seconds; one that is older, and that nobody has heard of, was lost. */
const lostClaimSeconds = 15;
const lostClaimLookMs = 5000;
const drainTimeoutMs = 5000;
/** How long a stop waits for answers: a statement takes ten seconds at most, unless there is no connection for it. */
const answerMs = 15_000;
const cutMs = 1000;
const ownConnectionsMax = 3;

/** How to stop, where the worker's own options are not to count. */
export interface StopOptions {
  /** How long to wait for running jobs before they are aborted, in milliseconds. Default: the worker's `stopTimeoutMs`. */
  readonly softAfterMs?: number;
  /**
   * How long to wait, from the same moment, before jobs that were aborted and have not ended are given back. Default:
   * the worker's `abortTimeoutMs` after the abort.
   */
  readonly hardAfterMs?: number;
  /** Aborts running jobs at once when it is aborted. */
  readonly signal?: AbortSignal;
}

/** Claims jobs of its queues and performs them, from `start` to `stop`. */
export class Worker<Kinds extends object = Record<string, unknown>> {
  readonly #settings: WorkerSettings;
  readonly #context: WorkerContext;
  readonly #ownPool: OwnPool | undefined;
  readonly #running = new RunningJobs();
  readonly #completer: Completer;
  readonly #executor: Executor;
  readonly #lease: LeaseKeeper;
  readonly #queues: WorkerQueues;
  readonly #subscriptions: Subscriptions;
  readonly #patience: Patience;
  readonly #control: Control;
  readonly #listener: Listener | undefined;
  readonly #leadership: Leadership;
  readonly #chores: readonly Repeating[];
  /** What this worker inserts again and again while it leads. Jobs can be added and removed at any time. */
  readonly periodicJobs: PeriodicJobs = new PeriodicJobs();
  /** When a claim failed last, on the monotonic clock; jobs of an earlier life under this id count as lost claims. */
  #claimFailedAt: number | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  /** @throws QueueError `invalid_option`, `invalid_schema_name`, `invalid_job` */
  constructor(options: WorkerOptions<Kinds>) {
    const settings = workerSettings(options);
    const { database, clock, random } = settings;
    const schema = schemaName(settings.schema);
    this.#settings = settings;
    if (typeof database === 'string') this.#ownPool = this.#openPool(database);
    const pool = this.#ownPool?.pool ?? (database as pg.Pool);
    const observe = (observation: Observation): void => this.#observe(observation);
    const context = { pool, schema, client_id: settings.clientId, clock, random, observe };
    this.#context = context;
    this.#patience = new Patience(clock);
    this.#subscriptions = new Subscriptions(context);
    this.#completer = new Completer(context, (result, state) => this.#executor.settled(result, state));
    this.#executor = new Executor(context, {
      performers: settings,
      running: this.#running,
      completer: this.#completer,
      subscriptions: this.#subscriptions,
      dueAgain: (queue, ms) => this.#queues.producer(queue)?.wakeAfter(ms),
    });
    const queues = new WorkerQueues((queue, slots) => this.#makeProducer(queue, slots));
    this.#queues = queues;
    for (const [queue, one] of Object.entries(settings.queues)) queues.add(queue, one);
    const { leaseTtlMs: ttlMs, notifyAlways } = settings;
    this.#lease = new LeaseKeeper(context, {
      ttlMs,
      notifyAlways,
      get queues() {
        return queues.names;
      },
    });
    this.#control = new Control(context, () => queues.producers, this.#running);
    for (const job of settings.periodicJobs) this.periodicJobs.add(job);
    this.#leadership = this.#makeLeadership();
    this.#listener = settings.listen ? this.#makeListener() : undefined;
    this.#chores = this.#makeChores();
  }

  /** The id under which jobs are claimed. */
  get clientId(): string {
    return this.#context.client_id;
  }

  /** Whether this worker leads the fleet now. */
  get isLeading(): boolean {
    return this.#leadership.isLeading;
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
   * give up, and records all results. Takes no longer than `stopTimeoutMs`, `abortTimeoutMs` and a few seconds, or half
   * a minute where the database does not answer: jobs whose results are not recorded then are rescued.
   * Idempotent: every call resolves when it is done, and may make a stop that is under way more urgent, never less.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    const { signal, softAfterMs = this.#settings.stopTimeoutMs } = options;
    const { hardAfterMs = softAfterMs + this.#settings.abortTimeoutMs } = options;
    const hurry = (): void => this.#patience.shorten({ softAfterMs: 0, hardAfterMs: this.#settings.abortTimeoutMs });
    this.#patience.shorten({ softAfterMs, hardAfterMs });
    if (signal?.aborted === true) hurry();
    signal?.addEventListener('abort', hurry, { once: true });
    this.#stopping ??= this.#end();
    try {
      await this.#stopping;
    } finally {
      signal?.removeEventListener('abort', hurry);
    }
  }

  /** Stops without waiting for running jobs: they are aborted at once. As River's StopAndCancel. */
  async stopNow(): Promise<void> {
    await this.stop({ softAfterMs: 0 });
  }

  /**
   * Tells what happens to jobs and queues from now on, for `for await`. Of events that are not read, a thousand are
   * kept; later ones are dropped and counted. The worker never waits for a subscriber.
   */
  subscribe(options: SubscribeOptions = {}): Subscription {
    return this.#subscriptions.add(options);
  }

  /**
   * Serves one more queue. Resolves when the worker claims from it, or will when it starts.
   *
   * @throws QueueError `invalid_option` also where it is served already, `invalid_job` for its name, `worker_stopping`
   */
  async addQueue(queue: string, options: QueueOptions): Promise<void> {
    if (this.#stopping !== undefined) throw new QueueError('worker_stopping', 'The worker is stopping');
    const producer = this.#queues.add(queue, options);
    if (this.#starting === undefined) return;
    try {
      await this.#starting;
      await queueUpsertMany(this.#context.pool, this.#context.schema, [queue]);
      await this.#control.readPauses();
    } catch (error) {
      await this.#queues.remove(queue);
      throw error;
    }
    if (this.#stopping === undefined && this.#queues.producer(queue) === producer) producer.start();
  }

  /**
   * Serves a queue no longer. Resolves when none of its jobs runs here any more; they are not aborted.
   *
   * @throws QueueError `invalid_option` where it is not served
   */
  async removeQueue(queue: string): Promise<void> {
    await this.#queues.remove(queue);
    if (this.#starting !== undefined && this.#stopping === undefined) await this.#lease.setWaiting(queue, false);
    await this.#executor.queueIdle(queue);
  }

  /**
   * Changes how many jobs of a queue run at once; those that run go on.
   *
   * @throws QueueError `invalid_option`
   */
  setMaxWorkers(queue: string, maxWorkers: number): void {
    this.#queues.resize(queue, { maxWorkers });
  }

  async #begin(): Promise<void> {
    const { pool, schema, client_id, observe, clock } = this.#context;
    await this.#lease.start();
    await queueUpsertMany(pool, schema, this.#queues.names);
    await this.#control.readPauses();
    await giveBackUnheardOf(this.#context, [], 0);
    this.#claimFailedAt = clock.monotonic();
    await this.#leadership.prepare();
    if (this.#stopping !== undefined) return;
    this.#leadership.start();
    this.#listener?.start();
    this.#control.start();
    for (const chore of this.#chores) chore.start();
    for (const producer of this.#queues.producers) producer.start();
    observe({ event: 'worker_started', client_id });
  }

  async #end(): Promise<void> {
    const { observe, client_id } = this.#context;
    observe({ event: 'worker_stopping', client_id });
    void this.#patience.softEnd.then(() => this.#abortJobs());
    await this.#starting?.catch(() => undefined); // start reports it
    const resigned = this.#leadership.stop();
    const idle = Promise.all(this.#chores.map(async (chore) => await chore.stop()));
    const isFetched = await this.#inTime(this.#queues.stop(), answerMs);
    if (!isFetched) this.#queues.leave();
    await this.#endJobs();
    const isRecorded = await this.#completer.drain(drainTimeoutMs);
    this.#completer.giveUp(); // its timer would keep the process alive for ever
    await this.#endParts([idle, resigned], isFetched && isRecorded);
    await this.#subscriptions.end();
    await this.#ownPool?.end();
    observe({ event: 'worker_stopped', client_id });
  }

  /** Where the database did not answer before, it is not waited for again: its connections are cut. */
  async #endParts(ending: readonly Promise<unknown>[], hasAnswered: boolean): Promise<void> {
    const end = async (): Promise<void> => {
      await this.#executor.reported();
      await Promise.all([this.#control.stop(), this.#listener?.stop(), ...ending]);
      await this.#lease.stop({ giveUp: hasAnswered });
    };
    const ended = end();
    if (!hasAnswered) await this.#ownPool?.end();
    await this.#inTime(ended, hasAnswered ? answerMs : cutMs);
  }

  /** Waits for what waits for the database, but not for ever; returns whether it has ended. */
  async #inTime(work: Promise<unknown>, ms: number): Promise<boolean> {
    const late = new Latch();
    const cancel = this.#context.clock.after(ms, () => late.open());
    const hasEnded = await Promise.race([work.then(() => true), late.opened.then(() => false)]);
    cancel();
    return hasEnded;
  }

  async #endJobs(): Promise<void> {
    await Promise.race([this.#executor.idle(), this.#patience.softEnd]);
    this.#abortJobs(); // also those that were claimed since the first time
    await Promise.race([this.#executor.idle(), this.#patience.hardEnd]);
    for (const job of this.#running.performing) job.leave('stopping');
    await this.#executor.idle();
    this.#patience.clear();
  }

  #abortJobs(): void {
    for (const job of this.#running.performing) {
      job.abort(new QueueError('worker_stopping', 'The worker is stopping'));
    }
  }

  #observe(observation: Observation): void {
    this.#settings.observe(observation);
    this.#subscriptions.observed(observation);
  }

  #openPool(connectionString: string): OwnPool {
    return new OwnPool({ connectionString, max: ownConnectionsMax, application_name: 'rowlock worker' }, (error) =>
      this.#context.observe({ event: 'task_failed', task: 'idle connection', error }),
    );
  }

  #makeProducer(queue: string, slots: Slots): Producer {
    return new Producer(this.#context, {
      queue,
      get maxWorkers() {
        return slots.maxWorkers;
      },
      kinds: this.#settings.fetchOnlyKnownKinds ? Object.keys(this.#settings.handlers) : null,
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
        this.#leadership.lookSoon();
        for (const producer of this.#queues.producers) producer.wake('look');
      },
      notified: (topic, payload) => {
        if (topic === 'river_control') this.#control.notified(payload);
        else if (topic === 'river_leadership') this.#leadership.heard(payload);
        else this.#queues.producer(insertedQueue(payload) ?? '')?.wake();
      },
    });
  }

  #makeLeadership(): Leadership {
    const { lead, maintenance, handlers, jobTimeoutMs } = this.#settings;
    return new Leadership(this.#context, {
      lead,
      maintenance,
      periodicJobs: this.periodicJobs,
      timeouts: new Map(
        Object.entries(handlers).map(([kind, handler]) => {
          const { timeoutMs = jobTimeoutMs } = handler ?? {};
          return [kind, timeoutMs];
        }),
      ),
      retrySeconds: (job) => this.#executor.retrySecondsAfterRescue(job),
    });
  }

  #makeChores(): readonly Repeating[] {
    const { pool, schema } = this.#context;
    const leaseMs = this.#settings.leaseTtlMs / renewalsPerTtl;
    const chore = (name: string, intervalMs: number, run: () => Promise<unknown>): Repeating =>
      new Repeating(this.#context, { name, intervalMs, run });
    return [
      chore('rescue', leaseMs, async () => {
        await rescueAbandoned(this.#context, { retrySeconds: (job) => this.#executor.retrySecondsAfterRescue(job) });
      }),
      chore('give back lost claims', lostClaimLookMs, async () => await this.#giveBackLostClaims()),
      chore('report queues', queueReportMs, async () => await queueUpsertMany(pool, schema, this.#queues.names)),
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
