import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { Client } from '../client/client.ts';
import { QueueDatabase } from '../queue-fixture.test.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

test('a role needs rights on four tables, one sequence and one function to insert and work jobs, and no more', async () => {
  const queue = await database.schema();
  const role = `queue_worker_${process.pid}`;
  await queue.sql(`CREATE ROLE ${role} NOLOGIN`);
  await queue.sql(`GRANT USAGE ON SCHEMA ${queue.schema.quoted} TO ${role}`);
  await queue.sql(
    `GRANT SELECT, INSERT, UPDATE, DELETE ON S.river_job, S.river_queue, S.rowlock_worker_lease TO ${role}`,
  );
  await queue.sql(`GRANT SELECT ON S.river_leader TO ${role}`);
  await queue.sql(`GRANT USAGE ON SEQUENCE S.river_job_id_seq TO ${role}`);
  await queue.sql(`GRANT EXECUTE ON FUNCTION S.rowlock_wake_queue TO ${role}`);
  await queue.sql(
    `INSERT INTO S.rowlock_worker_lease VALUES ('dead', gen_random_uuid(), '{default}', '{}', false, 'epoch')`,
  );
  const url = new URL(database.url);
  url.searchParams.set('options', `-c role=${role}`);
  const pool = new pg.Pool({ connectionString: url.href, max: 3 });
  pool.on('error', () => undefined); // its database is dropped while a connection closes
  const client = new Client({ database: pool, schema: queue.name });
  const { id } = (await client.insert({ kind: 'work', args: {} })).job;
  const failing = (await client.insert({ kind: 'other', args: {} })).job;
  await queue.insert({ kind: 'later', scheduledAt: new Date(Date.now() + 60_000) });
  await queue.sql(`UPDATE S.river_job SET scheduled_at = now() WHERE kind = 'later'`);
  const { worker, seen, observations } = queue.worker({
    database: pool,
    random: () => 0.01,
    handlers: { work: { perform: () => undefined } },
  });

  await worker.start();
  await seen('job_settled', (one) => one.id === id);
  await seen('job_settled', (one) => one.id === failing.id);
  await seen('jobs_scheduled');
  await worker.stop();
  await pool.end();

  assert.deepEqual(
    observations.filter(({ event }) => event === 'task_failed'),
    [],
  );
  await queue.sql(`DROP OWNED BY ${role}`);
  await queue.sql(`DROP ROLE ${role}`);
});
