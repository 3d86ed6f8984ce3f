import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Job } from '../job.ts';
import { JobCancel, JobSnooze } from '../job-verdicts.ts';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import type { PerformContext } from './job-handler.ts';
import { Latch } from './latch.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

/** Makes attempts at one job until it has ended for good, each at once after the other. */
async function work(
  queue: QueueSchema,
  perform: (job: Job, context: PerformContext) => unknown,
): Promise<Awaited<ReturnType<QueueSchema['job']>>> {
  const { id } = await queue.insert({ maxAttempts: 5 });
  const { worker, seen } = queue.worker({
    handlers: { work: { perform: async (job, context) => await perform(job, context), nextRetry: () => 0 } },
  });
  await worker.start();
  await seen('job_settled', (one) => one.id === id && ['completed', 'cancelled', 'discarded'].includes(one.state));
  await worker.stop();
  return await queue.job(id);
}

test('what an attempt records is written with every outcome', async () => {
  const queue = await database.schema();

  const job = await work(queue, ({ attempt, metadata }, { recordOutput, mergeMetadata, log }) => {
    mergeMetadata({ [`attempt_${attempt}`]: 'snoozes' in metadata });
    recordOutput({ attempt });
    log(`attempt ${attempt}`);
    if (attempt === 1 && !('snoozes' in metadata)) throw new JobSnooze(0);
    if (attempt === 1) throw new Error('no');
    if (attempt === 3) throw new JobCancel('enough');
    throw new Error('again');
  });

  assert.equal(job.state, 'cancelled');
  assert.deepEqual(job.metadata, {
    attempt_1: true,
    attempt_2: true,
    attempt_3: true,
    snoozes: 1,
    output: { attempt: 3 },
    'river:log': [1, 1, 2, 3].map((attempt) => ({ attempt, log: `attempt ${attempt}\n` })),
  });
});

test('a job that succeeds keeps its output and its other metadata', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert({ metadata: { before: 1 } });
  const { worker, seen } = queue.worker({
    handlers: { work: { perform: (_job, { recordOutput }) => recordOutput(['\u0000', { deep: true }]) } },
  });

  await worker.start();
  await seen('job_settled');
  await worker.stop();

  const { state, metadata } = await queue.job(id);
  assert.equal(state, 'completed');
  assert.deepEqual(metadata, { before: 1, output: ['\uFFFD', { deep: true }] });
});

test('output that is nested deeper than PostgreSQL reads is left out, and the job ends all the same', async () => {
  const queue = await database.schema();
  let output: unknown = 'core';
  for (let depth = 0; depth < 4000; depth += 1) output = [output];
  const url = new URL(database.url);
  url.searchParams.set('options', '-c max_stack_depth=100kB');
  const { id } = await queue.insert();
  const { worker, seen } = queue.worker({
    database: url.href,
    handlers: { work: { perform: (_job, { recordOutput }) => recordOutput(output) } },
  });

  await worker.start();
  await seen('task_failed', ({ error }) => (error as { code?: string }).code === '54001');
  await seen('job_settled');
  await worker.stop();

  const { state, metadata } = await queue.job(id);
  assert.equal(state, 'completed');
  assert.deepEqual(metadata, {});
});

test('megabytes of output are recorded in the time that a statement has', async () => {
  const queue = await database.schema();
  const output = '"'.repeat(15 * 1024 * 1024); // twice that as JSON, and four times in a list of PostgreSQL
  const { id } = await queue.insert();
  const { worker, seen, observations } = queue.worker({
    handlers: { work: { perform: (_job, { recordOutput }) => recordOutput(output) } },
  });

  await worker.start();
  await seen('job_settled');
  await worker.stop();

  const [row] = await queue.sql(`SELECT length(metadata ->> 'output') AS length FROM S.river_job WHERE id = $1`, [id]);
  assert.equal(row?.['length'], output.length);
  assert.deepEqual(
    observations.filter(({ event }) => event === 'task_failed'),
    [],
  );
});

test('steps that were completed are not repeated by the next attempt, and a cursor is found again', async () => {
  const queue = await database.schema();
  const ran: string[] = [];

  const job = await work(queue, async ({ attempt, metadata }, { step }) => {
    await step('fetch', () => ran.push('fetch'));
    await step('rows', ({ cursor, setCursor }) => {
      for (let row = Number(cursor ?? 0); row < 4; row += 1) {
        if (row === 2 && attempt === 1) throw 'snoozes' in metadata ? new Error('no') : new JobSnooze(0);
        ran.push(`row ${row}`);
        setCursor(row + 1);
      }
    });
    await step('tell', () => ran.push('tell'));
  });

  assert.equal(job.state, 'completed');
  assert.deepEqual(ran, ['fetch', 'row 0', 'row 1', 'row 2', 'row 3', 'tell']);
  assert.deepEqual(job.metadata, { snoozes: 1, 'river:resumable_step': null, 'river:resumable_cursor': null });
});

test('a handler that goes on after a failed step fails all the same', async () => {
  const queue = await database.schema();

  const job = await work(queue, async (_job, { step }) => {
    await step('broken', () => Promise.reject(new Error('the step'))).catch(() => 'ignored');
  });

  assert.equal(job.state, 'discarded');
  assert.equal(job.errors.at(-1)?.error, 'the step');
});

test('a checkpoint is there if and only if its transaction commits, without an end of the attempt', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const [written, mayEnd] = [new Latch(), new Latch()];
  const { worker, seen } = queue.worker({
    handlers: {
      work: {
        perform: async (_job, { step }) => {
          await step('one', async ({ checkpointTx }) => {
            const client = await database.pool.connect();
            for (const [cursor, end] of [
              [1, 'ROLLBACK'],
              [2, 'COMMIT'],
            ] as const) {
              await client.query('BEGIN');
              await checkpointTx(client, { cursor });
              await client.query(end);
            }
            client.release();
            written.open();
            await mayEnd.opened;
          });
        },
      },
    },
  });

  await worker.start();
  await written.opened;
  const during = await queue.job(id);
  mayEnd.open();
  await seen('job_settled');
  await worker.stop();

  assert.equal(during.state, 'running');
  assert.deepEqual(during.metadata, { 'river:resumable_step': 'one', 'river:resumable_cursor': { one: 2 } });
  assert.equal((await queue.job(id)).metadata['river:resumable_step'], null);
});

test('a job that is completed in a transaction of its handler is completed if and only if that commits', async () => {
  const queue = await database.schema();
  await queue.sql('CREATE TABLE S.effects (id bigint, attempt int)');
  const states: string[] = [];

  const job = await work(queue, async ({ id, attempt }, { completeTx, recordOutput }) => {
    recordOutput(attempt);
    const client = await database.pool.connect();
    await client.query('BEGIN');
    await client.query(queue.inSchema('INSERT INTO S.effects VALUES ($1, $2)'), [id, attempt]);
    states.push((await completeTx(client)).state);
    await client.query(attempt === 1 ? 'ROLLBACK' : 'COMMIT');
    client.release();
    throw new Error('after it');
  });

  assert.deepEqual(states, ['completed', 'completed']);
  assert.equal(job.state, 'completed');
  assert.equal(job.attempt, 2);
  assert.equal(job.errors.length, 1);
  assert.deepEqual(job.metadata, { output: 2 });
  assert.deepEqual(await queue.sql('SELECT attempt FROM S.effects'), [{ attempt: 2 }]);
});

test('the executor settles what was completed in a transaction, and does not call it lost', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const { worker, seen, observations } = queue.worker({
    handlers: {
      work: {
        perform: async (_job, { completeTx }) => {
          const client = await database.pool.connect();
          await completeTx(client);
          client.release();
        },
      },
    },
  });

  await worker.start();
  await seen('job_settled', (one) => one.id === id && one.state === 'completed');
  await worker.stop();

  assert.equal(
    observations.some(({ event }) => event === 'job_lost'),
    false,
  );
});

test('an attempt that was taken over can neither complete its job nor write a checkpoint', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const refused: unknown[] = [];
  const { worker, seen } = queue.worker({
    handlers: {
      work: {
        perform: async (job, { completeTx, step }) => {
          await queue.sql(`UPDATE S.river_job SET attempted_by = '{somebody}' WHERE id = $1`, [job.id]);
          const client = await database.pool.connect();
          await completeTx(client).catch((error: unknown) => refused.push(error));
          await queue.sql(`UPDATE S.river_job SET attempted_by = $2, attempt = 2 WHERE id = $1`, [
            job.id,
            [worker.clientId],
          ]);
          await completeTx(client).catch((error: unknown) => refused.push(error));
          await step('one', async ({ checkpointTx }) => {
            await checkpointTx(client).catch((error: unknown) => refused.push(error));
          });
          client.release();
        },
      },
    },
  });

  await worker.start();
  await seen('job_lost');
  await worker.stop();

  assert.deepEqual(
    refused.map((error) => (error as { reason: string }).reason),
    ['job_not_running', 'job_not_running', 'job_not_running'],
  );
  assert.equal((await queue.job(id)).state, 'running');
});

test('a job that somebody ended while it ran stays as they left it, whatever its handler does', async () => {
  const queue = await database.schema();
  const kinds = { succeeds: () => 'done', fails: () => Promise.reject(new Error('no')) };
  const handlers = Object.entries(kinds).map(([kind, end]) => [
    kind,
    {
      perform: async (job: Job, { recordOutput }: PerformContext) => {
        recordOutput('too late');
        await queue.sql(`UPDATE S.river_job SET state = 'discarded', finalized_at = now() WHERE id = $1`, [job.id]);
        return await end();
      },
    },
  ]);
  const ids = [(await queue.insert({ kind: 'succeeds' })).id, (await queue.insert({ kind: 'fails' })).id];
  const { worker, seen } = queue.worker({ handlers: Object.fromEntries(handlers) });

  await worker.start();
  for (const id of ids) await seen('job_lost', (one) => one.id === id);
  await worker.stop();

  for (const id of ids) {
    const { state, errors, metadata } = await queue.job(id);
    assert.deepEqual({ state, errors, metadata }, { state: 'discarded', errors: [], metadata: {} });
  }
});
