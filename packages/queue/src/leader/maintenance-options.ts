/**
 * What a leader keeps, and for how long, with every bound and default. The defaults are River's: who leads is a matter
 * of chance in a mixed fleet, and must not decide what is kept.
 */
import { QueueError } from '../queue-error.ts';
import type { Retention } from './job-cleaner.ts';
import type { ReindexTerms } from './reindexer.ts';
import { cronSchedule, type Schedule } from './schedule.ts';

/** What a worker does when it leads. All spans are in milliseconds; null is for ever. */
export interface MaintenanceOptions {
  /** How long cancelled jobs are kept. Default 24 h. */
  readonly cancelledRetentionMs?: number | null;
  /** How long completed jobs are kept. Default 24 h. */
  readonly completedRetentionMs?: number | null;
  /** How long discarded jobs are kept. Default 7 d. */
  readonly discardedRetentionMs?: number | null;
  /** Deletes finished jobs of these queues only. Default: of all. */
  readonly cleanQueues?: readonly string[];
  /** Keeps finished jobs of these queues. Default: of none. */
  readonly keepQueues?: readonly string[];
  /** How long a queue is remembered that nobody works, and whether it is paused. Default 24 h. */
  readonly queueRetentionMs?: number;
  /**
   * How long a job may have been running before it is rescued from a client that has no lease, such as one of Go.
   * Default 1 h, or an hour more than `jobTimeoutMs` where that is given.
   */
  readonly rescueStuckAfterMs?: number;
  /**
   * Whether to rebuild the indexes of the job table, once a day. It needs a right that the rest does not: to own the
   * table, or from PostgreSQL 17 on MAINTAIN. Without it a worker does not lead, unless this is `if_permitted` or
   * false. Default true.
   */
  readonly reindex?: boolean | 'if_permitted';
  /** When to rebuild them. Default `@daily`, at midnight UTC. */
  readonly reindexSchedule?: Schedule | string;
  /** How long rebuilding one may take. Default 1 min. */
  readonly reindexTimeoutMs?: number;
}

/** The same with every default filled in. */
export interface MaintenanceTerms {
  readonly retention: Retention;
  readonly queueRetentionMs: number;
  readonly rescueStuckAfterMs: number;
  /** Undefined where this process does not reindex. */
  readonly reindex: ReindexTerms | undefined;
  /** Whether it may lead without the right to. */
  readonly reindexIfPermitted: boolean;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/**
 * Checks the options. `jobTimeoutMs` is the worker's, as it was given.
 *
 * @throws QueueError `invalid_option`
 */
export function maintenanceTerms(
  options: MaintenanceOptions,
  jobTimeoutMs: number | null | undefined,
): MaintenanceTerms {
  const {
    cancelledRetentionMs = dayMs,
    completedRetentionMs = dayMs,
    discardedRetentionMs = 7 * dayMs,
    queueRetentionMs = dayMs,
    rescueStuckAfterMs = hourMs + (jobTimeoutMs ?? 0),
    reindexTimeoutMs = 60_000,
    reindexSchedule = '@daily',
  } = options;
  const ms = { cancelled: cancelledRetentionMs, completed: completedRetentionMs, discarded: discardedRetentionMs };
  for (const [state, span] of Object.entries(ms)) {
    expect(span === null || span >= 0, `${state}RetentionMs: at least 0, or null`);
  }
  expect(queueRetentionMs >= hourMs, 'queueRetentionMs: at least an hour');
  expect(rescueStuckAfterMs >= 60_000, 'rescueStuckAfterMs: at least a minute');
  expect(reindexTimeoutMs >= 1, 'reindexTimeoutMs: at least 1');
  const schedule = typeof reindexSchedule === 'string' ? cronSchedule(reindexSchedule) : reindexSchedule;
  return {
    retention: { ms, queuesIncluded: options.cleanQueues ?? null, queuesExcluded: options.keepQueues ?? null },
    queueRetentionMs,
    rescueStuckAfterMs,
    reindex: options.reindex === false ? undefined : { schedule, timeoutMs: reindexTimeoutMs },
    reindexIfPermitted: options.reindex === 'if_permitted',
  };
}

function expect(isTrue: boolean, message: string): void {
  if (!isTrue) throw new QueueError('invalid_option', message);
}
