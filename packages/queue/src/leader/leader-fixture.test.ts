/**
 * What the tests of leadership share: time that a test moves, for the database's now() as well, electors on one real
 * table, and the surroundings of a duty. It holds no test of its own.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { SeededRandom } from '@rowlock/test-harness';
import pg from 'pg';
import type { QueueSchema } from '../queue-fixture.test.ts';
import { type Clock, systemClock } from '../worker/clock.ts';
import type { Observation } from '../worker/observation.ts';
import type { DutyContext } from './duty-context.ts';
import { Elector } from './elector.ts';
import { Term } from './term.ts';

/** Fake time begins here; its microseconds tell a time that was cut to milliseconds from one that was not. */
const epoch = Date.parse('2026-03-01T00:00:00.123Z');
const microseconds = '456';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told the time. */
export class FakeClock implements Clock {
  #time = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return epoch + this.#time;
  }

  monotonic(): number {
    return this.#time;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#time + Math.max(ms, 0), callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** When the next timer fires. */
  get nextAt(): number {
    return Math.min(...[...this.#timers].map(({ at }) => at));
  }

  /** How many timers wait. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Moves to a time, and fires nothing. */
  moveTo(time: number): void {
    this.#time = Math.max(this.#time, time);
  }

  /** Fires one timer that is due. Returns whether there was one. */
  fireOne(): boolean {
    const [first] = [...this.#timers].filter(({ at }) => at <= this.#time).sort((one, other) => one.at - other.at);
    if (first === undefined) return false;
    this.#timers.delete(first);
    first.callback();
    return true;
  }

  /** Forgets every timer, as a killed process does. */
  die(): void {
    this.#timers.clear();
  }
}

/**
 * What lies between a client and the database. `deaf` loses answers, `silent` questions, both without an error; `slow`
 * holds answers back until it is up again.
 */
export type Link = 'up' | 'refused' | 'silent' | 'deaf' | 'slow';

/** One process that stands for election. */
export interface Candidate {
  readonly id: string;
  readonly elector: Elector;
  readonly clock: FakeClock;
  readonly observations: Observation[];
  link: Link;
  /** Until when it is suspended, in fake milliseconds. */
  suspendedUntil: number;
  /** Statements that it has sent, by what they are called. */
  readonly sent: string[];
}

/** Candidates for one table, in one fake time. */
export class Election {
  readonly candidates: Candidate[] = [];
  readonly #client: pg.Client;
  readonly #queue: QueueSchema;
  readonly #random: () => number;
  #time = 0;
  #pending = 0;
  #notified: string[] = [];
  #held: (() => void)[] = [];
  #last: Promise<unknown> = Promise.resolve();

  private constructor(client: pg.Client, queue: QueueSchema, random: () => number) {
    this.#client = client;
    this.#queue = queue;
    this.#random = random;
    client.on('notification', ({ payload = '' }) => this.#notified.push(payload));
  }

  /** Connects with a now() that shows fake time, and with every other statement as it is. */
  static async open(queue: QueueSchema, random?: SeededRandom): Promise<Election> {
    const fake = `${queue.name}_time`;
    await queue.sql(`CREATE SCHEMA ${fake}`);
    await queue.sql(`CREATE UNLOGGED TABLE ${fake}.clock (at timestamptz NOT NULL)`);
    await queue.sql(`INSERT INTO ${fake}.clock VALUES ('epoch')`);
    await queue.sql(
      `CREATE FUNCTION ${fake}.now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM ${fake}.clock'`,
    );
    const client = new pg.Client({
      connectionString: queue.database.url,
      options: `-c search_path=${fake},pg_catalog -c synchronous_commit=off`,
    });
    await client.connect();
    await client.query(`LISTEN "${queue.name}.river_leadership"`);
    const election = new Election(client, queue, random === undefined ? () => 0.5 : () => random.next());
    election.#setTime(0);
    return election;
  }

  async close(): Promise<void> {
    for (const { clock } of this.candidates) clock.die();
    await this.settle();
    await this.#last;
    await this.#client.end();
  }

  get time(): number {
    return this.#time;
  }

  /** Adds a candidate, which begins at once. */
  add(id: string): Candidate {
    const clock = new FakeClock();
    clock.moveTo(this.#time);
    const observations: Observation[] = [];
    const sent: string[] = [];
    const context = this.#queue.context({
      clock,
      client_id: id,
      random: this.#random,
      observe: (observation) => observations.push(observation),
      pool: {
        query: async (statement: pg.QueryConfig) => await this.#query(candidate, statement),
      } as unknown as pg.Pool,
    });
    const elector = new Elector(context, () => undefined);
    const candidate: Candidate = { id, elector, clock, observations, sent, link: 'up', suspendedUntil: 0 };
    this.candidates.push(candidate);
    elector.start();
    return candidate;
  }

  /** Lets the answers go that slow links have held back. */
  async release(): Promise<void> {
    for (const answer of this.#held.splice(0)) answer();
    await this.settle();
  }

  /** Ends a candidate without a word, as SIGKILL does. */
  kill(candidate: Candidate): void {
    candidate.clock.die();
    candidate.link = 'silent';
    this.candidates.splice(this.candidates.indexOf(candidate), 1);
  }

  /** Who believes now that they lead. */
  get leaders(): readonly Candidate[] {
    return this.candidates.filter(({ elector }) => elector.term !== undefined);
  }

  /** Goes on for a span, from one timer to the next; `look` is called after each. */
  async run(ms: number, look: () => void = () => undefined): Promise<void> {
    const end = this.#time + ms;
    for (;;) {
      const awake = this.candidates.filter(({ suspendedUntil }) => suspendedUntil <= this.#time);
      const asleep = this.candidates.map(({ suspendedUntil }) => suspendedUntil).filter((until) => until > this.#time);
      const next = Math.min(end, ...awake.map(({ clock }) => Math.max(clock.nextAt, this.#time)), ...asleep);
      this.#setTime(next);
      await this.#fireAll(awake);
      look();
      if (next >= end) return;
    }
  }

  /** Waits until nothing is under way, and tells everybody what was notified. */
  async settle(): Promise<void> {
    do {
      await turn();
    } while (this.#pending > 0);
    await turn();
    for (const payload of this.#notified.splice(0)) this.tell(payload);
  }

  /** Tells every candidate what a notification says. */
  tell(payload: string): void {
    for (const { elector } of this.candidates) elector.heard(payload);
  }

  /** What the row says, or undefined when there is none. */
  async row(): Promise<{ readonly leader_id: string; readonly left_ms: number } | undefined> {
    const { rows } = await this.#ask({
      text: this.#queue.inSchema(
        'SELECT leader_id, extract(epoch FROM expires_at - now()) * 1000 AS left_ms FROM S.river_leader',
      ),
    });
    return rows[0] === undefined ? undefined : { leader_id: rows[0].leader_id, left_ms: Number(rows[0].left_ms) };
  }

  /** Every clock shows the same time; which timer fires first among equals is the order of the candidates. */
  async #fireAll(candidates: readonly Candidate[]): Promise<void> {
    do {
      await this.settle();
    } while (candidates.some(({ clock }) => clock.fireOne()));
  }

  #setTime(time: number): void {
    this.#time = time;
    for (const { clock } of this.candidates) clock.moveTo(time);
    const text = new Date(epoch + time).toISOString().replace('Z', `${microseconds}Z`);
    void this.#ask({ text: 'UPDATE clock SET at = $1', values: [text] });
  }

  /** One after the other: what is asked sees the time that was set before. */
  async #ask(config: pg.QueryConfig): Promise<pg.QueryResult> {
    const asked = this.#last.then(async () => await this.#client.query(config));
    this.#last = asked;
    return await asked;
  }

  async #query(candidate: Candidate, statement: pg.QueryConfig): Promise<pg.QueryResult> {
    candidate.sent.push(statement.name?.replace(/^rowlock_[0-9a-f]+_/, '') ?? '');
    if (candidate.link === 'refused') throw new Error('The connection was refused');
    if (candidate.link === 'silent') return await new Promise(() => undefined);
    const { link } = candidate;
    let held: pg.QueryResult;
    this.#pending += 1;
    try {
      const result = await this.#ask(statement);
      if (link === 'up') return result;
      held = result;
    } finally {
      this.#pending -= 1;
    }
    return await new Promise((resolve) => {
      if (link === 'slow') this.#held.push(() => resolve(held));
    });
  }
}

/** A term that lasts until it is ended. */
export function endlessTerm(): Term {
  return new Term(systemClock, { client_id: 'client', elected_at: '' }, Number.POSITIVE_INFINITY);
}

/** The surroundings of a duty on a test's own pool. */
export function dutyContext(queue: QueueSchema, over: Partial<DutyContext> = {}): DutyContext {
  return { ...queue.context(), term: endlessTerm(), ...over };
}
