import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '@rowlock/test-harness';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import type { Settlement } from '../statements/job-settle-many.ts';
import { Completer } from './completer.ts';
import type { Observation } from './observation.ts';
import { RunningJob } from './running-job.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

async function running(queue: QueueSchema, count: number): Promise<string[]> {
  const rows = await queue.sql(
    `INSERT INTO S.river_job (kind, args, max_attempts, state, attempt, attempted_by)
     SELECT 'work', '{}', 25, 'running', 1, '{client}' FROM generate_series(1, $1) RETURNING id`,
    [count],
  );
  return rows.map((row) => row['id']);
}

function result(id: string, over: Partial<Settlement> = {}): { running: RunningJob; settlement: Settlement } {
  const base = {
    id,
    attempt: 1,
    client_id: 'client',
    attempt_after: 1,
    delay_seconds: null,
    error: null,
    metadata: null,
  };
  const job = new RunningJob({ id, kind: 'work', queue: 'default', attempt: 1 });
  return { running: job, settlement: { ...base, state: 'completed', ...over } };
}

test('thousands of results are recorded in batches, each reported once', async () => {
  const queue = await database.schema();
  const ids = await running(queue, 6000);
  const settled: string[] = [];
  const completer = new Completer(queue.context(), ({ settlement }, state) => {
    if (state === 'completed') settled.push(settlement.id);
  });

  for (const id of ids) completer.add(result(id));
  const isDrained = await completer.drain(20_000);

  assert.equal(isDrained, true);
  assert.equal(completer.pending, 0);
  assert.deepEqual(settled.toSorted(), ids.toSorted());
  assert.equal((await queue.sql(`SELECT FROM S.river_job WHERE state = 'completed'`)).length, 6000);
});

test('results with large metadata go in several statements', async () => {
  const queue = await database.schema();
  const ids = await running(queue, 4);
  const metadata = `{"output": "${'x'.repeat(12 * 1024 * 1024)}"}`;
  const sent: unknown[] = [];
  const pool: typeof queue.pool = Object.create(queue.pool);
  pool.query = (async (...query: Parameters<typeof pool.query>) => {
    sent.push(query[0]);
    return await queue.pool.query(...query);
  }) as unknown as typeof pool.query;
  const completer = new Completer(queue.context({ pool }), () => undefined);

  for (const id of ids) completer.add(result(id, { metadata }));
  await completer.drain(20_000);

  assert.equal(sent.length, 2);
  assert.equal(
    (await queue.sql(`SELECT FROM S.river_job WHERE state = 'completed' AND metadata ? 'output'`)).length,
    4,
  );
});

test('one result that the database refuses does not hold up the others, and the job does not stay running', async () => {
  const queue = await database.schema();
  const [good, bad, other] = await running(queue, 3);
  const completer = new Completer(queue.context(), () => undefined);
  const retry = { state: 'retryable', delay_seconds: 60 } as const;

  completer.add(result(good ?? '', { ...retry, error: '{"error": "fine"}' }));
  completer.add(result(bad ?? '', { ...retry, error: '{"error": "\\u0000"}' }));
  completer.add(result(other ?? '', { state: 'completed', metadata: '{"output": 1}' }));
  await completer.drain(20_000);

  assert.equal((await queue.job(good ?? '')).errors[0]?.error, 'fine');
  const job = await queue.job(bad ?? '');
  assert.equal(job.state, 'retryable');
  assert.match(job.errors[0]?.error ?? '', /could not be recorded: SQLSTATE 22P05/);
  assert.deepEqual((await queue.job(other ?? '')).metadata, { output: 1 });
});

test('results whose batch was the victim of a deadlock are recorded one by one, which no lock can stop', async () => {
  const queue = await database.schema();
  const ids = await running(queue, 4);
  await queue.sql(`
    CREATE FUNCTION S.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (SELECT count(*) FROM written) > 1 THEN RAISE SQLSTATE '40P01'; END IF;
      RETURN NULL;
    END $$`);
  await queue.sql(`
    CREATE TRIGGER refuse AFTER UPDATE ON S.river_job REFERENCING NEW TABLE AS written
      FOR EACH STATEMENT EXECUTE FUNCTION S.refuse()`);
  const completer = new Completer(queue.context(), () => undefined);

  for (const [i, id] of ids.entries()) completer.add(result(id, { metadata: i % 2 === 0 ? null : '{"output": 1}' }));
  const isDrained = await completer.drain(20_000);

  assert.ok(isDrained);
  assert.equal((await queue.sql(`SELECT FROM S.river_job WHERE state = 'completed'`)).length, 4);
});

test('a result is tried again until the database takes it', async () => {
  const queue = await database.schema();
  const [id = ''] = await running(queue, 1);
  const failures: Observation[] = [];
  const observe = (observation: Observation): void => {
    failures.push(observation);
  };
  const completer = new Completer(queue.context({ observe }), () => undefined);
  await queue.sql('ALTER TABLE S.river_job RENAME TO river_job_away');

  completer.add(result(id));
  await until(() => failures.length >= 2, { what: 'two tries have failed' });
  await queue.sql('ALTER TABLE S.river_job_away RENAME TO river_job');
  await until(() => completer.pending === 0, { what: 'the result is recorded' });

  assert.equal((await queue.job(id)).state, 'completed');
});

test('what is given up is not tried again, so that a worker without its database ends', async () => {
  const queue = await database.schema();
  const [id = ''] = await running(queue, 1);
  const { clock } = queue.context();
  const timers = new Set<unknown>();
  const watched: typeof clock = Object.create(clock);
  watched.after = (ms, work) => {
    const timer = {};
    timers.add(timer);
    const cancel = clock.after(ms, () => {
      timers.delete(timer);
      work();
    });
    return () => {
      timers.delete(timer);
      cancel();
    };
  };
  const completer = new Completer(queue.context({ clock: watched }), () => undefined);
  await queue.sql('ALTER TABLE S.river_job RENAME TO river_job_away');

  completer.add(result(id));
  const isDrained = await completer.drain(300);
  completer.giveUp();
  completer.add(result(id));

  assert.equal(isDrained, false);
  await until(() => timers.size === 0, { what: 'no timer is left' });
  await queue.sql('ALTER TABLE S.river_job_away RENAME TO river_job');
  assert.equal((await queue.job(id)).state, 'running');
});

test('draining gives up when its time is over', async () => {
  const queue = await database.schema();
  const [id = ''] = await running(queue, 1);
  const other = await database.pool.connect();
  await other.query('BEGIN');
  await other.query(queue.inSchema('SELECT FROM S.river_job FOR UPDATE'));
  const completer = new Completer(queue.context(), () => undefined);

  completer.add(result(id));
  const isDrained = await completer.drain(50);
  await other.query('COMMIT');
  other.release();

  assert.equal(isDrained, false);
  assert.equal(await completer.drain(20_000), true);
});
