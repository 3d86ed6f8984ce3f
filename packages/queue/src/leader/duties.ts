/**
 * What a leader owes to the fleet, Go's workers among them: all of it is done during a term, and none of it after. It
 * is the list of duties with their intervals, which are River's; what one does is said in its module.
 */
import { setImmediate } from 'node:timers/promises';
import { Repeating } from '../worker/repeating.ts';
import type { WorkerContext } from '../worker/worker-context.ts';
import { BatchSize } from './batch-size.ts';
import type { DutyContext } from './duty-context.ts';
import { DutyPool } from './duty-pool.ts';
import { FleetRescuer, type KnownKinds } from './fleet-rescuer.ts';
import { cleanJobs } from './job-cleaner.ts';
import type { MaintenanceTerms } from './maintenance-options.ts';
import { PeriodicEnqueuer } from './periodic-enqueuer.ts';
import type { PeriodicJobs } from './periodic-jobs.ts';
import { cleanQueues } from './queue-cleaner.ts';
import { Reindexer } from './reindexer.ts';
import { scheduleDue, scheduleIntervalMs } from './scheduler.ts';
import type { Term } from './term.ts';

/** What the duties are done with. */
export interface DutyTerms extends KnownKinds {
  readonly maintenance: MaintenanceTerms;
  readonly periodicJobs: PeriodicJobs;
}

const rescueMs = 30_000;
const cleanJobsMs = 30_000;
const cleanQueuesMs = 3_600_000;
/** How often to ask whether it is time to reindex. */
const reindexLookMs = 60_000;
/** The duties of a new leader begin within this time, each at its own random moment. */
const staggerMs = 1000;

/** The duties of one term. They end by themselves when it does. */
export class Duties {
  readonly #pool: DutyPool;
  readonly #repeating: readonly Repeating[];
  readonly #enqueuer: PeriodicEnqueuer;
  #ended: Promise<void> | undefined;

  /** Starts them. */
  constructor(context: WorkerContext, term: Term, terms: DutyTerms) {
    this.#pool = new DutyPool(context);
    const dutyContext = contextOf(context, term, this.#pool);
    this.#repeating = repeatingDuties(dutyContext, terms);
    this.#enqueuer = new PeriodicEnqueuer(dutyContext, terms.periodicJobs);
    term.signal.addEventListener('abort', () => void this.ended(), { once: true });
    for (const duty of this.#repeating) duty.start();
    this.#enqueuer.start();
  }

  /** Ends them, whatever they do, and resolves when nothing of them is left. Idempotent. */
  async ended(): Promise<void> {
    this.#ended ??= this.#end();
    await this.#ended;
  }

  async #end(): Promise<void> {
    const stopped = Promise.all([...this.#repeating, this.#enqueuer].map(async (duty) => await duty.stop()));
    await this.#pool.close();
    // A duty that waited for a connection would wait for ever: a pool that was ended answers nobody any more.
    await Promise.race([stopped, setImmediate()]);
  }
}

/** What fails because the term has ended is not worth a report. */
function contextOf(context: WorkerContext, term: Term, { pool }: DutyPool): DutyContext {
  return {
    ...context,
    pool,
    term,
    observe: (observation) => {
      if (observation.event !== 'task_failed' || term.isCurrent) context.observe(observation);
    },
  };
}

function repeatingDuties(context: DutyContext, terms: DutyTerms): readonly Repeating[] {
  const { retention, queueRetentionMs, rescueStuckAfterMs, reindex } = terms.maintenance;
  const [scheduled, cleaned] = [new BatchSize(), new BatchSize()];
  const rescuer = new FleetRescuer(context, terms, rescueStuckAfterMs);
  const duty = (name: string, intervalMs: number, run: () => Promise<unknown>): Repeating =>
    new Repeating(context, { name, intervalMs, firstWithinMs: staggerMs, run });
  const duties = [
    duty('schedule', scheduleIntervalMs, async () => await scheduleDue(context, scheduled)),
    duty('rescue for the fleet', rescueMs, async () => await rescuer.rescue()),
    duty('clean jobs', cleanJobsMs, async () => await cleanJobs(context, retention, cleaned)),
    duty('clean queues', cleanQueuesMs, async () => await cleanQueues(context, queueRetentionMs)),
  ];
  if (reindex === undefined) return duties;
  const reindexer = new Reindexer(context, reindex);
  return [...duties, duty('reindex', reindexLookMs, async () => await reindexer.runIfDue())];
}
