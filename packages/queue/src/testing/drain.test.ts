import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { JobCancel, JobSnooze } from '../job-verdicts.ts';
import { QueueDatabase } from '../queue-fixture.test.ts';
import { drain } from './drain.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

const inAnHour = new Date(Date.now() + 3_600_000);

test('draining works what is available, in order, and says what became of each', async () => {
  const queue = await database.schema();
  const third = await queue.insert({ args: 3 });
  const second = await queue.insert({ args: 2, priority: 1, queue: 'a' });
  const first = await queue.insert({ args: 1, queue: 'a' });
  await queue.sql(`UPDATE S.river_job SET priority = 2 WHERE id = $1`, [second.id]);
  await queue.insert({ args: 4, scheduledAt: inAnHour });
  const performed: unknown[] = [];

  const drained = await drain(queue.pool, {
    schema: queue.name,
    handlers: {
      work: {
        perform: ({ args }, { recordOutput }) => {
          performed.push(args);
          recordOutput(args);
          if (args === 2) throw new JobCancel('two');
          if (args === 3) throw new Error('three');
        },
      },
    },
  });

  assert.deepEqual(performed, [1, 2, 3]);
  assert.deepEqual(
    drained.map(({ job, outcome, state, error }) => [job.id, outcome, state, error === undefined ? '' : String(error)]),
    [
      [first.id, 'completed', 'completed', ''],
      [second.id, 'cancelled', 'cancelled', 'JobCancel: two'],
      [third.id, 'failed', 'available', 'Error: three'],
    ],
  );
  assert.deepEqual((await queue.job(first.id)).metadata, { output: 1 });
});

test('draining to a later time works what is due by then, retries and snoozed jobs too', async () => {
  const queue = await database.schema();
  const job = await queue.insert({ scheduledAt: inAnHour, maxAttempts: 2 });
  await queue.insert({ scheduledAt: new Date(inAnHour.getTime() + 60_000) });
  let runs = 0;

  const drained = await drain(queue.pool, {
    schema: queue.name,
    now: inAnHour,
    handlers: {
      work: {
        perform: () => {
          runs += 1;
          if (runs === 1) throw new JobSnooze(60_000);
          throw new Error('no');
        },
      },
    },
  });

  assert.deepEqual(
    drained.map(({ outcome, state, job: { id, attempt } }) => [id, attempt, outcome, state]),
    [
      [job.id, 1, 'snoozed', 'scheduled'],
      [job.id, 1, 'failed', 'available'],
      [job.id, 2, 'failed', 'discarded'],
    ],
  );
});

test('only the queues that are named are drained', async () => {
  const queue = await database.schema();
  await queue.insert({ queue: 'a' });
  const { id } = await queue.insert({ queue: 'b' });

  const drained = await drain(queue.pool, {
    schema: queue.name,
    queues: ['b'],
    handlers: { work: { perform: () => undefined } },
  });

  assert.deepEqual(
    drained.map(({ job }) => job.id),
    [id],
  );
});

test('jobs of a transaction are worked inside of it, and go with it', async () => {
  const queue = await database.schema();
  const client = await database.pool.connect();
  await client.query('BEGIN');
  const values = `('work', '{}', 1), ('other', '{}', 1)`;
  await client.query(queue.inSchema(`INSERT INTO S.river_job (kind, args, max_attempts) VALUES ${values}`));

  const drained = await drain(client, {
    schema: queue.name,
    handlers: { work: { perform: async (_job, { completeTx }) => void (await completeTx(client)) } },
  });
  await client.query('ROLLBACK');
  client.release();

  assert.deepEqual(
    drained.map(({ outcome, state }) => [outcome, state]),
    [
      ['completed', 'completed'],
      ['failed', 'discarded'],
    ],
  );
  assert.deepEqual(await queue.sql('SELECT FROM S.river_job'), []);
});

test('jobs that never end are noticed', async () => {
  const queue = await database.schema();
  await queue.insert();
  let runs = 0;
  const handlers = {
    work: {
      perform: (): never => {
        runs += 1;
        throw new JobSnooze(0);
      },
    },
  };

  const draining = drain(queue.pool, { schema: queue.name, handlers, attemptsMax: 5 });

  await assert.rejects(draining, { reason: 'invalid_option', message: 'There are still jobs after 5 attempts' });
  assert.equal(runs, 5);
});
