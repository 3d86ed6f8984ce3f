import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { startFaultProxy, until } from '@rowlock/test-harness';
import pg from 'pg';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import { type Clock, systemClock } from '../worker/clock.ts';
import { cronSchedule } from './schedule.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

const leaderOf = async (queue: QueueSchema): Promise<string | undefined> =>
  (await queue.sql('SELECT leader_id FROM S.river_leader'))[0]?.['leader_id'];

/** Time that passes twenty times as fast here as in the database. */
const hastyClock: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic() * 20,
  after: (ms, callback) => systemClock.after(ms / 20, callback),
};

test('one of several workers leads, and when it stops another one does', async () => {
  const queue = await database.schema();
  const [one, two] = [queue.worker({ clientId: 'one' }), queue.worker({ clientId: 'two' })];
  await one.worker.start();
  await one.seen('leader_elected');
  await two.worker.start();
  await two.seen('listener_connected');

  const ledFirst = [one.worker.isLeading, two.worker.isLeading];
  await one.worker.stop();
  await two.seen('leader_elected');

  assert.deepEqual(ledFirst, [true, false]);
  assert.equal(await leaderOf(queue), 'two');
  assert.deepEqual([one.worker.isLeading, two.worker.isLeading], [false, true]);
  await two.worker.stop();
  assert.equal(await leaderOf(queue), undefined);
});

test('without a listener another worker leads at its next attempt', async () => {
  const queue = await database.schema();
  const clock = hastyClock;
  const one = queue.worker({ listen: false });
  const two = queue.worker({ listen: false, clock, leaseTtlMs: 600_000 });
  await one.worker.start();
  await one.seen('leader_elected');
  await two.worker.start();

  await one.worker.stop();

  await two.seen('leader_elected');
  await two.worker.stop();
});

test('when the leader is killed another worker leads as soon as the term has expired', async () => {
  const queue = await database.schema();
  const child = startWorkerProcess(queue);
  await until(async () => (await leaderOf(queue)) === 'child', { what: 'the child leads' });
  const { worker, seen } = queue.worker({ clientId: 'heir' });
  await worker.start();
  child.kill('SIGKILL');
  await once(child, 'exit');

  await queue.sql(`UPDATE S.river_leader SET expires_at = now()`); // instead of waiting fifteen seconds
  await seen('leader_elected');

  assert.equal(await leaderOf(queue), 'heir');
  await worker.stop();
});

function startWorkerProcess(queue: QueueSchema): ChildProcess {
  const program = `
    import { Worker } from ${JSON.stringify(new URL('../index.js', import.meta.url).href)};
    await new Worker({
      database: ${JSON.stringify(database.url)}, schema: ${JSON.stringify(queue.name)}, clientId: 'child',
      queues: { default: { maxWorkers: 1 } }, handlers: {},
    }).start();`;
  return spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

test('a leader that cannot reach the database steps down by its own clock, and its duties end', async () => {
  const queue = await database.schema();
  const proxy = await startFaultProxy({ url: database.url });
  const cutOff = queue.worker({ database: proxy.through(database.url), clock: hastyClock, leaseTtlMs: 600_000 });
  await cutOff.worker.start();
  const { elected_at } = await cutOff.seen('leader_elected');

  await proxy.cut();

  const lost = await cutOff.seen('leader_lost');
  assert.equal(lost.why, 'not_renewed');
  assert.equal(lost.elected_at, elected_at);
  assert.equal(cutOff.worker.isLeading, false);
  await proxy.restore();
  await cutOff.worker.stop();
  await proxy.close();
});

test('a term is renewed while a duty hangs, and the stop does not wait for that', async () => {
  const queue = await database.schema();
  await queue.sql(`INSERT INTO S.river_queue (name, updated_at) VALUES ('old', now() - interval '2 days')`);
  const blocked = queue.worker({ random: () => 0.99 });
  const expiry = async (): Promise<string> =>
    (await queue.sql('SELECT expires_at::text FROM S.river_leader'))[0]?.['expires_at'];
  await blocked.worker.start();
  const blocker = await database.pool.connect();
  await blocker.query('BEGIN');
  await blocker.query(queue.inSchema('LOCK TABLE S.river_queue IN SHARE MODE'));
  await until(async () => await isWaiting('%DELETE FROM%river_queue%'), { what: 'a duty waits for the lock' });
  const before = await expiry();

  await until(async () => (await expiry()) !== before, { what: 'the term is renewed' });
  await blocked.worker.stop();

  assert.equal(await leaderOf(queue), undefined);
  await blocker.query('COMMIT');
  blocker.release();
});

test('a worker that lacks a right which a leader needs says which, and does not stand for election', async () => {
  const queue = await database.schema();
  const { pool, drop } = await poolOf(queue, 'queue_half_leader', [
    'GRANT SELECT, INSERT, UPDATE ON S.river_leader TO',
    'GRANT SELECT, INSERT, UPDATE, DELETE ON S.river_job, S.river_queue TO',
  ]);
  const { worker, seen, observations } = queue.worker({ database: pool });

  await worker.start();

  const { missing } = await seen('leader_not_standing');
  assert.deepEqual(missing, ['MAINTAIN on river_job', 'DELETE on river_leader']);
  await queue.insert({ kind: 'later', scheduledAt: new Date(Date.now() + 60_000) });
  await queue.sql(`UPDATE S.river_job SET scheduled_at = now()`);
  await seen('jobs_scheduled');
  await worker.stop();
  assert.equal(
    observations.some(({ event }) => event === 'leader_elected'),
    false,
  );
  await pool.end();
  await drop();
});

for (const reindex of [false, 'if_permitted'] as const) {
  test(`a worker without the right to reindex leads where its option is ${reindex}`, async () => {
    const queue = await database.schema();
    let asked = 0;
    const reindexSchedule = {
      next: (after: number): number => {
        asked += 1;
        return after;
      },
    };
    const { pool, drop } = await poolOf(queue, 'queue_plain_leader', [
      'GRANT SELECT, INSERT, UPDATE, DELETE ON S.river_job, S.river_queue, S.river_leader TO',
    ]);
    await queue.sql(`INSERT INTO S.river_queue (name, updated_at) VALUES ('old', now() - interval '2 days')`);
    const { worker, seen, observations } = queue.worker({
      database: pool,
      maintenance: { reindex, reindexSchedule },
    });

    await worker.start();

    await seen('leader_elected');
    await seen('queues_cleaned');
    await worker.stop();
    await seen('leader_resigned');
    const failures = observations.filter(({ event }) => event === 'task_failed');
    assert.deepEqual(failures, []);
    assert.equal(asked, 0);
    await pool.end();
    await drop();
  });
}

test('the right to maintain the job table is enough to rebuild its indexes', async (t) => {
  const [version] = await database.pool
    .query(`SELECT current_setting('server_version_num')::int AS v`)
    .then((r) => r.rows);
  if (version.v < 170_000) return t.skip('needs PostgreSQL 17');
  const queue = await database.schema();
  const { pool, drop } = await poolOf(queue, 'queue_maintainer', [
    'GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON S.river_job TO',
    'GRANT SELECT, INSERT, UPDATE, DELETE ON S.river_queue, S.river_leader TO',
  ]);
  let asked = 0;
  const soon = {
    next: (after: number): number | undefined => {
      asked += 1;
      return asked === 1 ? after : undefined;
    },
  };
  const { worker, seen } = queue.worker({
    database: pool,
    clock: hastyClock,
    leaseTtlMs: 600_000,
    maintenance: { reindexSchedule: soon },
  });

  await worker.start();

  await seen('index_rebuilt', ({ index }) => index === 'river_job_unique_idx');
  await worker.stop();
  await pool.end();
  await drop();
});

test('a worker that is told not to lead does not, and promotes due jobs only while nobody leads', async () => {
  const queue = await database.schema();
  await queue.sql(
    `INSERT INTO S.river_leader (leader_id, elected_at, expires_at) VALUES ('go', now(), now() + interval '1 hour')`,
  );
  await queue.insert({ kind: 'later', scheduledAt: new Date(Date.now() + 60_000) });
  await queue.sql(`UPDATE S.river_job SET scheduled_at = now()`);
  const { worker, seen, observations } = queue.worker({ lead: false, clock: hastyClock, leaseTtlMs: 600_000 });
  await worker.start();
  await until(async () => (await looks(queue)) >= 2, { what: 'the worker has asked twice whether anybody leads' });
  const states = await queue.sql('SELECT state::text FROM S.river_job');

  await queue.sql('DELETE FROM S.river_leader');
  await seen('jobs_scheduled');

  assert.deepEqual(states, [{ state: 'scheduled' }]);
  await worker.stop();
  assert.equal(
    observations.some(({ event }) => event === 'leader_elected'),
    false,
  );
});

test('periodic jobs come and go while the worker leads', async () => {
  const queue = await database.schema();
  const job = (kind: string) => ({ kind, args: {}, queue: 'elsewhere' });
  const { worker, seen } = queue.worker({
    periodicJobs: [{ id: 'first', schedule: cronSchedule('@yearly'), runOnStart: true, job: job('first') }],
  });

  await worker.start();
  await seen('periodic_job_inserted', ({ kind }) => kind === 'first');
  const remove = worker.periodicJobs.add({ id: 'second', schedule: '@every 1s', job: job('second') });
  await seen('periodic_job_inserted', ({ kind }) => kind === 'second');
  remove();
  const again = worker.periodicJobs.remove('second');
  await worker.stop();

  assert.equal(again, false);
  assert.throws(() => worker.periodicJobs.add({ id: 'first', schedule: '@daily', job: job('third') }), {
    reason: 'invalid_option',
  });
  const [first] = await queue.sql(`SELECT state::text, metadata FROM S.river_job WHERE kind = 'first'`);
  assert.deepEqual(first, { state: 'available', metadata: { periodic: true, 'river:periodic_job_id': 'first' } });
});

/** A pool of a role of its own that may work jobs and, beside that, do what the grants say. */
async function poolOf(
  queue: QueueSchema,
  name: string,
  grants: readonly string[],
): Promise<{ readonly pool: pg.Pool; readonly drop: () => Promise<void> }> {
  const role = `${name}_${process.pid}`;
  await queue.sql(`CREATE ROLE ${role} NOLOGIN`);
  await queue.sql(`GRANT USAGE ON SCHEMA ${queue.schema.quoted} TO ${role}`);
  for (const grant of grants) await queue.sql(`${grant} ${role}`);
  await queue.sql(`GRANT SELECT, INSERT, UPDATE, DELETE ON S.rowlock_worker_lease TO ${role}`);
  await queue.sql(`GRANT USAGE ON SEQUENCE S.river_job_id_seq TO ${role}`);
  await queue.sql(`GRANT EXECUTE ON FUNCTION S.rowlock_wake_queue TO ${role}`);
  const url = new URL(database.url);
  url.searchParams.set('options', `-c role=${role}`);
  const pool = new pg.Pool({ connectionString: url.href, max: 3 });
  pool.on('error', () => undefined);
  const drop = async (): Promise<void> => {
    await queue.sql(`DROP OWNED BY ${role}`);
    await queue.sql(`DROP ROLE ${role}`);
  };
  return { pool, drop };
}

async function isWaiting(statement: string): Promise<boolean> {
  const { rows } = await database.pool.query(
    `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1`,
    [statement],
  );
  return rows.length > 0;
}

/** How often a worker has asked whether anybody leads. */
async function looks(queue: QueueSchema): Promise<number> {
  const [row] = await queue.sql(
    `SELECT coalesce(sum(seq_scan + coalesce(idx_scan, 0)), 0)::int AS scans FROM pg_stat_user_tables
     WHERE relname = 'river_leader' AND schemaname = $1`,
    [queue.name],
  );
  return row?.['scans'] ?? 0;
}
