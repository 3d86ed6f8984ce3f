/**
 * Records results, many at a time: while a statement is on its way, what arrives is gathered for the next one, as a
 * database gathers commits. So a lone result is written at once, and batches grow by themselves under load. A result
 * is given up only when the database refuses it by itself and refuses its plain substitute too.
 */
import type { JobState } from '../job.ts';
import { jobCompleteMany } from '../statements/job-complete-many.ts';
import { jobSettleMany, type Settled, type Settlement } from '../statements/job-settle-many.ts';
import { Latch } from './latch.ts';
import type { RunningJob } from './running-job.ts';
import { isDeadlock, isFaultOfValues, sqlState } from './sql-failure.ts';
import type { WorkerContext } from './worker-context.ts';

/** A result, and the job that it is of. */
export interface Result {
  readonly running: RunningJob;
  readonly settlement: Settlement;
}

/** What the completer tells: `state` is undefined when the job was no longer ours. */
export type OnSettled = (result: Result, state: JobState | undefined) => void;

const batchMax = 5000;
/** Recorded outputs may be large, and all of a batch become one text: neither Node nor PostgreSQL takes any length. */
const batchCharactersMax = 32 * 1024 * 1024;
/** A second statement is sent beside one that is under way only when this many results wait. */
const secondFlushMin = 500;
const flushesMax = 2;
const backoffMs = { first: 50, most: 5000 } as const;

/** Records results in the background. */
export class Completer {
  readonly #context: WorkerContext;
  readonly #onSettled: OnSettled;
  #waiting: Result[] = [];
  #inFlight = 0;
  #resultsInFlight = 0;
  #isFlushPlanned = false;
  #failures = 0;
  #isGivenUp = false;
  #cancelBackoff: (() => void) | undefined;
  #drained: Latch | undefined;

  constructor(context: WorkerContext, onSettled: OnSettled) {
    this.#context = context;
    this.#onSettled = onSettled;
  }

  /** How many results are not recorded yet. */
  get pending(): number {
    return this.#waiting.length + this.#resultsInFlight;
  }

  /** Takes a result; it is recorded soon. */
  add(result: Result): void {
    this.#waiting.push(result);
    this.#planFlush();
  }

  /** Resolves when everything is recorded, or after the span with whether that is so. */
  async drain(timeoutMs: number): Promise<boolean> {
    if (this.pending === 0) return true;
    const drained = new Latch();
    this.#drained = drained;
    this.#cancelBackoff?.();
    this.#cancelBackoff = undefined;
    this.#planFlush();
    const cancel = this.#context.clock.after(timeoutMs, () => drained.open());
    await drained.opened;
    cancel();
    return this.pending === 0;
  }

  /** Tries nothing again: for a worker that ends although the database has not answered. Its lease tells the others. */
  giveUp(): void {
    this.#isGivenUp = true;
    this.#cancelBackoff?.();
    this.#cancelBackoff = undefined;
  }

  /** Waits for the end of the present turn of the event loop, so that jobs that end together are recorded together. */
  #planFlush(): void {
    if (this.#isGivenUp || this.#isFlushPlanned || this.#cancelBackoff !== undefined || !this.#mayFlush()) return;
    this.#isFlushPlanned = true;
    setImmediate(() => {
      this.#isFlushPlanned = false;
      if (this.#mayFlush()) void this.#flush();
    });
  }

  #mayFlush(): boolean {
    if (this.#waiting.length === 0 || this.#inFlight >= flushesMax) return false;
    return this.#inFlight === 0 || this.#waiting.length >= secondFlushMin;
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting.splice(0, batchLength(this.#waiting));
    this.#inFlight += 1;
    this.#resultsInFlight += batch.length;
    const failed = await this.#record(batch);
    this.#inFlight -= 1;
    this.#resultsInFlight -= batch.length;
    this.#waiting.unshift(...failed);
    if (failed.length > 0) this.#backOff();
    else this.#failures = 0;
    if (this.pending === 0) this.#drained?.open();
    this.#planFlush();
  }

  /** Records a batch and returns what has to be tried again. Ids are sorted, so that two workers lock in one order. */
  async #record(batch: readonly Result[]): Promise<readonly Result[]> {
    const sorted = batch.toSorted(byId);
    const isPlain = ({ settlement }: Result): boolean =>
      settlement.state === 'completed' && settlement.metadata === null;
    const others = sorted.filter((result) => !isPlain(result));
    const failed = await Promise.all([
      ...byAttempt(sorted.filter(isPlain)).map((plain) => this.#attempt(plain, this.#complete)),
      this.#attempt(others, this.#settle),
    ]);
    return failed.flat();
  }

  /**
   * Where the values are at fault, each result is tried alone, so that one bad one does not hold up the others. So too
   * after a deadlock: a statement that writes one row waits for others while it holds nothing that they wait for.
   */
  async #attempt(results: readonly Result[], write: Write): Promise<readonly Result[]> {
    if (results.length === 0) return [];
    try {
      this.#report(results, await write(results));
      return [];
    } catch (error) {
      this.#context.observe({ event: 'task_failed', task: 'complete', error });
      const isFault = isFaultOfValues(error);
      if (!isFault && !(isDeadlock(error) && results.length > 1)) return results;
      if (results.length === 1) return await this.#writePlainly(results, error);
    }
    const failed: Result[] = [];
    for (const result of results) failed.push(...(await this.#attempt([result], write)));
    return failed;
  }

  /** The database refuses this result by itself: says so in its place, or gives it up. */
  async #writePlainly(results: readonly Result[], refusal: unknown): Promise<readonly Result[]> {
    const text = JSON.stringify({
      at: new Date(this.#context.clock.now()).toISOString(),
      attempt: results[0]?.settlement.attempt ?? 0,
      error: `The result could not be recorded: SQLSTATE ${sqlState(refusal)}`,
      trace: '',
    });
    const plain = results.map(({ settlement, running }) => ({
      running,
      settlement: { ...settlement, error: settlement.state === 'completed' ? null : text, metadata: null },
    }));
    try {
      this.#report(plain, await this.#settle(plain));
      return [];
    } catch (error) {
      this.#context.observe({ event: 'task_failed', task: 'complete plainly', error });
      if (!isFaultOfValues(error)) return plain;
      for (const result of plain) this.#onSettled(result, undefined);
      return [];
    }
  }

  /** All of one attempt. */
  readonly #complete: Write = async (results) => {
    const { pool, schema, client_id } = this.#context;
    const ids = results.map(({ settlement }) => settlement.id);
    const attempt = results[0]?.settlement.attempt ?? 0;
    const completed = await jobCompleteMany(pool, schema, { ids, attempt, client_id });
    return completed.map((id) => ({ id, state: 'completed' }));
  };

  readonly #settle: Write = async (results) => {
    const { pool, schema } = this.#context;
    return await jobSettleMany(
      pool,
      schema,
      results.map(({ settlement }) => settlement),
    );
  };

  #report(results: readonly Result[], settled: readonly Settled[]): void {
    const states = new Map(settled.map(({ id, state }) => [id, state]));
    for (const result of results) this.#onSettled(result, states.get(result.settlement.id));
  }

  #backOff(): void {
    if (this.#isGivenUp || this.#cancelBackoff !== undefined) return;
    const { clock, random } = this.#context;
    const ms = Math.min(backoffMs.first * 2 ** this.#failures, backoffMs.most) * (0.9 + 0.2 * random());
    this.#failures += 1;
    this.#cancelBackoff = clock.after(ms, () => {
      this.#cancelBackoff = undefined;
      this.#planFlush();
    });
  }
}

type Write = (results: readonly Result[]) => Promise<readonly Settled[]>;

/** How many of the results go into one batch: at least one. */
function batchLength(waiting: readonly Result[]): number {
  let characters = 0;
  const index = waiting.findIndex(({ settlement: { metadata, error } }, at) => {
    characters += (metadata?.length ?? 0) + (error?.length ?? 0);
    return at === batchMax || (at > 0 && characters > batchCharactersMax);
  });
  return index === -1 ? waiting.length : index;
}

/** Usually one group: most jobs succeed the first time. */
function byAttempt(results: readonly Result[]): readonly (readonly Result[])[] {
  const groups = new Map<number, Result[]>();
  for (const result of results) {
    const group = groups.get(result.settlement.attempt);
    if (group === undefined) groups.set(result.settlement.attempt, [result]);
    else group.push(result);
  }
  return [...groups.values()];
}

function byId(one: Result, other: Result): number {
  const [a, b] = [one.settlement.id, other.settlement.id];
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}
