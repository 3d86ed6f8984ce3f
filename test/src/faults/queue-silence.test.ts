/**
 * Nothing is refused and nothing is answered: connections are open, and from a certain moment on nobody is at the other
 * end. A worker gives up waiting, says so, goes on when somebody is there again, and can be stopped all the time.
 */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type SeenStatement, until } from '@rowlock/test-harness';
import { AuditedQueue, type AuditedWorker, insertJobs, schema } from './audited-queue.ts';
import { assertHistory } from './queue-history.ts';

/** Whether to stop in the time that it really takes. */
const isLong = process.env['ROWLOCK_ROUNDS'] !== undefined;
/** A statement and a connection may take ten seconds each. */
const givenUpMs = 30_000;

async function createQueue(t: TestContext): Promise<AuditedQueue> {
  const queue = await AuditedQueue.create();
  t.after(() => queue.drop());
  return queue;
}

async function assertEnds(worker: AuditedWorker): Promise<void> {
  const { code, complaints } = await worker.stop();
  assert.deepEqual({ code, complaints }, { code: 0, complaints: '' });
}

/** Swallows the first statement that begins so, and all that follows on its connection. */
function swallow(queue: AuditedQueue, beginning: string): () => boolean {
  const matching = ({ text }: SeenStatement): boolean => text.startsWith(beginning);
  const armed = queue.proxy.arm({ at: 1, fault: { kind: 'black_hole' }, matching });
  return () => armed.struck !== undefined;
}

/** Lets nothing through any more, once a transaction has been begun in vain. */
async function silence(queue: AuditedQueue): Promise<void> {
  await until(swallow(queue, 'BEGIN'), { what: 'a transaction is begun in vain' });
  queue.proxy.mute();
  queue.proxy.freeze({ direction: 'both' });
}

// Most of the time of these tests is spent in waiting.
describe('a worker whose server has fallen silent', { concurrency: true }, () => {
  test('stops all the same, and what it could not record is not lost', async (t) => {
    const queue = await createQueue(t);
    const hurry = isLong ? 1 : 8;
    const worker = queue.worker({ leaseTtlMs: 5000, stopTimeoutMs: 1000, abortTimeoutMs: 100, hurry });
    await worker.says('listener_connected');
    await insertJobs(queue.pool, 5, { ms: 3000 });
    await until(() => worker.count('audit_start') === 5, { what: 'all run' });

    await silence(queue);
    await until(() => worker.count('audit_finish') === 5, { what: 'all have finished, and it cannot be recorded' });
    const { code, complaints, seconds } = await worker.stop();
    await queue.proxy.cut();
    await queue.proxy.restore();
    const other = queue.worker({ leaseTtlMs: 5000 });
    await queue.untilDone();
    await assertEnds(other);

    assert.deepEqual({ code, complaints }, { code: 0, complaints: '' });
    await assertHistory(queue.pool, { jobs: 5, hasDeaths: true });
    t.diagnostic(`stopped within ${seconds.toFixed(1)} s, with timers ${hurry} times as fast`);
  });

  test('gives up a transaction that is not begun, and rescues the next time', async (t) => {
    const queue = await createQueue(t);
    const worker = queue.worker({ leaseTtlMs: 5000 });
    await worker.says('worker_started');
    const isSwallowed = swallow(queue, 'BEGIN');
    await until(isSwallowed, { timeoutMs: givenUpMs, what: 'a rescue begins' });

    const [id] = await insertJobs(queue.pool, 1, { queue: 'elsewhere' });
    await queue.pool.query(`UPDATE ${schema}.river_job SET state = 'running', attempt = 1, attempted_at = now(),
      attempted_by = '{dead}'`);
    await queue.pool.query(`INSERT INTO ${schema}.rowlock_worker_lease (client_id, token, queues, expires_at)
      VALUES ('dead', gen_random_uuid(), '{elsewhere}', now())`);
    const failed = await worker.says('task_failed', { fits: ({ task }) => task === 'rescue', timeoutMs: givenUpMs });
    const rescued = await worker.says('job_rescued', { timeoutMs: givenUpMs });

    assert.match(failed.error ?? '', /timeout/);
    assert.equal(rescued.id, id);
    await assertEnds(worker);
  });

  test('gives up connections that are accepted and not served, and works when they are', async (t) => {
    const queue = await createQueue(t);
    const worker = queue.worker();
    await worker.says('listener_connected');
    queue.proxy.mute();
    await queue.pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'rowlock worker'`);
    const from = worker.heard.length;
    await insertJobs(queue.pool, 10);

    const isFetch = ({ task, error = '' }: { task?: string; error?: string }): boolean =>
      task === 'fetch from default' && error.includes('timeout');
    await worker.says('task_failed', { fits: isFetch, from, timeoutMs: givenUpMs });
    await queue.proxy.restore();
    await queue.untilDone(givenUpMs);

    await worker.says('listener_connected', { from, timeoutMs: givenUpMs });
    await assertEnds(worker);
    await assertHistory(queue.pool, { jobs: 10 });
  });

  test('replaces a listener that hears nothing as it begins to listen', async (t) => {
    const queue = await createQueue(t);
    const isSwallowed = swallow(queue, 'LISTEN');
    const worker = queue.worker();

    await worker.says('listener_lost');
    await worker.says('listener_connected');

    assert.ok(isSwallowed());
    await assertEnds(worker);
  });

  test('ends at once while its listener hears nothing as it begins to listen', async (t) => {
    const queue = await createQueue(t);
    const isSwallowed = swallow(queue, 'LISTEN');
    const worker = queue.worker();
    await until(isSwallowed, { timeoutMs: givenUpMs, what: 'it has begun to listen' });

    await assertEnds(worker);

    assert.equal(worker.count('listener_connected'), 0);
    assert.equal(worker.count('listener_lost'), 0);
  });
});
