/**
 * What a network does to a worker: connections that are open at one end only, bytes that come late, one by one or cut
 * anywhere, connections that are reset or refused. Jobs are done all the same, each attempt once, and the worker ends.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import { type FrozenDirection, type Pace, type SeenStatement, seededRandom, until } from '@rowlock/test-harness';
import { AuditedQueue, type AuditedWorker, ageLostClaims, insertJobs, schema } from './audited-queue.ts';
import { assertHistory } from './queue-history.ts';

const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const never = 3_600_000;
/** Within ten seconds a half-open connection is noticed and replaced; the rest is for a busy machine. */
const noticedMs = 10_000 + 5000;

const random = seededRandom();
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

/** Inserts a job as SQL does: whoever sleeps is told. */
async function enqueue(name: string): Promise<string> {
  const { rows } = await queue.pool.query(`SELECT ${schema}.enqueue_job('audited', '{}', $1) AS id`, [name]);
  return String(rows[0]?.id);
}

/** How many claims have come from each worker, by its application name. */
const claims = new Map<string, number>();

function countClaims(): void {
  const matching = ({ text, application_name }: SeenStatement): boolean => {
    if (text.includes('SKIP LOCKED')) claims.set(application_name, (claims.get(application_name) ?? 0) + 1);
    return false;
  };
  queue.proxy.leaveToChance({ random, rate: 0, faults: [], matching });
}

/** A worker that never polls, and has claimed nothing for a second: it sleeps until it is told. */
async function asleep(name: string): Promise<AuditedWorker> {
  const parameters = { application_name: name };
  const options = { clientId: name, fetchPollIntervalMs: never, queues: { [name]: { maxWorkers: 5 } } };
  const worker = queue.worker(options, { parameters });
  await worker.says('listener_connected');
  let [count, since] = [0, performance.now()];
  const sleeps = (): boolean => {
    if (claims.get(name) !== count) [count, since] = [claims.get(name) ?? 0, performance.now()];
    return performance.now() - since > 1000;
  };
  await until(sleeps, { what: `${name} sleeps` });
  return worker;
}

async function losesItsListener(t: TestContext, direction: FrozenDirection): Promise<void> {
  const worker = await asleep(direction);
  const from = worker.heard.length;
  const { connections } = queue.proxy.freeze({
    direction,
    matching: ({ application_name, texts }) =>
      application_name === direction && [...texts].some((text) => text.startsWith('LISTEN')),
  });
  const frozenAt = performance.now();

  const meanwhile = await enqueue(direction);
  const lost = await worker.says('listener_lost', { from, timeoutMs: noticedMs });
  const found = await worker.says('listener_connected', { from, timeoutMs: noticedMs });
  await worker.says('job_settled', { fits: ({ id }) => id === meanwhile });
  const afterwards = await enqueue(direction);
  await worker.says('job_settled', { fits: ({ id }) => id === afterwards });

  assert.equal(connections.length, 1, 'exactly the connection that listens is frozen');
  const started = await worker.says('job_started', { fits: ({ id }) => id === meanwhile });
  const wasTold = direction === 'to_server'; // notifications went on coming, only nothing could be asked
  assert.equal(started.heard_at < lost.heard_at, wasTold, 'nothing but the new connection can have found the job');
  await assertEnds(worker);
  const seconds = (heard: { heard_at: number }): string => ((heard.heard_at - frozenAt) / 1000).toFixed(1);
  t.diagnostic(`${direction}: noticed after ${seconds(lost)} s, listens again after ${seconds(found)} s`);
}

test('a half-open listening connection is replaced within ten seconds, and what was inserted meanwhile runs', async (t) => {
  countClaims();

  await Promise.all((['both', 'to_server', 'to_client'] as const).map((direction) => losesItsListener(t, direction)));

  queue.proxy.leaveToChance(undefined);
  await assertHistory(queue.pool, { jobs: 6 });
});

const paces: Readonly<Record<string, Pace>> = {
  'one by one': { pieceBytes: () => 1 },
  'in pieces that end anywhere': { pieceBytes: () => 1 + random.integer(200) },
  'late, by forty milliseconds a message': { pauseMs: 20 },
};

for (const [how, pace] of Object.entries(paces)) {
  test(`jobs are done by a worker whose bytes come ${how}`, async (t) => {
    const jobs = 40 * rounds;
    queue.proxy.pace(pace);
    await insertJobs(queue.pool, jobs, { failing: jobs / 5 });
    const worker = queue.worker();

    await queue.untilDone(20_000 + 10_000 * rounds);
    await assertEnds(worker);

    queue.proxy.pace(undefined);
    await assertHistory(queue.pool, { jobs });
    t.diagnostic(`seed ${random.seed}`);
  });
}

test('jobs are done by a worker one in ten of whose statements meets a reset', async (t) => {
  const jobs = 150 * rounds;
  const worker = queue.worker();
  await worker.says('listener_connected');
  const faults = [{ kind: 'reset' }, { kind: 'cut_before' }] as const;
  queue.proxy.leaveToChance({ random, rate: 0.1, faults });
  await insertJobs(queue.pool, jobs, { ms: 5, failing: jobs / 5 });

  await queue.untilDone(30_000 * rounds);
  queue.proxy.leaveToChance(undefined);
  await assertEnds(worker);

  assert.ok(worker.count('task_failed') > 0, 'some statements did meet one');
  await assertHistory(queue.pool, { jobs });
  t.diagnostic(`seed ${random.seed}, ${worker.count('task_failed')} failures told`);
});

test('a worker that finds no server says so and ends', async () => {
  await queue.proxy.cut();
  const worker = queue.worker();

  const failed = await worker.says('start_failed');
  await queue.proxy.restore();

  assert.equal(failed.code, 'ECONNREFUSED');
  await assertEnds(worker);
});

test('a server that goes away and refuses connections for a while finds its worker at work when it is back', async () => {
  const jobs = 60 * rounds;
  await insertJobs(queue.pool, jobs, { ms: 20 });
  const worker = queue.worker();
  await worker.says('audit_finish');

  await queue.proxy.cut();
  await worker.says('task_failed', { fits: ({ task, code }) => task === 'complete' && code === 'ECONNREFUSED' });
  await queue.proxy.restore();
  await until(async () => (await ageLostClaims(queue.pool)) > 0 || (await isDone()), { timeoutMs: 30_000 });
  await queue.untilDone();
  await assertEnds(worker);

  await assertHistory(queue.pool, { jobs });
});

async function isDone(): Promise<boolean> {
  const open = `SELECT FROM ${schema}.river_job WHERE finalized_at IS NULL`;
  return (await queue.pool.query(open)).rowCount === 0;
}
