import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { createMigratedDatabase, type MigratedDatabase, until } from '@rowlock/test-harness';
import { Backends } from '../backend/backends.ts';
import { openDiskBackend } from '../backend/disk/disk-backend.ts';
import { Database, type Statement, type StatementRunner } from '../metadata/database.ts';
import { Placement } from './placement.ts';

const credentials = { access_key_id: 'k', secret_access_key: 'a-secret-of-thirty-two-characters' };

let database: MigratedDatabase;
let db: Database;
let root: string;
let backends: Backends;
/** What the placement takes for the time, in milliseconds. */
let nowMs = 0;

const open = (name: string) =>
  openDiskBackend({ name, root: path.join(root, name), bucket: name, endpoint: 'http://x', region: 'r', credentials });
const place = (bucket: string, backend: string | null): Promise<unknown> =>
  database.query('SELECT storage.set_bucket_backend($1, $2)', [bucket, backend]);

before(async () => {
  database = await createMigratedDatabase();
  root = await mkdtemp(path.join(tmpdir(), 'rowlock-placement-'));
  db = new Database({
    url: database.apiUrl,
    connectionsMax: 2,
    statementTimeoutMs: 5000,
    applicationName: 'placement',
  });
  backends = new Backends(await open('near'), await open('far'));
  await database.query("INSERT INTO storage.buckets (id) VALUES ('aaa'), ('bbb')");
});
after(async () => {
  await db.close();
  await database.drop();
  await rm(root, { recursive: true, force: true });
});
beforeEach(async () => {
  nowMs = 0;
  await place('aaa', 'far');
  await place('bbb', null);
});

test('new bytes of a bucket go to the backend that it names, and all others to the first one', async () => {
  const placement = new Placement(db, backends, () => nowMs);

  const names = await Promise.all(
    ['aaa', 'bbb', 'missing'].map(async (bucket) => (await placement.backendFor(bucket)).name),
  );

  assert.deepEqual(names, ['far', 'near', 'near']);
});

test('what a bucket says is known to the others a few seconds later, and nobody waits for it', async () => {
  let asked = 0;
  const counting: StatementRunner = {
    mayLag: false,
    run: (statement: Statement, values) => {
      asked += 1;
      return db.run(statement, values);
    },
  };
  const placement = new Placement(counting, backends, () => nowMs);
  await placement.backendFor('bbb');
  await place('bbb', 'far');

  const [soon, again] = [await placement.backendFor('bbb'), await placement.backendFor('bbb')];
  const askedSoon = asked;
  nowMs = 6000;
  const later = async (): Promise<boolean> => (await placement.backendFor('bbb')).name === 'far';

  assert.deepEqual([soon.name, again.name, askedSoon], ['near', 'near', 1]);
  await until(later, { what: 'the new place is known' });
  assert.equal(asked, 2);
});

test('a bucket that names a backend which is not here is refused, and the others go on', async () => {
  await place('aaa', 'elsewhere');
  const placement = new Placement(db, backends, () => nowMs);

  await assert.rejects(placement.backendFor('aaa'), { reason: 'unavailable' });
  assert.equal((await placement.backendFor('bbb')).name, 'near');
});

test('while the database is away what was known is used, and without it nothing is guessed', async () => {
  let isAway = false;
  const failing: StatementRunner = {
    mayLag: false,
    run: async (statement, values) => {
      if (isAway) throw new Error('away');
      return await db.run(statement, values);
    },
  };
  const placement = new Placement(failing, backends, () => nowMs);
  await placement.backendFor('aaa');
  isAway = true;
  nowMs = 60_000;

  const known = await placement.backendFor('aaa');
  const unknown = new Placement(failing, backends, () => nowMs).backendFor('aaa');

  assert.equal(known.name, 'far');
  await assert.rejects(unknown, { message: 'away' });
});

test('two backends of one name are refused, and a name that nobody has is told to operators only', async () => {
  const again = await open('near');

  assert.throws(() => new Backends(backends.default, again), /same name: near, near/);
  assert.throws(
    () => backends.of('other'),
    (error: Error) => !error.message.includes('other') && String(error.cause).includes('"other" among near, far'),
  );
});
