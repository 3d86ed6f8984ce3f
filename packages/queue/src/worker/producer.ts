/**
 * Feeds one queue's slots: decides when to claim, how many, and when to sleep. It does not know what a job does. Never
 * more jobs run than there are slots, one claim is under way at a time, and a free slot never waits while jobs are
 * known to be there.
 */
import type { JobRow } from '../job.ts';
import { jobGetAvailable } from '../statements/job-get-available.ts';
import { type QueueLook, queueLook } from '../statements/queue-look.ts';
import { Attention } from './attention.ts';
import { type Settling, settled } from './settling.ts';
import { Wakes } from './wakes.ts';
import type { WorkerContext } from './worker-context.ts';

/** What a producer needs from the worker around it. */
export interface ProducerOptions {
  readonly queue: string;
  readonly maxWorkers: number;
  /** The only kinds to claim; null for all. */
  readonly kinds: readonly string[] | null;
  readonly pollIntervalMs: number;
  /** Whether notifications arrive, so that sleeping until told is possible at all. */
  readonly listens: boolean;
  /** Runs a claimed job; resolves when its slot is free again, and never fails. */
  readonly execute: (row: JobRow) => Promise<void>;
  /** Whether the worker as a whole may claim now. */
  readonly mayClaim: () => boolean;
  /** Says in the lease whether this queue is slept for; resolves with whether that is committed. */
  readonly setWaiting: (queue: string, isWaiting: boolean) => Promise<boolean>;
  /** A claim failed; it may have claimed jobs all the same. */
  readonly claimFailed: () => void;
}

/** What a fetch is for: to claim, or to look what comes next as well. */
type Want = 'nothing' | 'claim' | 'look';

const backoffMs = { first: 100, most: 5000 } as const;
/** A job that is due but locked by somebody else is looked for again after this time, not at once. */
const lockedMs = 50;
/** Up to this many slots are filled by one claim. */
const claimWholeMax = 100;
/** How often to ask whether the worker may claim again. */
const blockedMs = 50;

/** The producer of one queue. */
export class Producer {
  readonly #context: WorkerContext;
  readonly #options: ProducerOptions;
  readonly #attention = new Attention();
  readonly #wakes: Wakes;
  #active = 0;
  #want: Want = 'nothing';
  #fetching: Promise<void> | undefined;
  #isPaused = false;
  #isPumpPlanned = false;
  #isStopped = true;
  #isLeft = false;
  #failures = 0;
  #isMarked = false;
  #settling: Settling | undefined;

  constructor(context: WorkerContext, options: ProducerOptions) {
    this.#context = context;
    this.#options = options;
    this.#wakes = new Wakes(context.clock);
  }

  get queue(): string {
    return this.#options.queue;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Begins to claim. */
  start(): void {
    this.#isStopped = false;
    this.#follow();
    this.wake('look');
  }

  /** Claims no more. Resolves when the claim that is under way has been answered and its jobs have been started. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wakes.clear();
    await this.#fetching;
  }

  /** Starts nothing any more, whatever the claim under way may bring: its jobs are left to whoever rescues them. */
  leave(): void {
    this.#isLeft = true;
  }

  /** Pauses or resumes. Jobs that run go on. */
  setPaused(isPaused: boolean): void {
    if (this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    this.#context.observe({ event: isPaused ? 'queue_paused' : 'queue_resumed', queue: this.queue });
    if (!isPaused) this.wake('look');
  }

  /** There may be jobs: fetches now, or as soon as it can. */
  wake(want: 'claim' | 'look' = 'claim'): void {
    if (this.#want !== 'look') this.#want = want;
    this.#pump();
  }

  /** A job of this queue will be due after a while. */
  wakeAfter(ms: number): void {
    if (!this.#isStopped) this.#wakes.at('due', ms > 0 ? ms + 1 : lockedMs, () => this.wake());
  }

  get #freeSlots(): number {
    return this.#options.maxWorkers - this.#active;
  }

  #pump(): void {
    if (this.#isStopped || this.#fetching !== undefined || this.#want === 'nothing') return;
    if (this.#isPaused || this.#freeSlots <= 0) return;
    if (!this.#options.mayClaim()) {
      this.#wakes.at('blocked', blockedMs, () => this.#pump());
      return;
    }
    const cooldownMs = this.#attention.cooldownMs(this.#context.clock.monotonic());
    if (cooldownMs > 0) {
      this.#wakes.at('cooldown', cooldownMs, () => this.#pump());
      return;
    }
    this.#fetching = this.#fetch();
  }

  async #fetch(): Promise<void> {
    const want = this.#want;
    this.#want = 'nothing';
    let rows: readonly JobRow[] = [];
    try {
      rows = await this.#claim(want);
      this.#failures = 0;
    } catch (error) {
      this.#context.observe({ event: 'task_failed', task: `fetch from ${this.queue}`, error });
      this.#options.claimFailed();
      const ms = Math.min(backoffMs.first * 2 ** this.#failures, backoffMs.most);
      this.#failures += 1;
      this.#wakes.at('retry', ms * (0.9 + 0.2 * this.#context.random()), () =>
        this.wake(want === 'look' ? want : 'claim'),
      );
    }
    this.#fetching = undefined;
    if (!this.#isStopped) {
      this.#follow();
      this.#planPoll();
      this.#pump();
    }
    this.#start(rows);
  }

  /** A look comes before the claim: what falls due, or is committed, between the two is found by the claim. */
  async #claim(want: Want): Promise<readonly JobRow[]> {
    const { pool, schema, client_id, clock } = this.#context;
    const { queue, kinds } = this.#options;
    const settling = this.#settling;
    const look = want === 'look' ? await queueLook(pool, schema, { queue, kinds }) : undefined;
    if (this.#isPaused) return []; // paused while it looked; who resumes it has it look again
    const limit = Math.max(0, Math.min(this.#freeSlots, this.#claimMax)); // slots may be taken away at any time
    const rows = await jobGetAvailable(pool, schema, { queue, limit, client_id, kinds });
    this.#active += rows.length;
    const isFull = rows.length === limit;
    if (rows.length > 0) this.#attention.found(clock.monotonic(), isFull);
    else this.#attention.missed(clock.monotonic());
    if (look !== undefined) this.#learn(look, settling);
    if (isFull) this.#want = 'claim';
    else if (rows.length === 0 && want === 'claim' && !this.#attention.isHot) this.#want = 'look';
    if (this.#freeSlots <= 0) this.#wakes.at('saturated', Attention.saturationMs, () => this.#checkSaturation());
    return rows;
  }

  /** Of many slots half at a time, so that the database claims some while this process works others. */
  get #claimMax(): number {
    return Math.max(claimWholeMax, Math.ceil(this.#options.maxWorkers / 2));
  }

  /** Where another claim is being sent, it goes first: what the jobs do may keep the process busy for a while. */
  #start(rows: readonly JobRow[]): void {
    if (this.#isLeft) return;
    const startAll = (): void => {
      for (const row of rows) this.#run(row);
    };
    if (this.#fetching === undefined) startAll();
    else setImmediate(startAll);
  }

  #run(row: JobRow): void {
    void this.#options.execute(row).then(() => {
      this.#active -= 1;
      this.#wakes.cancel('saturated');
      this.#pumpSoon();
    });
  }

  /** Jobs that end together free their slots together: the first must not send a claim for itself alone. */
  #pumpSoon(): void {
    if (this.#isPumpPlanned) return;
    this.#isPumpPlanned = true;
    setImmediate(() => {
      this.#isPumpPlanned = false;
      this.#pump();
    });
  }

  #learn(look: QueueLook, settling: Settling | undefined): void {
    if (look.due_ms !== null && look.due_ms < this.#options.pollIntervalMs) this.wakeAfter(look.due_ms);
    if (settling === undefined || settling !== this.#settling) return;
    this.#settling = settled(settling, look);
  }

  #checkSaturation(): void {
    if (this.#freeSlots > 0) return;
    this.#attention.saturated(this.#context.clock.monotonic());
    this.#follow();
  }

  /** Brings the lease in line with the attention, and settles before it sleeps. */
  #follow(): void {
    if (!this.#options.listens || this.#attention.isHot !== this.#isMarked) return;
    const isWaiting = !this.#attention.isHot;
    this.#isMarked = isWaiting;
    this.#settling = undefined;
    void this.#options.setWaiting(this.queue, isWaiting).then((isCommitted) => {
      if (this.#isMarked !== isWaiting || this.#isStopped) return;
      if (!isCommitted) this.#isMarked = !isWaiting;
      else if (isWaiting) this.#settling = { until: undefined, delay_ms: 0 };
      if (isWaiting && isCommitted) this.wake('look');
    });
  }

  #planPoll(): void {
    if (this.#attention.isHot) {
      this.#wakes.at('poll', this.#attention.lookDelayMs, () => this.wake());
      return;
    }
    const { pollIntervalMs } = this.#options;
    const jitterMs = this.#context.random() * Math.max(pollIntervalMs * 0.1, 10);
    const settlingMs = this.#settling?.delay_ms ?? Number.POSITIVE_INFINITY;
    this.#wakes.at('poll', Math.min(pollIntervalMs + jitterMs, settlingMs), () => this.wake('look'));
  }
}
