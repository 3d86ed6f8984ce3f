/**
 * Random operations on a few jobs, next to a model of River's states in memory: after each, the table says what the
 * model says. Time stands still for the model; the jobs are far from due, or due long ago.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seededRandom } from '@rowlock/test-harness';
import fc from 'fast-check';
import type { JobState } from '../job.ts';
import { QueueError } from '../queue-error.ts';
import { QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import { jobCompleteMany } from '../statements/job-complete-many.ts';
import { jobGetAvailable } from '../statements/job-get-available.ts';
import { jobScheduleMany } from '../statements/job-schedule-many.ts';
import { jobSettleMany, type Settlement } from '../statements/job-settle-many.ts';
import type { Client } from './client.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

const stepsOfRound = 60;
/** How many sequences of operations; more in a campaign. */
const rounds = 10 * Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const client_id = 'model';

interface ModelJob {
  state: JobState;
  attempt: number;
  max_attempts: number;
  errors: number;
  /** Due long ago, or in a far future; a retry makes it due just now. */
  is_due: boolean;
  cancel_asked: boolean;
  readonly key: number | undefined;
}

interface Model {
  readonly jobs: Map<string, ModelJob>;
  is_paused: boolean;
}

interface Real {
  readonly queue: QueueSchema;
  readonly client: Client;
}

type Step = fc.AsyncCommand<Model, Real>;

const over: ReadonlySet<JobState> = new Set<JobState>(['cancelled', 'completed', 'discarded']);
/** By default, a job that was cancelled or discarded holds its key no longer. */
const keyless: ReadonlySet<JobState> = new Set<JobState>(['cancelled', 'discarded']);

function holderOf(model: Model, key: number | undefined): string | undefined {
  if (key === undefined) return undefined;
  return [...model.jobs].find(([, job]) => job.key === key && !keyless.has(job.state))?.[0];
}

/** In which states an operation finds most to do. */
const preferred: Readonly<Record<string, ReadonlySet<JobState>>> = {
  complete: new Set<JobState>(['running']),
  fail: new Set<JobState>(['running']),
  retry: keyless,
};

/** Makes a step that picks one of the jobs that there are, in a preferred state where there is one. */
function onOne(
  name: string,
  index: number,
  run: (id: string, job: ModelJob, model: Model, real: Real) => Promise<void>,
): Step {
  return {
    check: (model) => model.jobs.size > 0,
    run: async (model, real) => {
      const best = [...model.jobs].filter(([, { state }]) => preferred[name]?.has(state));
      const jobs = best.length > 0 ? best : [...model.jobs];
      const [id, job] = jobs[index % jobs.length] ?? [];
      if (id === undefined || job === undefined) throw new TypeError('There is no job');
      await run(id, job, model, real);
      await compare(model, real);
    },
    toString: () => `${name}(${index})`,
  };
}

async function compare(model: Model, { client }: Real): Promise<void> {
  const { jobs } = await client.list();
  const seen = jobs.map((job) => [
    job.id,
    {
      state: job.state,
      attempt: job.attempt,
      max_attempts: job.max_attempts,
      errors: job.error_count,
      cancel_asked: 'cancel_attempted_at' in job.metadata,
      is_over: job.finalized_at !== null,
    },
  ]);
  const expected = [...model.jobs].map(([id, { state, attempt, max_attempts, errors, cancel_asked }]) => [
    id,
    { state, attempt, max_attempts, errors, cancel_asked, is_over: over.has(state) },
  ]);
  assert.deepEqual(seen, expected);
  const paused = (await client.queueGet('default')).paused_at !== null;
  assert.equal(paused, model.is_paused);
}

async function reasonOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof QueueError) return error.reason;
    throw error;
  }
}

interface Insertion {
  readonly when: 'due' | 'later' | 'pending';
  readonly maxAttempts: number;
  readonly key: number | undefined;
}

function insertion({ when, maxAttempts, key }: Insertion): Step {
  return {
    check: () => true,
    run: async (model, real) => {
      const holder = holderOf(model, key);
      const { job, is_duplicate } = await real.client.insert({
        kind: 'work',
        args: { key },
        maxAttempts,
        pending: when === 'pending',
        scheduledAt: when === 'later' ? '2999-01-01T00:00:00Z' : '2020-01-01T00:00:00Z',
        unique: key === undefined ? {} : { byArgs: true },
      });
      assert.deepEqual([is_duplicate, is_duplicate ? job.id : holder], [holder !== undefined, holder]);
      if (holder === undefined) {
        const state = ({ due: 'available', later: 'scheduled', pending: 'pending' } as const)[when];
        const fresh = { attempt: 0, max_attempts: maxAttempts, errors: 0, cancel_asked: false };
        model.jobs.set(job.id, { ...fresh, state, is_due: when !== 'later', key });
      }
      await compare(model, real);
    },
    toString: () => `insert(${JSON.stringify({ when, maxAttempts, key })})`,
  };
}

function claim(limit: number): Step {
  return {
    check: (model) => !model.is_paused,
    run: async (model, real) => {
      const { pool, schema } = real.queue;
      const ready = [...model.jobs.values()].filter(({ state, is_due }) => state === 'available' && is_due);
      const rows = await jobGetAvailable(pool, schema, { queue: 'default', limit, client_id });
      assert.equal(rows.length, Math.min(limit, ready.length));
      for (const { id } of rows) {
        const job = model.jobs.get(id ?? '');
        assert.equal(job?.state, 'available');
        job.state = 'running';
        job.attempt += 1;
      }
      await compare(model, real);
    },
    toString: () => `claim(${limit})`,
  };
}

/** What a worker does when the attempt has succeeded; of a job that does not run, nothing. */
const complete = (index: number): Step =>
  onOne('complete', index, async (id, job, _model, { queue }) => {
    const done = await jobCompleteMany(queue.pool, queue.schema, { ids: [id], attempt: job.attempt, client_id });
    assert.equal(done.length, job.state === 'running' ? 1 : 0);
    if (job.state === 'running') job.state = 'completed';
  });

/** Another attempt far away, or none; a cancellation that was asked for comes first. */
const fail = (index: number): Step =>
  onOne('fail', index, async (id, job, _model, { queue }) => {
    const isLast = job.attempt >= job.max_attempts;
    const settlement: Settlement = {
      id,
      attempt: job.attempt,
      client_id,
      state: isLast ? 'discarded' : 'retryable',
      delay_seconds: isLast ? null : 1e6,
      attempt_after: job.attempt,
      error: '{"at": "2026-01-02T03:04:05Z", "attempt": 1, "error": "failed", "trace": ""}',
      metadata: null,
    };
    const [settled] = await jobSettleMany(queue.pool, queue.schema, [settlement]);
    assert.equal(settled !== undefined, job.state === 'running');
    if (job.state !== 'running') return;
    job.errors += 1;
    job.state = isLast ? 'discarded' : job.cancel_asked ? 'cancelled' : 'retryable';
    job.is_due = job.state === 'retryable' ? false : job.is_due;
  });

const cancel = (index: number): Step =>
  onOne('cancel', index, async (id, job, _model, { client }) => {
    const { state } = await client.cancel(id);
    if (!over.has(job.state)) {
      job.cancel_asked = true;
      job.state = job.state === 'running' ? 'running' : 'cancelled';
    }
    assert.equal(state, job.state);
  });

const retry = (index: number): Step =>
  onOne('retry', index, async (id, job, model, { client }) => {
    const holder = holderOf(model, job.key);
    const conflicts = holder !== undefined && holder !== id;
    const reason = await reasonOf(client.retry(id));
    assert.equal(reason, conflicts ? 'unique_conflict' : undefined);
    const isLeft = job.state === 'running' || (job.state === 'available' && job.is_due);
    if (conflicts || isLeft) return;
    Object.assign(job, { state: 'available', is_due: true, cancel_asked: false });
    job.max_attempts = Math.max(job.max_attempts, job.attempt + 1);
  });

const remove = (index: number): Step =>
  onOne('delete', index, async (id, job, model, { client }) => {
    const reason = await reasonOf(client.delete(id));
    assert.equal(reason, job.state === 'running' ? 'job_running' : undefined);
    if (reason === undefined) model.jobs.delete(id);
  });

const wholeTable = (name: string, change: (model: Model, real: Real) => Promise<void>): Step => ({
  check: () => true,
  run: async (model, real) => {
    await change(model, real);
    await compare(model, real);
  },
  toString: () => name,
});

const removeFinished = wholeTable('delete finished', async (model, { client }) => {
  const deleted = await client.deleteMany({ states: [...over] });
  const finished = [...model.jobs].filter(([, job]) => over.has(job.state)).map(([id]) => id);
  assert.deepEqual(
    deleted.map(({ id }) => id),
    finished,
  );
  for (const id of finished) model.jobs.delete(id);
});

const pause = wholeTable('pause', async (model, { client }) => {
  await client.queuePause('default');
  model.is_paused = true;
});

const resume = wholeTable('resume', async (model, { client }) => {
  await client.queueResume('*');
  model.is_paused = false;
});

/** Time passes: all that waits falls due, and the scheduler promotes it or finds its key taken. */
const timePasses = wholeTable('time passes', async (model, { queue }) => {
  await queue.sql(`UPDATE S.river_job SET scheduled_at = '2020-01-01' WHERE state IN ('retryable', 'scheduled')`);
  await jobScheduleMany(queue.pool, queue.schema, 100);
  for (const job of model.jobs.values()) {
    if (job.state === 'retryable' || job.state === 'scheduled')
      Object.assign(job, { state: 'available', is_due: true });
  }
});

const insertions = fc
  .record<Insertion>({
    when: fc.constantFrom('due' as const, 'due' as const, 'due' as const, 'later' as const, 'pending' as const),
    maxAttempts: fc.constantFrom(1, 2, 2, 3),
    key: fc.constantFrom(undefined, 1, 1, 2),
  })
  .map(insertion);

/** More is inserted, claimed and failed than removed, so that there are jobs in every state. */
const step = fc.oneof(
  { weight: 5, arbitrary: insertions },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 3 }).map(claim) },
  { weight: 3, arbitrary: fc.nat(20).map(fail) },
  ...[complete, cancel, cancel, retry, retry, remove].map((make) => ({ weight: 1, arbitrary: fc.nat(20).map(make) })),
  { weight: 1, arbitrary: fc.constantFrom(removeFinished, pause, resume, resume, timePasses) },
);

test('whatever is done to jobs in whatever order, the table and a model of River’s states agree', async () => {
  const { seed } = seededRandom();
  const queue = await database.schema();
  const { client } = queue;
  await queue.sql(`INSERT INTO S.river_queue (name, updated_at) VALUES ('default', now())`);

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: stepsOfRound, maxLength: stepsOfRound }), async (commands) => {
      await queue.sql('TRUNCATE S.river_job');
      await client.queueResume('default');
      const model: Model = { jobs: new Map(), is_paused: false };

      await fc.asyncModelRun(() => ({ model, real: { queue, client } }), commands);
    }),
    { seed: seed | 0, numRuns: rounds, endOnFailure: true },
  );
});
