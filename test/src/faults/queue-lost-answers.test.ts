/**
 * The server has done what it was told, and the worker never hears of it: a claim, a completion, a failure. No job is
 * lost, and what was recorded is not done again.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type SeenStatement, until } from '@rowlock/test-harness';
import {
  AuditedQueue,
  type AuditedWorker,
  ageLostClaims,
  type Heard,
  insertJobs,
  schema,
  type WorkerTerms,
} from './audited-queue.ts';
import { assertHistory } from './queue-history.ts';

/** Whether to wait as long as a worker does, instead of making claims older. */
const isLong = process.env['ROWLOCK_ROUNDS'] !== undefined;

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

/** Loses the answer to the first statement that has these words in it; `struck` tells whether that has come. */
function loseAnswer(...words: readonly string[]): { struck(): boolean } {
  const matching = ({ text }: SeenStatement): boolean => words.every((word) => text.includes(word));
  const armed = queue.proxy.arm({ at: 1, fault: { kind: 'cut_after' }, matching });
  return { struck: () => armed.struck !== undefined };
}

const claim = ['SKIP LOCKED', 'array_append'] as const;

/** A worker that has just looked for jobs in vain: its next claim, more than a second later, is of what is inserted now. */
async function pollingWorker(terms: Partial<WorkerTerms> = {}): Promise<AuditedWorker> {
  let claimedAt = performance.now();
  let isPolling = false;
  const matching = ({ text }: SeenStatement): boolean => {
    if (claim.every((word) => text.includes(word))) {
      isPolling = performance.now() - claimedAt > 1000;
      claimedAt = performance.now();
    }
    return false;
  };
  const worker = queue.worker({ fetchPollIntervalMs: 2000, ...terms });
  await worker.says('listener_connected');
  queue.proxy.arm({ at: 1, fault: { kind: 'cut_after' }, matching });
  await until(() => isPolling, { what: 'the worker polls', intervalMs: 5 });
  return worker;
}

const seconds = (from: Heard, to: Heard): string => ((to.heard_at - from.heard_at) / 1000).toFixed(2);

test('a completion whose answer is lost is recognised as done, and the job is not run again', async (t) => {
  const worker = queue.worker();
  await worker.says('listener_connected');
  const lost = loseAnswer('UPDATE', "SET state = 'completed'");

  await insertJobs(queue.pool, 1);
  const settled = await worker.says('job_settled');
  await assertEnds(worker);

  assert.equal(settled.state, 'completed');
  assert.ok(lost.struck());
  assert.equal(worker.count('job_lost'), 0);
  await assertHistory(queue.pool, { jobs: 1 });
  t.diagnostic(`recognised ${seconds(await worker.says('job_ended'), settled)} s after the handler had ended`);
});

test('a failure whose answer is lost is recorded once, and the job runs again once', async () => {
  const worker = queue.worker();
  await worker.says('listener_connected');
  const lost = loseAnswer('UPDATE', 'errors = CASE');

  await insertJobs(queue.pool, 1, { failing: 1 });
  await queue.untilDone();
  await assertEnds(worker);

  assert.ok(lost.struck());
  await assertHistory(queue.pool, { jobs: 1 });
});

test('jobs of a claim whose answer is lost are given back by their worker, and run once', async (t) => {
  const worker = await pollingWorker();
  const lost = loseAnswer(...claim);

  await insertJobs(queue.pool, 3);
  const failed = await worker.says('task_failed', { fits: ({ task }) => task === 'fetch from default' });
  if (!isLong)
    await until(async () => (await ageLostClaims(queue.pool)) === 3, { what: 'the claims are seen and aged' });
  await queue.untilDone();
  const started = await worker.says('job_started');
  await assertEnds(worker);

  assert.ok(lost.struck());
  await assertHistory(queue.pool, { jobs: 3 });
  t.diagnostic(
    `run ${seconds(failed, started)} s after the answer was lost${isLong ? '' : ', with claims made older'}`,
  );
});

test('jobs of a claim whose answer is lost, and whose worker dies, are rescued when its lease has expired', async (t) => {
  const worker = await pollingWorker({ leaseTtlMs: 5000 });
  loseAnswer(...claim);
  await insertJobs(queue.pool, 3);
  const failed = await worker.says('task_failed', { fits: ({ task }) => task === 'fetch from default' });

  await worker.kill();
  const other = queue.worker({ leaseTtlMs: 5000 });
  const rescued = await other.says('job_rescued');
  await queue.untilDone();
  await assertEnds(other);

  await assertHistory(queue.pool, { jobs: 3, hasDeaths: true });
  t.diagnostic(`rescued ${seconds(failed, rescued)} s after the answer was lost`);
});
