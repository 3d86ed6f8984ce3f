/**
 * What a server does to a worker's sessions: it ends them, it has none left, it is read-only after a failover. The worker
 * says so in PostgreSQL's own codes, loses no job, and works on by itself.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AuditedQueue, type AuditedWorker, ageLostClaims, insertJobs, schema } from './audited-queue.ts';
import { assertHistory } from './queue-history.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const tooMany = '53300';
const readOnly = '25006';

let queue: AuditedQueue;
before(async () => {
  queue = await AuditedQueue.create();
});
beforeEach(async () => {
  await queue.pool.query(`TRUNCATE ${schema}.river_job, audit`);
});
after(() => queue.drop());

async function assertEnds(worker: AuditedWorker): Promise<void> {
  const { code, complaints } = await worker.stop();
  assert.deepEqual({ code, complaints }, { code: 0, complaints: '' });
}

/** Ends every session of workers, and returns how many there were. */
async function endSessions(): Promise<number> {
  const { rowCount } = await queue.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'rowlock worker'`,
  );
  return rowCount ?? 0;
}

/** Waits for the end, and does not wait for lost claims to be old enough to count as lost. */
async function untilDone(): Promise<void> {
  const ageing = new AbortController();
  const aged = (async () => {
    while (!ageing.signal.aborted) {
      await ageLostClaims(queue.pool);
      await delay(500);
    }
  })();
  try {
    await queue.untilDone(40_000 * rounds);
  } finally {
    ageing.abort();
    await aged;
  }
}

test('all sessions of two workers are ended again and again while they work, and every job is done', async (t) => {
  const jobs = 300 * rounds;
  const workers = [queue.worker(), queue.worker()];
  for (const worker of workers) await worker.says('listener_connected');
  await insertJobs(queue.pool, jobs, { ms: 10, failing: jobs / 5 });

  let ended = 0;
  for (let round = 0; round < 15 * rounds; round += 1) {
    ended += await endSessions();
    await queue.pool.query('SELECT pg_sleep(0.15)');
  }
  await untilDone();
  for (const worker of workers) await assertEnds(worker);

  const seen = workers.map((worker) => worker.count('task_failed', ({ code }) => code === '57P01'));
  assert.ok(ended > 0 && seen.some((count) => count > 0), 'statements were under way in sessions that were ended');
  await assertHistory(queue.pool, { jobs });
  t.diagnostic(`${ended} sessions ended; ${seen.join(' and ')} statements were told`);
});

test('a failover to a read-only server and back: the worker says why it cannot work, and works on afterwards', async (t) => {
  const jobs = 100 * rounds;
  const worker = queue.worker();
  await worker.says('listener_connected');
  await insertJobs(queue.pool, jobs, { ms: 20, failing: jobs / 5 });
  await worker.says('audit_finish');

  await queue.pool.query(`ALTER DATABASE ${queue.name} SET default_transaction_read_only = on`);
  await endSessions();
  const from = worker.heard.length;
  for (const task of ['complete', 'fetch from default']) {
    await worker.says('task_failed', { from, fits: (one) => one.task === task && one.code === readOnly });
  }
  await queue.pool.query(`ALTER DATABASE ${queue.name} RESET default_transaction_read_only`);
  const backAt = performance.now();
  await untilDone();

  await assertEnds(worker);
  await assertHistory(queue.pool, { jobs });
  t.diagnostic(`all done ${((performance.now() - backAt) / 1000).toFixed(1)} s after the server took writes again`);
});

/** A role that is not a superuser, so that its limit counts. */
async function limitedRole(): Promise<{ readonly role: string; readonly url: string }> {
  const role = `limited_${randomBytes(4).toString('hex')}`;
  await queue.pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'limited' CONNECTION LIMIT 0;
    GRANT USAGE ON SCHEMA ${schema} TO ${role};
    GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO ${role};
    GRANT ALL ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role};
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${schema} TO ${role}`);
  const url = new URL(queue.url);
  url.username = role;
  url.password = 'limited';
  return { role, url: url.href };
}

test('too many connections: a start fails in so many words, and later a worker makes do with what it gets', async (t) => {
  const jobs = 200 * rounds;
  const { role, url } = await limitedRole();
  try {
    const refused = queue.worker({}, { url });
    assert.equal((await refused.says('start_failed')).code, tooMany);
    await assertEnds(refused);

    await queue.pool.query(`ALTER ROLE ${role} CONNECTION LIMIT 10`);
    const worker = queue.worker({}, { url });
    await worker.says('listener_connected');
    await insertJobs(queue.pool, jobs, { ms: 10, failing: jobs / 5 });
    await queue.pool.query(`ALTER ROLE ${role} CONNECTION LIMIT 1`);
    await endSessions();
    const from = worker.heard.length;
    await worker.says('listener_lost', { from, fits: ({ code }) => code === tooMany });
    await worker.says('audit_finish', { from });
    await queue.pool.query(`ALTER ROLE ${role} CONNECTION LIMIT -1`);
    await worker.says('listener_connected', { from });
    await untilDone();
    await assertEnds(worker);

    await assertHistory(queue.pool, { jobs });
    t.diagnostic(`${worker.count('task_failed', ({ code }) => code === tooMany)} statements found no connection`);
  } finally {
    await queue.pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});
