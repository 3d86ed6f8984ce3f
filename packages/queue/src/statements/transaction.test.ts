import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { QueueDatabase } from '../queue-fixture.test.ts';
import { inTransaction } from './transaction.ts';

let database: QueueDatabase;
let pool: pg.Pool;
before(async () => {
  database = await QueueDatabase.create();
  // As a user makes it: what goes wrong with idle connections is listened to, and nothing else.
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
  pool.on('error', () => undefined); // its database is dropped while a connection closes
  pool.on('error', () => undefined);
});
after(async () => {
  await pool.end();
  await database.drop();
});

test('a connection that is ended between two statements fails the transaction and not the process', async () => {
  const ended = async (client: pg.PoolClient): Promise<void> => {
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
    const gone = new Promise((resolve) => client.once('end', resolve));
    await database.pool.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    await gone;
  };

  await assert.rejects(
    inTransaction(pool, async (client) => {
      await ended(client);
      await client.query('SELECT 1');
    }),
  );

  assert.equal(await inTransaction(pool, async () => 'works'), 'works');
});

test('a connection goes back as it came: the next transaction has the same one, without a listener too many', async () => {
  const listeners = async (): Promise<readonly [number, number]> =>
    await inTransaction(pool, async (client) => {
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
      return [rows[0]?.pid, client.listenerCount('error')];
    });

  const first = await listeners();

  assert.deepEqual(await listeners(), first);
});
