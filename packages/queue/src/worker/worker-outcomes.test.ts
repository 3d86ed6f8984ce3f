import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Job } from '../job.ts';
import { JobCancel, JobSnooze } from '../job-verdicts.ts';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

/** Performs one job to its settled end and returns its row. */
async function perform(
  queue: QueueSchema,
  handler: (job: Job, signal: AbortSignal) => unknown,
  insert: Parameters<QueueSchema['insert']>[0] = {},
): Promise<Awaited<ReturnType<QueueSchema['job']>>> {
  const { id } = await queue.insert(insert);
  const { worker, seen } = queue.worker({
    handlers: { work: { perform: (job, { signal }) => handler(job, signal) } },
  });
  await worker.start();
  await seen('job_settled', (one) => one.id === id);
  await worker.stop();
  return await queue.job(id);
}

test('a job whose handler returns is completed', async () => {
  const queue = await database.schema();

  const job = await perform(queue, () => 'anything');

  assert.equal(job.state, 'completed');
  assert.equal(job.attempt, 1);
  assert.notEqual(job.finalized_at, null);
  assert.deepEqual(job.errors, []);
});

test('the handler gets the job as it was inserted', async () => {
  const queue = await database.schema();
  const jobs: Job[] = [];

  await perform(queue, (job) => jobs.push(job), {
    args: { text: 'ä\u2028𝄞', list: [1, null] },
    priority: 2,
    maxAttempts: 3,
    tags: ['one', 'two_2'],
    metadata: { key: { nested: true } },
  });

  const [job] = jobs;
  assert.deepEqual(job?.args, { text: 'ä\u2028𝄞', list: [1, null] });
  assert.equal(job?.state, 'running');
  assert.equal(job?.attempt, 1);
  assert.equal(job?.max_attempts, 3);
  assert.equal(job?.priority, 2);
  assert.deepEqual(job?.tags, ['one', 'two_2']);
  assert.deepEqual(job?.metadata, { key: { nested: true } });
  assert.equal(job?.error_count, 0);
  assert.match(job?.attempted_at ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/);
});

test('a job that fails is tried again after about a second, and its error is kept with the trace', async () => {
  const queue = await database.schema();
  const before = Date.now();

  const job = await perform(queue, () => {
    throw new TypeError('no such file\u0000 \uD800');
  });

  assert.equal(job.state, 'available'); // due within five seconds
  assert.equal(job.attempt, 1);
  assert.equal(job.finalized_at, null);
  assert.ok(job.due_in > -5 && job.due_in <= 1.1, `due in ${job.due_in} s`);
  const [error] = job.errors;
  assert.equal(job.errors.length, 1);
  assert.equal(error?.error, 'no such file\uFFFD \uFFFD');
  assert.equal(error?.attempt, 1);
  assert.match(error?.trace ?? '', /^\s+at .*worker-outcomes\.test/);
  assert.ok(Date.parse(error?.at ?? '') >= before);
});

test('a job that fails for the third time waits as retryable for 81 seconds, give or take a tenth', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  await queue.sql(`UPDATE S.river_job SET attempt = 2, errors = ARRAY['{}', '{}']::jsonb[] WHERE id = $1`, [id]);
  const { worker, seen } = queue.worker({ handlers: { work: { perform: () => Promise.reject(new Error('no')) } } });

  await worker.start();
  await seen('job_settled');
  await worker.stop();

  const job = await queue.job(id);
  assert.equal(job.state, 'retryable');
  assert.ok(job.due_in > 62 && job.due_in <= 89.1, `due in ${job.due_in} s`);
});

test('a handler may say when its job is tried again', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const { worker, seen } = queue.worker({
    handlers: { work: { perform: () => Promise.reject(new Error('no')), nextRetry: () => 3_600_000 } },
  });

  await worker.start();
  await seen('job_settled');
  await worker.stop();

  const job = await queue.job(id);
  assert.equal(job.state, 'retryable');
  assert.ok(Math.abs(job.due_in - 3600) < 30, `due in ${job.due_in} s`);
});

test('a nextRetry that throws or is negative leaves the job to the default policy', async () => {
  const queue = await database.schema();
  const [thrown, negative] = [await queue.insert({ kind: 'throws' }), await queue.insert({ kind: 'negative' })];
  const perform = (): Promise<never> => Promise.reject(new Error('no'));
  const { worker, seen } = queue.worker({
    handlers: {
      throws: {
        perform,
        nextRetry: () => {
          throw new Error('broken');
        },
      },
      negative: { perform, nextRetry: () => -1 },
    },
  });

  await worker.start();
  await seen('job_settled', ({ id }) => id === thrown.id);
  await seen('job_settled', ({ id }) => id === negative.id);
  await worker.stop();

  for (const { id } of [thrown, negative]) assert.equal((await queue.job(id)).errors.length >= 1, true);
  await seen('task_failed', ({ task }) => task === 'next_retry of throws');
});

test('a job whose last attempt fails is discarded', async () => {
  const queue = await database.schema();

  const job = await perform(queue, () => Promise.reject('just a text'), { maxAttempts: 1 });

  assert.equal(job.state, 'discarded');
  assert.notEqual(job.finalized_at, null);
  assert.equal(job.errors[0]?.error, 'just a text');
  assert.equal(job.errors[0]?.trace, '');
});

test('a job that its handler cancels ends for good', async () => {
  const queue = await database.schema();

  const job = await perform(queue, () => {
    throw new JobCancel('the file is gone');
  });

  assert.equal(job.state, 'cancelled');
  assert.notEqual(job.finalized_at, null);
  assert.equal(job.errors[0]?.error, 'JobCancelError: the file is gone');
});

test('a job that is snoozed for long is scheduled, and the attempt does not count', async () => {
  const queue = await database.schema();

  const job = await perform(
    queue,
    () => {
      throw new JobSnooze(60_000);
    },
    { metadata: { snoozes: '2', mine: true } },
  );

  assert.equal(job.state, 'scheduled');
  assert.equal(job.attempt, 0);
  assert.deepEqual(job.metadata, { snoozes: 3, mine: true });
  assert.deepEqual(job.errors, []);
  assert.ok(job.due_in > 30 && job.due_in <= 60, `due in ${job.due_in} s`);
});

test('a job that is snoozed for a moment runs again at its time, long before the next poll', async () => {
  const queue = await database.schema();
  let runs = 0;
  const { id } = await queue.insert();
  const { worker, seen } = queue.worker({
    fetchPollIntervalMs: 60_000,
    handlers: {
      work: {
        perform: () => {
          runs += 1;
          if (runs === 1) throw new JobSnooze(50);
        },
      },
    },
  });

  await worker.start();
  await seen('job_settled', ({ state }) => state === 'completed');
  await worker.stop();

  const job = await queue.job(id);
  assert.equal(runs, 2);
  assert.equal(job.attempt, 1);
});

test('a job that takes longer than its time is aborted and fails', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert({ maxAttempts: 1 });
  const { worker, seen } = queue.worker({
    handlers: {
      work: {
        timeoutMs: 20,
        perform: async (_job, { signal }) =>
          await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      },
    },
  });

  await worker.start();
  await seen('job_settled');
  await worker.stop();

  const job = await queue.job(id);
  assert.equal(job.state, 'discarded');
  assert.equal(job.errors[0]?.error, 'The job took longer than 20 ms');
});

test('a job of an unknown kind fails with the words of River and is tried again', async () => {
  const queue = await database.schema();

  const job = await perform(queue, () => undefined, { kind: 'toString' });

  assert.equal(job.state, 'available');
  assert.equal(job.errors[0]?.error, "job kind is not registered in the client's Workers bundle: toString");
});

test('a row that no client would have written runs like any other', async () => {
  const queue = await database.schema();
  const [first, second] = [await queue.insert({ args: 7 }), await queue.insert()];
  await queue.sql(
    `UPDATE S.river_job SET scheduled_at = '-infinity', created_at = 'infinity', attempt = 32767, metadata = '[]',
       max_attempts = 32767, errors = ARRAY[ARRAY['{}']]::jsonb[], attempted_by = ARRAY[ARRAY['x']] WHERE id = $1`,
    [first.id],
  );
  const { worker, seen } = queue.worker({
    handlers: { work: { perform: ({ id }) => (id === first.id ? Promise.reject(new Error('no')) : undefined) } },
  });

  await worker.start();
  await seen('job_settled', ({ id }) => id === first.id);
  await seen('job_settled', ({ id }) => id === second.id);
  await worker.stop();

  assert.equal((await queue.job(first.id)).state, 'discarded');
  assert.equal((await queue.job(first.id)).errors[0]?.error, 'no');
  assert.equal((await queue.job(second.id)).state, 'completed');
});

test('ids beyond 2^53 stay what they are', async () => {
  const queue = await database.schema();
  await queue.sql(`SELECT setval('S.river_job_id_seq', 9007199254740993)`);
  const ids: string[] = [];
  const { worker, seen } = queue.worker({ handlers: { work: { perform: (job) => ids.push(job.id) } } });
  const inserted = [await queue.insert(), await queue.insert(), await queue.insert()].map(({ id }) => id);

  await worker.start();
  for (const id of inserted) await seen('job_settled', (one) => one.id === id && one.state === 'completed');
  await worker.stop();

  assert.deepEqual(inserted, ['9007199254740994', '9007199254740995', '9007199254740996']);
  assert.deepEqual(ids.toSorted(), inserted);
});

test('a job that is deleted while it runs is reported as lost, and others are recorded', async () => {
  const queue = await database.schema();
  const [gone, kept] = [await queue.insert(), await queue.insert()];
  const { worker, seen } = queue.worker({
    handlers: {
      work: {
        perform: async ({ id }) => {
          if (id === gone.id) await queue.sql(`DELETE FROM S.river_job WHERE id = $1`, [id]);
        },
      },
    },
  });

  await worker.start();
  await seen('job_lost', ({ id }) => id === gone.id);
  await seen('job_settled', ({ id }) => id === kept.id);
  await worker.stop();

  assert.equal((await queue.job(kept.id)).state, 'completed');
});
