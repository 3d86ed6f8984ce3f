import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  createEmptyDatabase,
  type EmptyDatabase,
  type FaultProxy,
  startFaultProxy,
  until,
} from '@rowlock/test-harness';
import { OwnPool } from './own-pool.ts';

let database: EmptyDatabase;
let proxy: FaultProxy;
before(async () => {
  database = await createEmptyDatabase({ prefix: 'own_pool' });
  proxy = await startFaultProxy({ url: database.url });
});
after(async () => {
  await proxy.close();
  await database.drop();
});

test('a pool ends although its connections are silent, idle ones and one that waits for an answer', async () => {
  const { pool, own } = opened();
  await Promise.all([pool.query('SELECT pg_sleep(0.05)'), pool.query('SELECT pg_sleep(0.05)')]);
  const { connections } = proxy.freeze({ direction: 'both' });
  let isEnded = false;
  let hasFailed = false;
  void pool.query('SELECT 1').catch(() => {
    hasFailed = true;
  });
  await until(() => pool.idleCount === 1, { what: 'it is sent' });

  void own.end().then(() => {
    isEnded = true;
  });

  await until(() => isEnded, { timeoutMs: 5000, what: 'the pool has ended' });
  await until(() => hasFailed, { timeoutMs: 5000, what: 'whoever waited is told' });
  assert.equal(connections.length, 2);
});

test('a pool ends although the server has accepted a connection and says nothing to it', async () => {
  const { pool, own } = opened();
  proxy.mute();
  let hasFailed = false;
  void pool.query('SELECT 1').catch(() => {
    hasFailed = true;
  });
  await until(() => pool.totalCount === 1, { what: 'it connects' });

  await own.end();
  await until(() => hasFailed, { timeoutMs: 5000, what: 'whoever waited is told' });

  assert.equal(pool.totalCount, 0);
  await proxy.restore();
});

test('a pool that was ended can be ended again', async () => {
  const { pool, own } = opened();
  await pool.query('SELECT 1');

  await Promise.all([own.end(), own.end()]);

  await assert.rejects(pool.query('SELECT 1'), /after calling end/);
});

test('a connection that breaks while nobody uses it is told, and replaced when it is needed', async () => {
  const failures: Error[] = [];
  const own = new OwnPool({ connectionString: proxy.through(database.url), max: 1 }, (error) => failures.push(error));
  await own.pool.query('SELECT 1');

  await proxy.cut();
  await until(() => failures.length > 0, { what: 'the failure is told' });
  await proxy.restore();

  assert.equal((await own.pool.query('SELECT 1 AS one')).rows[0]?.one, 1);
  await own.end();
});

function opened(): { readonly own: OwnPool; readonly pool: OwnPool['pool'] } {
  const own = new OwnPool({ connectionString: proxy.through(database.url), max: 2 }, () => undefined);
  return { own, pool: own.pool };
}
