/**
 * A worker's part in leading the fleet: whether it stands for election, and what it does in its terms and between
 * them. A process that lacks a right which a leader needs does not stand, since Go's workers rely on whoever leads.
 */
import { leaderRightsMissing } from '../statements/leader-rights.ts';
import { Repeating } from '../worker/repeating.ts';
import type { WorkerContext } from '../worker/worker-context.ts';
import { Duties, type DutyTerms } from './duties.ts';
import { Elector } from './elector.ts';
import { scheduleIntervalMs, scheduleUnled } from './scheduler.ts';
import type { Term } from './term.ts';

/** How a worker leads. */
export interface LeadershipTerms extends DutyTerms {
  /** Whether it is to lead at all. */
  readonly lead: boolean;
}

/** The leadership of one worker. */
export class Leadership {
  readonly #context: WorkerContext;
  #terms: LeadershipTerms;
  readonly #elector: Elector;
  readonly #unled: Repeating;
  #isStanding = false;
  #duties: Duties | undefined;

  constructor(context: WorkerContext, terms: LeadershipTerms) {
    this.#context = context;
    this.#terms = terms;
    this.#elector = new Elector(context, (term) => this.#begin(term));
    this.#unled = new Repeating(context, {
      name: 'schedule without a leader',
      intervalMs: scheduleIntervalMs,
      run: async () => {
        if (this.#elector.term === undefined) await scheduleUnled(context);
      },
    });
  }

  /** Whether this process leads now. */
  get isLeading(): boolean {
    return this.#elector.term !== undefined;
  }

  /** Finds out whether this process may and can do all that a leader owes. */
  async prepare(): Promise<void> {
    this.#isStanding = this.#terms.lead && (await this.#isAble());
  }

  /** Begins to stand for election, unless it cannot or must not. */
  start(): void {
    this.#unled.start();
    if (this.#isStanding) this.#elector.start();
  }

  /** Resigns, so that another one leads within a moment. Resolves when nothing is left to do. */
  async stop(): Promise<void> {
    const resigned = this.#elector.stop();
    await Promise.all([resigned, this.#unled.stop()]);
    await this.#duties?.ended();
  }

  /** A notification about leadership has come. */
  heard(payload: string): void {
    if (this.#isStanding) this.#elector.heard(payload);
  }

  /** Notifications may have been lost. */
  lookSoon(): void {
    if (this.#isStanding) this.#elector.lookSoon();
  }

  #begin(term: Term): void {
    this.#duties = new Duties(this.#context, term, this.#terms);
  }

  async #isAble(): Promise<boolean> {
    const { pool, schema, observe } = this.#context;
    const { maintenance } = this.#terms;
    const mayReindex = (await leaderRightsMissing(pool, schema, { reindex: true })).length === 0;
    if (mayReindex) return true;
    const missing = await leaderRightsMissing(pool, schema, {
      reindex: maintenance.reindex !== undefined && !maintenance.reindexIfPermitted,
    });
    if (missing.length > 0) observe({ event: 'leader_not_standing', missing });
    this.#terms = { ...this.#terms, maintenance: { ...maintenance, reindex: undefined } };
    return missing.length === 0;
  }
}
