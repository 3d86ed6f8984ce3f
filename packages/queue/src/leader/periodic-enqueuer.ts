/**
 * Inserts periodic jobs as they fall due, during one term. It remembers nothing beyond the term: a time that passes
 * while nobody leads is lost, as with River. Times follow from the schedule and the time before, never from when an
 * insert was done, so that they do not drift.
 */
import { checkInsert } from '../job-insert-options.ts';
import { QueueError } from '../queue-error.ts';
import { jobInsertMany } from '../statements/job-insert-many.ts';
import type { DutyContext } from './duty-context.ts';
import type { PeriodicEntry, PeriodicJobs } from './periodic-jobs.ts';

/** A job is inserted a little before its time, which holds it back: so it starts on time. */
const marginMs = 100;
/** The wall clock may be set: it is looked at again after this time at the latest. */
const lookMs = 60_000;
const retryMs = 1000;

/** The periodic enqueuer of one term. */
export class PeriodicEnqueuer {
  readonly #context: DutyContext;
  readonly #jobs: PeriodicJobs;
  /** When each job is due next, in milliseconds since the epoch; undefined when never again. */
  readonly #dues = new Map<PeriodicEntry, number | undefined>();
  #unwatch: () => void = () => undefined;
  #cancel: () => void = () => undefined;
  #turn: Promise<void> | undefined;
  #isStopped = false;

  constructor(context: DutyContext, jobs: PeriodicJobs) {
    this.#context = context;
    this.#jobs = jobs;
  }

  start(): void {
    this.#unwatch = this.#jobs.watch(() => this.#follow());
    this.#follow();
  }

  /** Ends; resolves when the insert that is under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unwatch();
    this.#cancel();
    await this.#turn;
  }

  /** Takes up jobs that were added, and drops those that were removed. */
  #follow(): void {
    const now = this.#context.clock.now();
    const entries = new Set(this.#jobs.entries);
    for (const entry of [...this.#dues.keys()]) if (!entries.has(entry)) this.#dues.delete(entry);
    for (const entry of entries) {
      if (!this.#dues.has(entry)) this.#dues.set(entry, entry.runOnStart ? now : entry.schedule.next(now));
    }
    this.#plan(0);
  }

  #plan(leastMs: number): void {
    if (this.#isStopped || this.#turn !== undefined) return;
    this.#cancel();
    const dues = [...this.#dues.values()].filter((due) => due !== undefined);
    if (dues.length === 0) return;
    const untilMs = Math.min(...dues) - marginMs - this.#context.clock.now();
    this.#cancel = this.#context.clock.after(Math.min(Math.max(untilMs, leastMs), lookMs), () => {
      this.#turn = this.#run();
    });
  }

  async #run(): Promise<void> {
    let leastMs = 0;
    const horizon = this.#context.clock.now() + marginMs;
    for (const [entry, due] of [...this.#dues]) {
      if (due === undefined || due > horizon || !this.#context.term.isCurrent) continue;
      if (!(await this.#insert(entry, due))) leastMs = retryMs;
      else if (this.#dues.has(entry)) this.#dues.set(entry, entry.schedule.next(due));
    }
    this.#turn = undefined;
    this.#plan(leastMs);
  }

  /** Returns false where it has to be tried again: an insert that failed may have been made, if it is not unique. */
  async #insert(entry: PeriodicEntry, due: number): Promise<boolean> {
    const { pool, schema, clock, observe } = this.#context;
    try {
      const job = entry.jobFor(due);
      if (job === null) return true;
      const metadata = { ...job.metadata, periodic: true, ...idOf(entry) };
      const checked = checkInsert({ scheduledAt: new Date(due), ...job, metadata }, clock.now());
      const [row] = await jobInsertMany(pool, schema, [checked]);
      observe({
        event: 'periodic_job_inserted',
        id: row?.id ?? '',
        kind: job.kind,
        due_at: new Date(due).toISOString(),
        is_duplicate: row?.is_duplicate === 't',
      });
      return true;
    } catch (error) {
      observe({ event: 'task_failed', task: `insert periodic job ${entry.id ?? ''}`.trimEnd(), error });
      return !isOfTheMoment(error);
    }
  }
}

function idOf({ id }: PeriodicEntry): Readonly<Record<string, string>> {
  return id === undefined ? {} : { 'river:periodic_job_id': id };
}

/** What the database says may be different the next time; what the program gave, or threw, will not. */
function isOfTheMoment(error: unknown): boolean {
  return (
    !(error instanceof QueueError) &&
    error instanceof Error &&
    ('code' in error || /timeout|connection/i.test(error.message))
  );
}
