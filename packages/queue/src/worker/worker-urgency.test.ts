import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { startFaultProxy, until } from '@rowlock/test-harness';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import type { JobHandler } from './job-handler.ts';
import { Latch } from './latch.ts';
import type { Worker } from './worker.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

const never = 10 * 60_000;
const untilAborted: JobHandler = {
  perform: async (_job, { signal }) => {
    if (!signal.aborted) await once(signal, 'abort');
    throw signal.reason;
  },
};
const deaf: JobHandler = { perform: async () => await new Latch().opened };
const patient = { stopTimeoutMs: never, abortTimeoutMs: never };

test('stopping now aborts what runs at once, and it goes back with its attempt not counted', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const { worker, seen } = queue.worker({ ...patient, handlers: { work: untilAborted } });
  await worker.start();
  await seen('job_started');

  await worker.stopNow();

  const { state, attempt, errors } = await queue.job(id);
  assert.deepEqual([state, attempt, errors], ['available', 0, []]);
});

test('a stop that waits can be hurried by a second one, and by a signal', async () => {
  const queue = await database.schema();
  const hurries: ((worker: ReturnType<typeof queue.worker>['worker'], abort: AbortController) => unknown)[] = [
    async (worker) => await worker.stopNow(),
    async (worker) => await worker.stop({ softAfterMs: 1, hardAfterMs: never }),
    (_worker, abort) => abort.abort(),
  ];
  for (const hurry of hurries) {
    const { id } = await queue.insert();
    const { worker, seen } = queue.worker({ ...patient, handlers: { work: untilAborted } });
    const abort = new AbortController();
    await worker.start();
    await seen('job_started', (one) => one.id === id);

    const stopped = worker.stop({ signal: abort.signal });
    await seen('worker_stopping');
    await hurry(worker, abort);
    await stopped;

    assert.equal((await queue.job(id)).state, 'available');
    await queue.sql('DELETE FROM S.river_job');
  }
});

test('a signal that is aborted already hurries from the start, and a hard end leaves those that hear nothing', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const { worker, seen } = queue.worker({ ...patient, handlers: { work: deaf } });
  await worker.start();
  await seen('job_started');

  await worker.stop({ signal: AbortSignal.abort(), hardAfterMs: 20 });

  assert.equal((await queue.job(id)).state, 'available');
});

test('a second stop without haste does not make the first one less urgent', async () => {
  const queue = await database.schema();
  const { id } = await queue.insert();
  const { worker, seen } = queue.worker({ ...patient, handlers: { work: untilAborted } });
  await worker.start();
  await seen('job_started');

  await Promise.all([worker.stopNow(), worker.stop({ softAfterMs: never }), worker.stop()]);

  assert.equal((await queue.job(id)).state, 'available');
});

for (const [what, begin] of [
  ['jobs of a claim that was under way when the worker was stopped', () => undefined],
  ['jobs of a claim from a queue that was being removed', (worker: Worker) => worker.removeQueue('default')],
] as const) {
  test(`${what} are aborted and given back as well`, async () => {
    const queue = await database.schema();
    let aborts = 0;
    const perform: JobHandler['perform'] = async (job, context) => {
      context.signal.addEventListener('abort', () => {
        aborts += 1;
      });
      await untilAborted.perform(job, context);
    };
    const { worker, seen } = queue.worker({
      stopTimeoutMs: never,
      abortTimeoutMs: 5000,
      listen: false,
      handlers: { work: { perform } },
    });
    await worker.start();
    const { id, commit } = await claimUnderWay(queue);

    const begun = begin(worker);
    const stopped = worker.stopNow();
    await seen('worker_stopping');
    await commit();
    await Promise.all([begun, stopped]);

    await seen('job_started');
    const { state, attempt } = await queue.job(id);
    assert.deepEqual([state, attempt, aborts], ['available', 0, 1]);
  });
}

/** Inserts a job in a transaction that locks the table, and resolves when a claim waits for that to end. */
async function claimUnderWay(queue: QueueSchema): Promise<{ id: string; commit: () => Promise<void> }> {
  const table = queue.inSchema('S.river_job');
  const other = await database.pool.connect();
  await other.query('BEGIN');
  await other.query(`LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`);
  const { rows } = await other.query(
    `INSERT INTO ${table} (args, kind, max_attempts) VALUES ('{}', 'work', 25) RETURNING id`,
  );
  const waiting = `SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%SKIP LOCKED%' AND query LIKE '%array_append%' AND query LIKE $1`;
  await until(async () => (await database.pool.query(waiting, [`%${table}%`])).rowCount !== 0, {
    what: 'a claim waits for the lock',
  });
  const commit = async (): Promise<void> => {
    await other.query('COMMIT');
    other.release();
  };
  return { id: rows[0]?.id, commit };
}

test('a worker with a backlog of results records them all before it has stopped', async () => {
  const queue = await database.schema();
  const ids = await Promise.all(Array.from({ length: 50 }, async () => (await queue.insert()).id));
  const { worker, seen, observations } = queue.worker({
    queues: { default: { maxWorkers: 50 } },
    handlers: { work: { perform: () => undefined } },
  });
  await worker.start();
  await seen('job_ended');

  await worker.stop();

  const ended = observations.flatMap((one) => (one.event === 'job_ended' ? [one.id] : []));
  const states = await Promise.all(ended.map(async (id) => (await queue.job(id)).state));
  assert.ok(ended.length >= 1 && ended.length <= ids.length);
  assert.deepEqual(new Set(states), new Set(['completed']));
});

test('a worker whose listener looks for a connection can be stopped', async () => {
  const queue = await database.schema();
  const proxy = await startFaultProxy({ url: database.url });
  const { worker, seen } = queue.worker({ database: proxy.through(database.url), stopTimeoutMs: 0, lead: false });
  await worker.start();
  await seen('listener_connected');
  await proxy.cut();
  await seen('listener_lost');

  await worker.stop();

  await seen('worker_stopped');
  await proxy.close();
});

test('a stuck handler may give its slot back: its attempt fails, and its late end is ignored', async () => {
  const queue = await database.schema();
  const first = await queue.insert({ maxAttempts: 1 });
  const late = new Latch();
  const refused = new Latch();
  const fast = {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after: (ms: number, callback: () => void) => {
      const timer = setTimeout(callback, ms === 10_000 ? 1 : ms); // the wait of River before a handler counts as stuck
      return () => clearTimeout(timer);
    },
  };
  const { worker, seen } = queue.worker({
    clock: fast,
    lead: false,
    queues: { default: { maxWorkers: 1 } },
    onStuck: ({ kind }) => (kind === 'work' ? 'give_back' : 'wait'),
    handlers: {
      work: {
        timeoutMs: 5,
        perform: async (_job, { completeTx, recordOutput }) => {
          await late.opened;
          recordOutput('too late');
          const client = await database.pool.connect();
          await completeTx(client).catch(() => refused.open());
          client.release();
        },
      },
      next: { perform: () => undefined },
    },
  });
  await worker.start();
  await seen('job_stuck');
  await seen('job_settled', ({ id }) => id === first.id);

  const second = await queue.insert({ kind: 'next' });
  await seen('job_settled', ({ id, state }) => id === second.id && state === 'completed');
  late.open();
  await refused.opened;
  await worker.stop();

  const { state, errors, metadata } = await queue.job(first.id);
  assert.equal(state, 'discarded');
  assert.match(errors[0]?.error ?? '', /did not end, though its 5 ms were over/);
  assert.deepEqual(metadata, {});
});

test('a process whose worker has stopped ends by itself', async () => {
  const queue = await database.schema();
  await queue.insert();
  const program = `
    import pg from 'pg';
    import { Worker } from ${JSON.stringify(new URL('../index.js', import.meta.url).href)};
    const [url, schema] = process.argv.slice(1);
    const worker = new Worker({
      database: url, schema, queues: { default: { maxWorkers: 2 } },
      handlers: { work: { perform: (job, { signal }) => new Promise((done) => signal.addEventListener('abort', done)) } },
      stopTimeoutMs: 100_000, abortTimeoutMs: 100_000,
      observe: ({ event }) => { if (event === 'job_started') void worker.stopNow().then(() => worker.stop()); },
    });
    const events = worker.subscribe();
    await worker.start();
    for await (const { event } of events) console.log(event);`;

  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', program, database.url, queue.name],
    { timeout: 20_000, cwd: new URL('..', import.meta.url).pathname },
  );

  assert.equal(stdout, 'job_completed\n');
});
