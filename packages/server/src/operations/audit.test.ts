import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createMigratedDatabase, type MigratedDatabase, startFaultProxy, until } from '@rowlock/test-harness';
import type { Observation } from '../domain/observation.ts';
import { Database } from '../metadata/database.ts';
import { type AuditEntry, AuditTrail } from './audit.ts';

let database: MigratedDatabase;
const seen: Observation[] = [];

before(async () => {
  database = await createMigratedDatabase();
});
beforeEach(() => {
  seen.length = 0;
});
after(() => database.drop());

function open(url: string): Database {
  return new Database({ url, connectionsMax: 1, statementTimeoutMs: 2000, applicationName: 'audit' });
}

const entry = (more: Partial<AuditEntry> = {}): AuditEntry => ({
  request_id: 'r',
  address: '192.0.2.1',
  role: 'anon',
  operation: 'GET /x',
  outcome: 'refused',
  reason: 'auth_required',
  ...more,
});

const sums = (): readonly [number, number] =>
  seen.reduce<readonly [number, number]>(
    ([written, dropped], each) =>
      each.type === 'audit' ? [written + each.written, dropped + each.dropped] : [written, dropped],
    [0, 0],
  );

const rows = (operation: string): Promise<Record<string, unknown>[]> =>
  database.query('SELECT * FROM storage.audit WHERE operation = $1 ORDER BY id', [operation]);

test('refusals that are alike become one entry that counts them, and signs stay one each', async () => {
  const db = open(database.apiUrl);
  const trail = new AuditTrail(db, (each) => void seen.push(each));

  for (let n = 0; n < 1000; n += 1) trail.tell(entry({ operation: 'alike', name: String(n) }));
  for (let n = 0; n < 3; n += 1) trail.tell(entry({ operation: 'sign', outcome: 'done', reason: undefined }));
  await trail.flush();
  await db.close();

  assert.deepEqual(
    (await rows('alike')).map(({ name, detail }) => [name, detail]),
    [['0', { times: 1000 }]],
  );
  assert.equal((await rows('sign')).length, 3);
  assert.deepEqual(sums(), [4, 0]);
});

test('what does not fit is dropped and counted, and waits for nobody', async () => {
  const db = open(database.apiUrl);
  const trail = new AuditTrail(db, (each) => void seen.push(each), { waitingMax: 10 });

  for (let n = 0; n < 25; n += 1) trail.tell(entry({ operation: 'many', subject: String(n) }));
  await trail.flush();
  await db.close();

  assert.equal((await rows('many')).length, 10);
  assert.deepEqual(sums(), [10, 15]);
});

test('a full batch is written at once, however long the first of it would wait', async () => {
  const db = open(database.apiUrl);
  const trail = new AuditTrail(db, (each) => void seen.push(each), { gatherMs: 60_000 });

  for (let n = 0; n < 1200; n += 1) {
    trail.tell(entry({ operation: 'full', outcome: 'done', reason: undefined, name: String(n) }));
  }
  await until(() => sums()[0] >= 1000, { what: 'both full batches are written' });
  const written = (await rows('full')).length;
  await trail.flush();
  await db.close();

  assert.equal(written, 1000, 'the rest waits for others');
  assert.deepEqual([(await rows('full')).length, sums()], [1200, [1200, 0]]);
});

test('what is dropped is reported with a batch, not one by one', async () => {
  const db = open(database.apiUrl);
  const trail = new AuditTrail(db, (each) => void seen.push(each), { waitingMax: 10 });

  for (let n = 0; n < 1000; n += 1) trail.tell(entry({ operation: 'dropped', subject: String(n) }));
  await trail.flush();
  await db.close();

  assert.deepEqual(sums(), [10, 990]);
  assert.equal(seen.length, 1);
});

test('entries wait for a database that is away, as far as there is room', async () => {
  const proxy = await startFaultProxy({ url: database.apiUrl });
  const db = open(proxy.through(database.apiUrl));
  const trail = new AuditTrail(db, (each) => void seen.push(each), { gatherMs: 60_000 });
  await proxy.cut();

  trail.tell(entry({ operation: 'away' }));
  await trail.flush();
  const whileAway = await rows('away');
  await proxy.restore();
  trail.tell(entry({ operation: 'away' }));
  await trail.flush();
  await db.close();
  await proxy.close();

  assert.deepEqual(whileAway, []);
  assert.deepEqual(
    (await rows('away')).map(({ detail }) => detail),
    [{ times: 2 }],
  );
});

test('a full batch does not hammer on a database that is away', async () => {
  const proxy = await startFaultProxy({ url: database.apiUrl });
  const db = open(proxy.through(database.apiUrl));
  const trail = new AuditTrail(db, (each) => void seen.push(each), { gatherMs: 60_000 });
  await proxy.cut();

  for (let n = 0; n < 600; n += 1) trail.tell(entry({ operation: 'hammer', subject: String(n) }));
  await trail.flush();
  const tries = seen.length;
  await proxy.restore();
  await trail.flush();
  await db.close();
  await proxy.close();

  assert.equal(tries, 2, 'the full batch, and the one that flush asks for');
  assert.deepEqual([(await rows('hammer')).length, sums()], [600, [600, 0]]);
  assert.equal(seen.length, 4);
});

test('text that PostgreSQL cannot keep does not keep the rest of a batch from being written', async () => {
  const db = open(database.apiUrl);
  const trail = new AuditTrail(db, (each) => void seen.push(each));

  trail.tell(entry({ operation: 'hostile', name: 'a\0b\ud800c\r\nd', subject: 'x'.repeat(100_000) }));
  trail.tell(entry({ operation: 'hostile', outcome: 'done', name: 'plain' }));
  await trail.flush();
  await db.close();

  assert.deepEqual(
    (await rows('hostile')).map(({ name }) => name),
    ['a\ufffdb\ufffdc\r\nd', 'plain'],
  );
});
