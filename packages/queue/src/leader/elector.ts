/**
 * Stands for election, keeps the lead, and gives it up: River's protocol and timings. It does none of a leader's work.
 * At most one client of a database believes at any time that it leads, whatever the network does: the table decides
 * who, and a leader that cannot renew stops believing before the table would let somebody else in.
 */
import { leaderElect, leaderRenew, leaderResign } from '../statements/leader.ts';
import { Latch } from '../worker/latch.ts';
import { Wakes } from '../worker/wakes.ts';
import type { WorkerContext } from '../worker/worker-context.ts';
import { electionNews } from './election-news.ts';
import { Term } from './term.ts';

const intervalMs = 5000;
const jitterMs = 1000;
const ttlMs = 15_000;
/** How long before the row expires its owner stops to rely on it. */
const marginMs = 1000;
const timeoutMs = 5000;
const times = { ttl_seconds: ttlMs / 1000, timeout_ms: timeoutMs } as const;
/** A renewal that failed is tried again sooner, as long as the term lasts. */
const renewRetryMs = 1000;
/** Candidates that hear of a resignation do not all try in the same moment, nor as often as somebody claims one. */
const wokenWithinMs = 50;
const attemptGapMs = 250;
/** Anybody can ask a leader to resign; it does not do so more often than this. */
const requestGapMs = 10_000;
const resignTries = 3;
const resignPauseMs = 250;

/** An elector of one worker. */
export class Elector {
  readonly #context: WorkerContext;
  readonly #elected: (term: Term) => void;
  readonly #wakes: Wakes;
  #term: Term | undefined;
  #turn: Promise<void> | undefined;
  #isStopped = false;
  #isAskedToResign = false;
  #isAskedAgain = false;
  #lastAttemptAt = Number.NEGATIVE_INFINITY;
  #lastRequestAt = Number.NEGATIVE_INFINITY;

  /** `elected` is told of every term of this process, and must not fail; the end of a term is told by its signal. */
  constructor(context: WorkerContext, elected: (term: Term) => void) {
    this.#context = context;
    this.#elected = elected;
    this.#wakes = new Wakes(context.clock);
  }

  /** The present term, while it may be relied on. */
  get term(): Term | undefined {
    return this.#term?.isCurrent === true ? this.#term : undefined;
  }

  /** Begins to stand for election. */
  start(): void {
    this.#turnIn(0);
  }

  /** Ends; resolves when it has resigned, or has done what it could. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wakes.clear();
    this.#term?.end();
    await this.#turn;
    const term = this.#term;
    if (term !== undefined) await this.#resign(term, 'stopping');
  }

  /** A notification about leadership has come. */
  heard(payload: string): void {
    const news = electionNews(payload);
    const { client_id, clock } = this.#context;
    if (news.kind === 'resigned' && news.leader_id !== client_id) this.lookSoon();
    if (news.kind !== 'request_resign' || (news.leader_id !== '' && news.leader_id !== client_id)) return;
    const now = clock.monotonic();
    if (this.#term === undefined || now - this.#lastRequestAt < requestGapMs) return;
    this.#lastRequestAt = now;
    this.#isAskedToResign = true;
    this.#turnIn(0);
  }

  /** The lead may be free: tries for it in a moment. */
  lookSoon(): void {
    if (this.#term !== undefined) return;
    const { clock, random } = this.#context;
    const gapMs = this.#lastAttemptAt + attemptGapMs - clock.monotonic();
    this.#turnIn(Math.max(random() * wokenWithinMs, gapMs));
  }

  #turnIn(ms: number): void {
    if (this.#isStopped) return;
    this.#wakes.at('turn', ms, () => {
      if (this.#turn !== undefined) this.#isAskedAgain = true;
      else this.#turn = this.#takeTurn();
    });
  }

  async #takeTurn(): Promise<void> {
    const term = this.#term;
    let nextMs: number;
    if (term === undefined) nextMs = await this.#attempt();
    else if (this.#isAskedToResign) nextMs = await this.#resign(term, 'asked');
    else nextMs = await this.#renew(term);
    this.#turn = undefined;
    this.#turnIn(this.#isAskedAgain ? 0 : nextMs);
    this.#isAskedAgain = false;
  }

  get #nextAttemptMs(): number {
    return intervalMs + jitterMs * this.#context.random();
  }

  async #attempt(): Promise<number> {
    const { pool, schema, client_id, clock, observe } = this.#context;
    const sentAt = clock.monotonic();
    this.#lastAttemptAt = sentAt;
    try {
      const row = await this.#inTime(leaderElect(pool, schema, client_id, times));
      if (row === undefined) return this.#nextAttemptMs;
      const term = new Term(clock, row, sentAt + ttlMs - marginMs);
      this.#term = term;
      this.#isAskedToResign = false;
      if (this.#isStopped) return 0; // whoever stops resigns
      observe({ event: 'leader_elected', ...row });
      this.#watch(term);
      this.#elected(term);
      return intervalMs;
    } catch (error) {
      observe({ event: 'task_failed', task: 'stand for election', error });
      return this.#nextAttemptMs;
    }
  }

  async #renew(term: Term): Promise<number> {
    const { pool, schema, clock, observe } = this.#context;
    const sentAt = clock.monotonic();
    try {
      const isRenewed = await this.#inTime(leaderRenew(pool, schema, term.row, times));
      if (this.#term !== term) {
        // It ended while the answer was on its way: nobody leads now, and nobody can until this row is gone.
        if (isRenewed) await this.#giveUp(term);
        return this.#nextAttemptMs;
      }
      if (!isRenewed) {
        this.#lose(term, 'replaced');
        return this.#nextAttemptMs;
      }
      term.prolong(sentAt + ttlMs - marginMs);
      this.#watch(term);
      return intervalMs;
    } catch (error) {
      observe({ event: 'task_failed', task: 'renew leadership', error });
      return this.#term === term ? renewRetryMs : this.#nextAttemptMs;
    }
  }

  /** Ends the term at its time, if it is not prolonged before. */
  #watch(term: Term): void {
    this.#wakes.cancel('deadline');
    if (this.#isStopped) return;
    this.#wakes.at('deadline', Math.max(term.leftMs, 0), () => {
      if (this.#term === term && !term.isCurrent) this.#lose(term, 'not_renewed');
      else if (this.#term === term) this.#watch(term);
    });
  }

  #lose(term: Term, why: 'replaced' | 'not_renewed'): void {
    this.#wakes.cancel('deadline');
    this.#term = undefined;
    term.end();
    this.#context.observe({ event: 'leader_lost', ...term.row, why });
  }

  /** The duties end first: what is still under way of them then does no harm beside another leader. */
  async #resign(term: Term, why: 'stopping' | 'asked'): Promise<number> {
    this.#wakes.cancel('deadline');
    this.#isAskedToResign = false;
    this.#term = undefined;
    term.end();
    const isResigned = await this.#giveUp(term);
    if (isResigned) this.#context.observe({ event: 'leader_resigned', ...term.row, why });
    else this.#context.observe({ event: 'leader_lost', ...term.row, why: 'replaced' });
    return this.#nextAttemptMs;
  }

  /** Gives up the row of a term, which tells the others. Returns whether it was still there. */
  async #giveUp(term: Term): Promise<boolean> {
    const { pool, schema, observe } = this.#context;
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#inTime(leaderResign(pool, schema, term.row, times));
      } catch (error) {
        observe({ event: 'task_failed', task: 'resign', error });
        if (tries >= resignTries || term.leftMs <= 0) return false;
        await this.#pause(resignPauseMs);
      }
    }
  }

  /** Waiting for a connection counts as well: an answer that comes too late to be used is no answer. */
  async #inTime<T>(answer: Promise<T>): Promise<T> {
    let cancel: () => void = () => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      cancel = this.#context.clock.after(timeoutMs, () => reject(new Error('The database did not answer in time')));
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      cancel();
    }
  }

  async #pause(ms: number): Promise<void> {
    const over = new Latch();
    this.#context.clock.after(ms, () => over.open());
    await over.opened;
  }
}
