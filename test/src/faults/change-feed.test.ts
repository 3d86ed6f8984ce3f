/**
 * The guarantee of the change feed: whatever writers, rollbacks, long transactions and killed servers do, a reader that
 * resumes where it was loses no change, is shown none before its commit, and none that its caller may not read.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Change } from '@rowlock/client/contract';
import { seededRandom, signToken, until } from '@rowlock/test-harness';
import pg from 'pg';
import { EventReader } from '../service/event-source.ts';
import { type ChildService, childService } from './child-service.ts';

/** Kills; to start a process again is what takes the time here. */
const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const writers = 6;
const transactions = 16 * rounds;

let service: ChildService;

before(async () => {
  service = await childService();
  await service.database.query('ALTER TABLE storage.objects DISABLE TRIGGER objects_10_reference');
  await service.database.query(
    "INSERT INTO storage.buckets (id, owner_id, policy) VALUES ('vault', 'bertha', 'private'), ('plaza', 'bertha', 'public')",
  );
});
after(() => service.stop());

/** What was really done, in the order of commits of each writer. */
interface Deed {
  readonly object_id: string;
  readonly revision: number;
  readonly bucket: string;
}

interface Outcome {
  readonly committed: Deed[];
  readonly undone: Deed[];
}

/** Writes, overwrites, moves and deletes in transactions of every length; some are rolled back. */
async function write(number: number, seed: number, outcome: Outcome): Promise<void> {
  const random = seededRandom(seed);
  const client = new pg.Client({ connectionString: service.database.url });
  await client.connect();
  await client.query(`SELECT set_config('request.jwt.claims', '{"sub":"writer-${number}"}', false)`);
  for (let turn = 0; turn < transactions; turn += 1) {
    const deeds: Deed[] = [];
    await client.query('BEGIN');
    for (let step = 1 + random.integer(4); step > 0; step -= 1) {
      deeds.push(...(await change(client, number, random.integer(10))));
      if (random.integer(10) === 0) await client.query('SELECT pg_sleep(0.08)');
    }
    const undo = random.integer(4) === 0;
    await client.query(undo ? 'ROLLBACK' : 'COMMIT');
    (undo ? outcome.undone : outcome.committed).push(...deeds);
  }
  await client.end();
}

const names = ['a', 'b', 'c'];

async function change(client: pg.Client, number: number, choice: number): Promise<Deed[]> {
  const name = `${number}/${names[choice % names.length]}`;
  const bucket = choice % 2 === 0 ? 'vault' : 'plaza';
  if (choice === 9) {
    const { rows } = await client.query<Deed>(
      'DELETE FROM storage.objects WHERE name = $1 RETURNING id AS object_id, revision + 1 AS revision, bucket_id AS bucket',
      [name],
    );
    return rows;
  }
  if (choice === 8) {
    const { rows } = await client.query<Deed>(
      `UPDATE storage.objects SET name = name || '.moved' WHERE bucket_id = $2 AND name = $1
         AND NOT EXISTS (SELECT FROM storage.objects WHERE bucket_id = $2 AND name = $1 || '.moved')
       RETURNING id AS object_id, revision, bucket_id AS bucket`,
      [name, bucket],
    );
    return rows;
  }
  const version = randomUUID();
  await client.query(
    `INSERT INTO storage.versions (id, backend, key, state, size, content_type, stored_at)
     VALUES ($1, 'nowhere', concat('objects/', $1::uuid), 'stored', 10, 'text/plain', now())`,
    [version],
  );
  const { rows } = await client.query<Deed>(
    `INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ($1, $2, $3)
     ON CONFLICT (bucket_id, name) DO UPDATE SET version_id = excluded.version_id
     RETURNING id AS object_id, revision, bucket_id AS bucket`,
    [bucket, name, version],
  );
  return rows;
}

/** Follows the feed through every kill, and keeps all that it was ever told, with what was committed then. */
class Follower {
  readonly told: Change[] = [];
  readonly #token: Promise<string>;
  #reader: EventReader | undefined;
  #lastId: string;
  #isDone = false;

  constructor(claims: Readonly<Record<string, unknown>>, lastId: string) {
    this.#token = signToken(claims);
    this.#lastId = lastId;
  }

  async run(): Promise<void> {
    while (!this.#isDone) {
      const headers = { authorization: `Bearer ${await this.#token}`, 'last-event-id': this.#lastId };
      const answer = await until(async () => (this.#isDone ? 'done' : connect(headers)), {
        timeoutMs: 60_000,
        what: 'it can be followed',
      });
      if (answer === 'done') return;
      const reader = new EventReader(answer);
      this.#reader = reader;
      await reader.ended;
      this.#take(reader);
    }
  }

  /** Everything so far, also of the stream that is open. */
  get all(): readonly Change[] {
    return [...this.told, ...(this.#reader?.changes ?? [])];
  }

  finish(): void {
    this.#isDone = true;
  }

  #take(reader: EventReader): void {
    this.told.push(...reader.changes);
    this.#lastId = reader.lastId === '' ? this.#lastId : reader.lastId;
    this.#reader = undefined;
  }
}

async function connect(headers: Readonly<Record<string, string>>): Promise<Response | undefined> {
  const answer = await fetch(`${service.url}/storage/v1/changes/stream`, { headers }).catch(() => undefined);
  if (answer?.status === 200) return answer;
  await answer?.body?.cancel();
  return undefined;
}

const keyOf = ({ object_id, revision }: { readonly object_id: string | null; readonly revision: unknown }): string =>
  `${object_id} ${Number(revision)}`;

test('a reader that resumes is told of every change once it is committed, and of nothing else', async (t) => {
  const { seed } = seededRandom();
  t.diagnostic(`ROWLOCK_TEST_SEED=${seed}`);
  await service.start();
  const first = await fetch(`${service.url}/storage/v1/changes`, {
    headers: { authorization: `Bearer ${await signToken({ role: 'service_role' })}` },
  });
  const { cursor } = (await first.json()) as { readonly cursor: string };
  const everything = new Follower({ role: 'service_role' }, cursor);
  const stranger = new Follower({ role: 'authenticated', sub: 'mallory' }, cursor);
  const following = [everything.run(), stranger.run()];
  const outcome: Outcome = { committed: [], undone: [] };

  const writing = Promise.all(Array.from({ length: writers }, (_, n) => write(n, seed + n, outcome)));
  for (let kill = 0; kill < rounds; kill += 1) {
    const before = everything.all.length;
    await until(() => everything.all.length > before || outcome.committed.length > 0, { what: 'something is told' });
    await service.start(); // ends the one before with SIGKILL
  }
  await writing;
  const wanted = new Set(outcome.committed.map(keyOf));
  const told = (): ReadonlySet<string> => new Set(everything.all.map(keyOf));
  await until(() => [...wanted].every((key) => told().has(key)), {
    timeoutMs: 30_000,
    what: 'every committed change is told',
  });
  everything.finish();
  stranger.finish();
  await service.kill();
  await Promise.all(following);

  const untrue = everything.told.filter((change) => !wanted.has(keyOf(change)));
  const undone = new Set(outcome.undone.map(keyOf));
  assert.deepEqual(untrue, [], 'nothing is told that was not committed');
  assert.ok(undone.size > 0 && outcome.committed.length > 50, 'a control: enough was done and undone');
  const hidden = stranger.told.filter(({ bucket }) => bucket !== 'plaza');
  assert.deepEqual(hidden, [], 'the stranger is told of what is public only');
  assert.ok(stranger.told.length > 0, 'a control: of that they are told');
  await assertRebuilt(everything.told);
});

/** A consumer that drops lower revisions ends with what is there. */
async function assertRebuilt(told: readonly Change[]): Promise<void> {
  const latest = new Map<string, Change>();
  for (const change of told) {
    const known = latest.get(change.object_id ?? '');
    if (Number(change.revision) >= Number(known?.revision ?? 0)) latest.set(change.object_id ?? '', change);
  }
  const rebuilt = [...latest.values()]
    .filter(({ type }) => type !== 'storage.object.deleted')
    .map(({ object_id, bucket, path, revision }) => `${object_id} ${bucket}/${path} ${revision}`);
  const rows = await service.database.query<{ line: string }>(
    "SELECT concat(id, ' ', bucket_id, '/', name, ' ', revision) AS line FROM storage.objects",
  );
  assert.deepEqual(rebuilt.sort(), rows.map(({ line }) => line).sort());
}
