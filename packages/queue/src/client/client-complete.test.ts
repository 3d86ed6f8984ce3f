import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Job } from '../job.ts';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import { jobGetAvailable } from '../statements/job-get-available.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

/** A job that a client has claimed, as its handler would be given it. */
async function claimed(queue: QueueSchema, client_id = 'client'): Promise<Job> {
  const [row] = await jobGetAvailable(queue.pool, queue.schema, { queue: 'default', limit: 1, client_id });
  return await queue.client.get(row?.id ?? '');
}

test('a job completed in the transaction of its work counts as completed, and what the handler does after is nothing', async () => {
  const queue = await database.schema();
  await queue.sql('CREATE TABLE S.work (id bigint)');
  const { id } = await queue.insert({ maxAttempts: 1 });
  const { worker, seen, observations } = queue.worker({
    handlers: {
      work: {
        perform: async (job) => {
          const tx = await queue.pool.connect();
          await tx.query('BEGIN');
          await tx.query(queue.inSchema('INSERT INTO S.work VALUES ($1)'), [job.id]);
          await queue.client.completeTx(tx, job, { output: { done: true }, metadata: { by: 'test' } });
          await tx.query('COMMIT');
          tx.release();
        },
      },
    },
  });

  await worker.start();
  const { state } = await seen('job_settled');
  await worker.stop();

  assert.equal(state, 'completed');
  assert.deepEqual(
    observations.filter(({ event }) => event === 'job_lost' || event === 'task_failed'),
    [],
  );
  const job = await queue.client.get(id);
  assert.deepEqual([job.state, job.metadata], ['completed', { output: { done: true }, by: 'test' }]);
  assert.equal((await queue.sql('SELECT FROM S.work')).length, 1);
});

test('a completion that is rolled back has not happened', async () => {
  const queue = await database.schema();
  await queue.insert();
  const job = await claimed(queue);
  const tx = await queue.pool.connect();

  await tx.query('BEGIN');
  const completed = await queue.client.completeTx(tx, job);
  await tx.query('ROLLBACK');
  tx.release();

  assert.equal(completed.state, 'completed');
  assert.equal((await queue.client.get(job.id)).state, 'running');
});

test('an attempt that is over completes nothing, whoever has claimed the job since and under whatever number', async () => {
  const queue = await database.schema();
  await queue.insert();
  const first = await claimed(queue);
  const tx = await queue.pool.connect();
  const refused = async (job: Job): Promise<void> =>
    await assert.rejects(queue.client.completeTx(tx, job), { reason: 'job_not_running' });

  await queue.sql(`UPDATE S.river_job SET state = 'available', attempt = 0`);
  await refused(first);
  const same = await claimed(queue);
  await refused(first);
  await queue.sql(`UPDATE S.river_job SET state = 'available', attempt = 0`);
  const others = await claimed(queue, 'other');
  await refused(same);
  await refused({ ...others, attempt: 2 });
  await refused({ ...others, attempted_at: null });

  assert.equal(first.attempt, others.attempt);
  assert.equal((await queue.client.get(first.id)).state, 'running');
  assert.equal((await queue.client.completeTx(tx, others)).state, 'completed');
  await refused(others);
  tx.release();
});
