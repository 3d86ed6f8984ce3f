import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { until } from '@rowlock/test-harness';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import { rescueAbandoned } from './rescuer.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

const policy = { retrySeconds: (): undefined => undefined };

/** A running job, as a client has claimed it. */
async function claimed(queue: QueueSchema, clientId: string, over: string = ''): Promise<string> {
  const { id } = await queue.insert();
  await queue.sql(
    `UPDATE S.river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = ARRAY[$2::text] ${over}
     WHERE id = $1`,
    [id, clientId],
  );
  return id;
}

async function lease(queue: QueueSchema, clientId: string, expiresIn: string): Promise<void> {
  await queue.sql(
    `INSERT INTO S.rowlock_worker_lease (client_id, token, queues, expires_at)
     VALUES ($1, gen_random_uuid(), '{default}', now() + $2::interval)`,
    [clientId, expiresIn],
  );
}

async function leases(queue: QueueSchema): Promise<string[]> {
  const rows = await queue.sql('SELECT client_id FROM S.rowlock_worker_lease ORDER BY client_id');
  return rows.map((row) => row['client_id']);
}

test('the job of a killed worker is rescued by another one as soon as the lease has expired', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const child = startWorkerProcess(queue);
  await until(async () => (await queue.job(id)).state === 'running', { what: 'the child has claimed the job' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await queue.sql(`UPDATE S.rowlock_worker_lease SET expires_at = now()`); // instead of waiting five seconds
  const { worker, seen } = queue.worker({ leaseTtlMs: 5000, handlers: { work: { perform: () => undefined } } });

  await worker.start();

  await seen('job_rescued', (one) => one.id === id);
  await seen('job_settled', (one) => one.id === id && one.state === 'completed');
  await worker.stop();
  const job = await queue.job(id);
  assert.equal(job.attempt, 2);
  assert.equal(job.errors[0]?.error, 'Stuck job rescued by JobRescuer');
  assert.equal(job.errors[0]?.attempt, 1);
  assert.deepEqual(job.metadata, { 'river:rescue_count': 1 });
  assert.deepEqual(await leases(queue), []);
});

function startWorkerProcess(queue: QueueSchema): ChildProcess {
  const program = `
    import { Worker } from ${JSON.stringify(new URL('../index.js', import.meta.url).href)};
    await new Worker({
      database: ${JSON.stringify(database.url)}, schema: ${JSON.stringify(queue.name)}, leaseTtlMs: 5000,
      queues: { default: { maxWorkers: 1 } }, handlers: { work: { perform: () => new Promise(() => undefined) } },
    }).start();`;
  return spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

test('jobs of live workers, and of clients that never had a lease, are not touched', async () => {
  const queue = await database.schema();
  await lease(queue, 'alive', '1 minute');
  await lease(queue, 'dead', '-1 second');
  const [alive, foreign] = [await claimed(queue, 'alive'), await claimed(queue, 'go_client')];
  const passedOn = await claimed(queue, 'dead');
  await queue.sql(`UPDATE S.river_job SET attempted_by = '{dead,go_client}' WHERE id = $1`, [passedOn]);
  const dead = await claimed(queue, 'dead');

  const count = await rescueAbandoned(queue.context(), policy);

  assert.equal(count, 1);
  for (const id of [alive, foreign, passedOn]) assert.equal((await queue.job(id)).state, 'running');
  assert.equal((await queue.job(dead)).state, 'available');
  assert.deepEqual(await leases(queue), ['alive']);
});

test('a rescue of the last attempt discards the job, and a job whose cancellation was asked for is cancelled', async () => {
  const queue = await database.schema();
  await lease(queue, 'dead', '-1 second');
  const last = await claimed(queue, 'dead', ', max_attempts = 1');
  const asked = await claimed(queue, 'dead', `, metadata = '{"cancel_attempted_at": "2026-01-02T03:04:05Z"}'`);

  await rescueAbandoned(queue.context(), policy);

  assert.equal((await queue.job(last)).state, 'discarded');
  assert.equal((await queue.job(asked)).state, 'cancelled');
  assert.equal((await queue.job(asked)).errors.length, 1);
});

test('a rescued job with many failures behind it waits as retryable, and its rescues are counted on', async () => {
  const queue = await database.schema();
  await lease(queue, 'dead', '-1 second');
  const id = await claimed(
    queue,
    'dead',
    `, errors = ARRAY['{}', '{}']::jsonb[], metadata = '{"river:rescue_count": 2}'`,
  );

  await rescueAbandoned(queue.context(), policy);

  const job = await queue.job(id);
  assert.equal(job.state, 'retryable');
  assert.ok(job.due_in > 62 && job.due_in < 89.1);
  assert.deepEqual(job.metadata, { 'river:rescue_count': 3 });
});

test('two rescuers at once rescue each job once', async () => {
  const queue = await database.schema();
  await lease(queue, 'dead', '-1 second');
  const ids: string[] = [];
  for (let number = 0; number < 20; number += 1) ids.push(await claimed(queue, 'dead'));

  const counts = await Promise.all([1, 2, 3].map(async () => await rescueAbandoned(queue.context(), policy)));

  assert.equal(
    counts.reduce((sum, count) => sum + count),
    20,
  );
  for (const id of ids) assert.equal((await queue.job(id)).errors.length, 1);
});

test('a worker that was taken for dead cannot record its result, and the new attempt stands', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  let mayEnd: () => void = () => undefined;
  const zombie = queue.worker({
    clientId: 'zombie',
    handlers: { work: { perform: async () => await new Promise<void>((resolve) => (mayEnd = resolve)) } },
  });
  await zombie.worker.start();
  await zombie.seen('job_started');
  await queue.sql(`UPDATE S.river_job SET attempt = 2, attempted_by = '{zombie,other}' WHERE id = $1`, [id]);

  mayEnd();

  await zombie.seen('job_lost', (one) => one.id === id);
  await zombie.worker.stop();
  const job = await queue.job(id);
  assert.equal(job.state, 'running');
  assert.equal(job.attempt, 2);
  assert.equal(job.finalized_at, null);
});

test('a process that comes back under the id of a killed one gives back what that one had claimed', async () => {
  const queue = await database.schema();
  const id = await claimed(queue, 'fixed');
  await lease(queue, 'fixed', '-1 second');
  const { worker, seen } = queue.worker({ clientId: 'fixed', handlers: { work: { perform: () => undefined } } });

  await worker.start();

  await seen('job_settled', (one) => one.id === id);
  await worker.stop();
  const job = await queue.job(id);
  assert.equal(job.state, 'completed');
  assert.equal(job.attempt, 1);
  assert.deepEqual(job.attempted_by, ['fixed', 'fixed']);
});

test('a second process under the id of a live one refuses to start, and leaves its jobs and lease alone', async () => {
  const queue = await database.schema();
  const queues = { elsewhere: { maxWorkers: 1 } };
  const first = queue.worker({ clientId: 'same', queues });
  await first.worker.start();
  const id = await claimed(queue, 'same');
  const second = queue.worker({ clientId: 'same', queues });

  await assert.rejects(second.worker.start(), { reason: 'client_id_in_use' });

  assert.equal((await queue.job(id)).state, 'running');
  assert.deepEqual(await leases(queue), ['same']);
  await first.worker.stop();
});

test('a worker whose client id somebody else has taken claims nothing until it has the lease again', async () => {
  const queue = await database.schema();
  const { worker, seen } = queue.worker({ leaseTtlMs: 5000, handlers: { work: { perform: () => undefined } } });
  await worker.start();
  await seen('listener_connected');
  await queue.sql(`UPDATE S.rowlock_worker_lease SET token = gen_random_uuid(), expires_at = 'infinity'`);
  await seen('client_id_in_use');

  const { id } = await queue.insert();
  await queue.sql(`SELECT pg_notify($1, '{"queue": "default"}')`, [`${queue.name}.river_insert`]);
  const states = new Set<string>();
  for (let look = 0; look < 50; look += 1) states.add((await queue.job(id)).state);
  await queue.sql(`UPDATE S.rowlock_worker_lease SET expires_at = now() - interval '1 second'`);

  await seen('job_settled', (one) => one.id === id);
  assert.deepEqual([...states], ['available']);
  await worker.stop();
});
