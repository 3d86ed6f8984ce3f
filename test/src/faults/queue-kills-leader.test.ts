/**
 * Whoever leads the fleet is killed with SIGKILL, again and again, while jobs wait for their time and a periodic job is
 * due every second. Another one leads, scheduled jobs run and none too early, and no time is inserted twice.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seededRandom, until } from '@rowlock/test-harness';
import { AuditedQueue, AuditedWorker, schema } from './audited-queue.ts';
import { assertHistory } from './queue-history.ts';

/** Whether to wait for terms to expire as a fleet does, fifteen seconds, instead of ending them. */
const isLong = process.env['ROWLOCK_ROUNDS'] !== undefined;
const kills = 2 + Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const perKill = 30;

let queue: AuditedQueue;
const places: AuditedWorker[] = [];
const all: AuditedWorker[] = [];
before(async () => {
  queue = await AuditedQueue.create();
});
after(async () => {
  await Promise.all(places.filter(({ isOver }) => !isOver).map(async (worker) => await worker.kill()));
  await queue.drop();
});

function startWorker(): AuditedWorker {
  const worker = new AuditedWorker({
    clientId: `leads_${all.length + 1}`,
    queues: { default: { maxWorkers: 5 } },
    leaseTtlMs: 5000,
    url: queue.url,
    audit_url: queue.url,
    schema,
    periodic: {
      id: 'every second',
      schedule: '@every 1s',
      job: { kind: 'audited', args: {}, unique: { byPeriodSeconds: 1 } },
    },
  });
  all.push(worker);
  return worker;
}

/** The place of the worker that leads by the table, which is who is to be killed. */
async function leaderPlace(): Promise<number> {
  const { rows } = await queue.pool.query(`SELECT leader_id FROM ${schema}.river_leader WHERE expires_at > now()`);
  return places.findIndex(({ clientId, isOver }) => clientId === rows[0]?.leader_id && !isOver);
}

async function periodicJobs(): Promise<number> {
  const { rows } = await queue.pool.query(
    `SELECT count(*)::int FROM ${schema}.river_job WHERE metadata ->> 'river:periodic_job_id' = 'every second'`,
  );
  return rows[0]?.count;
}

test(`${kills} leaders are killed: another one leads, scheduled jobs run in time, and periodic ones once each`, async (t) => {
  const random = seededRandom();
  const gaps: number[] = [];
  places.push(startWorker(), startWorker(), startWorker());
  for (let kill = 1; kill <= kills; kill += 1) {
    await queue.pool.query(
      `INSERT INTO ${schema}.river_job (kind, args, max_attempts, metadata, state, scheduled_at)
       SELECT 'audited', jsonb_build_object('ms', 50), 1000, '{}', 'scheduled', now() + make_interval(secs => n * 6.0 / $1)
       FROM generate_series(1, $1::int) AS n`,
      [perKill],
    );
    const place = await until(async () => 1 + (await leaderPlace()), { timeoutMs: 60_000, what: 'somebody leads' });
    const inserted = await periodicJobs();
    await until(async () => (await periodicJobs()) > inserted, { what: 'the leader does its duties' });
    await queue.pool.query('SELECT pg_sleep($1)', [random.next() * 0.3]);

    await places[place - 1]?.kill();
    const killedAt = performance.now();
    places[place - 1] = startWorker();
    if (!isLong) await queue.pool.query(`UPDATE ${schema}.river_leader SET expires_at = now()`);
    await until(async () => 1 + (await leaderPlace()), { timeoutMs: 60_000, what: 'another one leads' });
    gaps.push((performance.now() - killedAt) / 1000);
  }
  const before = await periodicJobs();
  await until(async () => (await periodicJobs()) > before, { what: 'periodic jobs go on' });
  await stopAll();

  await assertSchedule();
  const { rows } = await queue.pool.query(
    `DELETE FROM ${schema}.river_job WHERE state = 'available' AND metadata ? 'periodic' RETURNING id`,
  );
  await assertHistory(queue.pool, { jobs: kills * perKill + (await periodicJobs()), hasDeaths: true });
  t.diagnostic(`seed ${random.seed}; another one led after ${gaps.map((gap) => gap.toFixed(1)).join(', ')} s`);
  t.diagnostic(`latest start of a scheduled job: ${await latestStart()} s after its time; ${rows.length} left over`);
});

async function stopAll(): Promise<void> {
  const waiting = `SELECT FROM ${schema}.river_job WHERE finalized_at IS NULL AND NOT metadata ? 'periodic'`;
  await until(async () => (await queue.pool.query(waiting)).rowCount === 0, {
    timeoutMs: 60_000,
    what: 'all have run',
  });
  for (const worker of places) {
    const { code, complaints } = await worker.stop();
    assert.deepEqual({ code, complaints }, { code: 0, complaints: '' });
  }
}

async function assertSchedule(): Promise<void> {
  const early = await queue.pool.query(
    `SELECT job.id, job.scheduled_at, audit.at FROM ${schema}.river_job AS job JOIN audit ON audit.job_id = job.id
     WHERE audit.what = 'start' AND audit.at < job.scheduled_at AND NOT job.metadata ? 'river:rescue_count'`,
  );
  assert.deepEqual(early.rows, [], 'nothing starts before its time');
  const twice = await queue.pool.query(
    `SELECT date_trunc('second', scheduled_at) FROM ${schema}.river_job WHERE metadata ? 'periodic'
     GROUP BY 1 HAVING count(*) > 1`,
  );
  assert.deepEqual(twice.rows, [], 'no second is inserted twice');
}

async function latestStart(): Promise<string> {
  const { rows } = await queue.pool.query(
    `SELECT round(extract(epoch FROM max(audit.at - job.scheduled_at)), 1) AS seconds
     FROM ${schema}.river_job AS job JOIN audit ON audit.job_id = job.id AND what = 'start'
     WHERE NOT job.metadata ? 'river:rescue_count'`,
  );
  return String(rows[0]?.seconds);
}
