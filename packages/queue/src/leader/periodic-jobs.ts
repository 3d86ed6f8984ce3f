/**
 * The periodic jobs of a process: what is to be inserted again and again while it leads. It inserts nothing. Jobs can
 * come and go at any time; of two with the same id the second is refused.
 */
import type { JobInsertOptions } from '../job-insert-options.ts';
import { QueueError } from '../queue-error.ts';
import { cronSchedule, type Schedule } from './schedule.ts';

/** A job that is inserted again and again. */
export interface PeriodicJob {
  /** Names it in the metadata of its jobs; one to 127 characters. */
  readonly id?: string;
  /** When: a schedule, or the text of one, as `cronSchedule` reads it. */
  readonly schedule: Schedule | string;
  /** Whether to insert one whenever a process begins to lead, or when this is added while it does. Default false. */
  readonly runOnStart?: boolean;
  /**
   * What is inserted, for the time that it is due at; null inserts nothing this time. Its `scheduledAt` is that time
   * unless it says otherwise. Make it unique by a period where a change of leader must not insert it twice.
   */
  readonly job: JobInsertOptions | ((due: Date) => JobInsertOptions | null);
}

/** A periodic job that was added. */
export interface PeriodicEntry {
  readonly id: string | undefined;
  readonly schedule: Schedule;
  readonly runOnStart: boolean;
  /** What to insert, for a time in milliseconds since the epoch. */
  readonly jobFor: (due: number) => JobInsertOptions | null;
}

/** The periodic jobs of one worker. */
export class PeriodicJobs {
  readonly #entries = new Set<PeriodicEntry>();
  readonly #watchers = new Set<() => void>();

  /** Those that are there. */
  get entries(): readonly PeriodicEntry[] {
    return [...this.#entries];
  }

  /**
   * Adds a job, from now on, and returns what removes it again.
   *
   * @throws QueueError `invalid_option` for an id that is taken, or a schedule that cannot be read
   */
  add(job: PeriodicJob): () => void {
    const { id, schedule, runOnStart = false } = job;
    if (id !== undefined && (id.length < 1 || id.length > 127)) {
      throw new QueueError('invalid_option', 'The id of a periodic job has 1 to 127 characters');
    }
    if (id !== undefined && this.entries.some((entry) => entry.id === id)) {
      throw new QueueError('invalid_option', `There is a periodic job ${id} already`);
    }
    const make = job.job;
    const entry: PeriodicEntry = {
      id,
      schedule: typeof schedule === 'string' ? cronSchedule(schedule) : schedule,
      runOnStart,
      jobFor: (due) => (typeof make === 'function' ? make(new Date(due)) : make),
    };
    this.#entries.add(entry);
    this.#changed();
    return () => {
      if (this.#entries.delete(entry)) this.#changed();
    };
  }

  /** Removes the job with an id, and returns whether there was one. */
  remove(id: string): boolean {
    const entry = this.entries.find((one) => one.id === id);
    if (entry === undefined) return false;
    this.#entries.delete(entry);
    this.#changed();
    return true;
  }

  /** Calls back at every change, until what it returns is called. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => {
      this.#watchers.delete(changed);
    };
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
