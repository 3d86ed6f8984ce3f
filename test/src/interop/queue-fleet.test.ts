/** A fleet of both engines whose members come and go: it has one leader at a time, and nobody else believes to lead. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from '@rowlock/queue';
import { requires, seededRandom, until } from '@rowlock/test-harness';
import { type BesideGo, GoDatabase, versions } from './beside-go.ts';
import { leaderOf } from './fleet.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? '1');
const changes = 12 * rounds;

for (const version of versions) {
  describe(`a fleet that changes, beside River ${version}`, { skip: requires('go') }, () => {
    let database: GoDatabase;

    before(async () => {
      database = await GoDatabase.create();
    });
    after(async () => await database.drop());

    test(`one leads at a time while members come and go ${changes} times`, async () => {
      const random = seededRandom();
      const place = await database.place(version);
      const fleet = new Fleet(place);
      for (const name of ['go-1', 'go-2', 'ts-1', 'ts-2']) await fleet.add(name);
      const watching = new AbortController();
      const watched = fleet.watch(watching.signal);

      for (let change = 0; change < changes; change += 1) {
        await until(async () => (await leaderOf(place)) !== undefined, { what: 'somebody leads', timeoutMs: 25_000 });
        const isLeaderNext = random.integer(2) === 0;
        const leader = isLeaderNext ? await leaderOf(place) : undefined;
        await fleet.change(leader?.replace(/\.\d+$/, '') ?? random.pick(['go-1', 'go-2', 'ts-1', 'ts-2']));
      }
      watching.abort();
      await watched;

      assert.deepEqual(fleet.wrongs, []);
      const engines = new Set(fleet.terms.map(({ leader }) => leader.slice(0, 2)));
      assert.ok(engines.size === 2 || rounds === 1, 'both engines have led');
      assert.deepEqual(
        fleet.terms.map(({ elected_at }) => elected_at),
        fleet.terms.map(({ elected_at }) => elected_at).sort(),
        'terms follow each other',
      );
      assert.ok(fleet.terms.length > changes / 4, 'the lead has gone over often');
      await fleet.end();
    });
  });
}

/** Clients by name; each start has an id of its own. */
class Fleet {
  readonly wrongs: string[] = [];
  readonly terms: { readonly leader: string; readonly elected_at: string }[] = [];
  readonly #place: BesideGo;
  readonly #present = new Map<string, Worker | undefined>();
  /** Which of ours believe to lead. */
  readonly #believing = new Set<string>();
  #started = 0;

  constructor(place: BesideGo) {
    this.#place = place;
  }

  /** Stops a member and starts it again. */
  async change(name: string): Promise<void> {
    await this.#remove(name);
    await this.add(name);
  }

  async add(name: string): Promise<void> {
    this.#started += 1;
    const id = `${name}.${this.#started}`;
    const queue = name.replace('-', '_');
    if (name.startsWith('go')) {
      this.#present.set(name, undefined);
      await this.#place.startGo({ name, client_id: id, queues: { [queue]: 1 } });
      return;
    }
    const { url, schema } = this.#place;
    const worker = new Worker({
      database: url,
      schema,
      clientId: id,
      queues: { [queue]: { maxWorkers: 1 } },
      handlers: {},
      observe: ({ event }) => {
        if (event === 'leader_elected') this.#believing.add(id);
        if (event === 'leader_resigned' || event === 'leader_lost') this.#believing.delete(id);
      },
    });
    this.#present.set(name, worker);
    await worker.start();
  }

  /** Looks again and again who leads, and who believes to. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const before = [...this.#believing];
      const [row] = await this.#place.sql(
        'SELECT leader_id, elected_at::text FROM S.river_leader WHERE expires_at > clock_timestamp()',
      );
      const leader: string | undefined = row?.['leader_id'];
      const all = before.filter((each) => this.#believing.has(each));
      if (all.length > 1) this.wrongs.push(`${all.join(' and ')} believe to lead`);
      // Who resigns has no row any more, and says so a moment later.
      if (leader !== undefined && all.length > 0 && !all.includes(leader)) await this.#lookTwice(all);
      if (leader !== undefined && this.terms.at(-1)?.elected_at !== row?.['elected_at']) {
        this.terms.push({ leader, elected_at: row?.['elected_at'] });
      }
      await delay(20);
    }
  }

  async end(): Promise<void> {
    for (const name of this.#present.keys()) await this.#remove(name);
  }

  async #lookTwice(believers: readonly string[]): Promise<void> {
    const isRight = async (): Promise<boolean> => {
      const leader = await leaderOf(this.#place);
      return believers.every((each) => each === leader || !this.#believing.has(each));
    };
    try {
      await until(isRight, { what: 'who does not lead knows it', timeoutMs: 500 });
    } catch (error) {
      this.wrongs.push(`${believers.join(' and ')} believe to lead: ${String(error)}`);
    }
  }

  async #remove(name: string): Promise<void> {
    const worker = this.#present.get(name);
    if (worker === undefined) await this.#place.go.ask('stop', { name });
    else await worker.stop();
  }
}
