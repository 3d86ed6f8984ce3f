/**
 * A second look at results that were refused. A job that its own attempt completed already, in a transaction of the
 * handler's or by a statement whose answer was lost, is settled and not lost. It changes nothing in the table.
 */
import type { JobState } from '../job.ts';
import { jobGetOwned } from '../statements/job-get-owned.ts';
import type { Result } from './completer.ts';
import { Latch } from './latch.ts';
import type { WorkerContext } from './worker-context.ts';

/** What is told of a refused result: `completed` where its own attempt did that, undefined where the job is lost. */
export type OnLooked = (result: Result, state: JobState | undefined) => void;

/** Looks at refused results, many at a time. */
export class SecondLook {
  readonly #context: WorkerContext;
  readonly #onLooked: OnLooked;
  #waiting: Result[] = [];
  #isLooking = false;
  #idle: Latch | undefined;

  constructor(context: WorkerContext, onLooked: OnLooked) {
    this.#context = context;
    this.#onLooked = onLooked;
  }

  /** Takes a refused result; it is told of soon. */
  add(result: Result): void {
    this.#waiting.push(result);
    if (this.#isLooking) return;
    this.#isLooking = true;
    setImmediate(() => void this.#lookOnAndOn());
  }

  /** Resolves when all have been told of. */
  async idle(): Promise<void> {
    if (!this.#isLooking) return;
    this.#idle ??= new Latch();
    await this.#idle.opened;
  }

  async #lookOnAndOn(): Promise<void> {
    while (this.#waiting.length > 0) await this.#look(this.#waiting.splice(0));
    this.#isLooking = false;
    this.#idle?.open();
    this.#idle = undefined;
  }

  /** Where the table cannot be read, the results count as lost: it is only a matter of what is reported. */
  async #look(results: readonly Result[]): Promise<void> {
    const { pool, schema, client_id, observe } = this.#context;
    try {
      const ids = results.map(({ settlement }) => settlement.id);
      const rows = await jobGetOwned(pool, schema, ids);
      for (const result of results) {
        const { id, attempt } = result.settlement;
        const row = rows.get(id);
        const isOwn = row?.client_id === client_id && Number(row.attempt) === attempt;
        this.#onLooked(result, isOwn && row.state === 'completed' ? 'completed' : undefined);
      }
    } catch (error) {
      observe({ event: 'task_failed', task: 'look at refused results', error });
      for (const result of results) this.#onLooked(result, undefined);
    }
  }
}
