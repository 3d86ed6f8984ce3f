/**
 * River's table of outcomes as rows of the table: everything that a handler can do, with attempts left or not, with a
 * cancellation asked for or not, through a real worker and a real database.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Job } from '../job.ts';
import { JobCancel, JobSnooze } from '../job-verdicts.ts';
import { type JobRecord, QueueDatabase, type QueueSchema } from '../queue-fixture.test.ts';
import type { PerformContext } from './job-handler.ts';
import { Latch } from './latch.ts';
import type { Observation } from './observation.ts';

let database: QueueDatabase;
before(async () => {
  database = await QueueDatabase.create();
});
after(async () => await database.drop());

/** What a row is expected to be; what is left out is not looked at. */
interface Expected {
  readonly state: string;
  /** How many attempts it counts; the claim was the second. */
  readonly attempt?: 1 | 2;
  /** The seconds until it is due, give or take a tenth and what the machine takes. */
  readonly due?: number;
  /** What its new error says; null for none. */
  readonly error?: RegExp | null;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

interface Case {
  readonly does: string;
  readonly perform: (job: Job, context: PerformContext) => unknown;
  /** With attempts left. */
  readonly left: Expected;
  /** At the last attempt; as with attempts left where nothing is said. */
  readonly last?: Expected;
  /** Where somebody has asked to cancel meanwhile; as without where nothing is said. */
  readonly cancelled?: Expected;
}

const discarded: Expected = { state: 'discarded', attempt: 2 };
const cancelled: Expected = { state: 'cancelled', attempt: 2 };

function fails(does: string, perform: Case['perform'], error: RegExp, due = 16): Case {
  const left: Expected = { state: due > 5 ? 'retryable' : 'available', attempt: 2, due, error };
  return { does, perform, left, last: { ...discarded, error }, cancelled: { ...cancelled, error } };
}

function snoozes(ms: number, state: string): Case {
  const perform = (): never => {
    throw new JobSnooze(ms);
  };
  const left: Expected = { state, attempt: 1, due: ms / 1000, error: null, metadata: { snoozes: 1 } };
  return { does: `snoozes for ${ms} ms`, perform, left, cancelled: { ...cancelled, error: null } };
}

const completes = (does: string, perform: Case['perform'], metadata = {}): Case => {
  return { does, perform, left: { state: 'completed', attempt: 2, error: null, metadata } };
};

const throwing = (thrown: unknown) => (): never => {
  throw thrown;
};

function cyclic(): unknown {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  return cycle;
}

const cases: readonly Case[] = [
  completes('returns', () => undefined),
  completes('returns an error without throwing it', () => new Error('returned')),
  completes('returns a promise of anything', async () => await Promise.resolve(cyclic())),
  completes('records an output', (_job, { recordOutput }) => recordOutput({ n: 1 }), { output: { n: 1 } }),
  completes('records text that jsonb refuses', (_job, { recordOutput }) => recordOutput('\u0000\uD800'), {
    output: '\uFFFD\uFFFD',
  }),
  completes('records nothing', (_job, { recordOutput }) => recordOutput(undefined), { output: null }),
  completes(
    'merges and logs',
    (_job, { mergeMetadata, log }) => {
      mergeMetadata({ a: { b: 1 } });
      log('line');
    },
    { a: { b: 1 }, 'river:log': [{ attempt: 2, log: 'line\n' }] },
  ),
  fails('throws an error', throwing(new TypeError('wrong')), /^wrong$/),
  fails('rejects', async () => await Promise.reject(new Error('late')), /^late$/),
  fails('throws an error without a message', throwing(new RangeError()), /^RangeError$/),
  fails('throws a text', throwing('only text'), /^only text$/),
  fails('throws undefined', throwing(undefined), /^undefined$/),
  fails('throws null', throwing(null), /^null$/),
  fails('throws an object', throwing({ code: 7 }), /^\{ code: 7 \}$/),
  fails('throws an object that refuses everything', throwing(refusing()), /./),
  fails('throws what contains itself', throwing(cyclic()), /Circular/),
  fails('throws an error with a NUL', throwing(new Error('a\u0000b')), /^a\uFFFDb$/),
  fails('throws an error of megabytes', throwing(new Error('x'.repeat(5_000_000))), /^x{16384}$/),
  fails('records an output that contains itself', (_job, { recordOutput }) => recordOutput(cyclic()), /circular/),
  fails('records a bigint', (_job, { recordOutput }) => recordOutput(1n), /BigInt/),
  fails('merges a key of River', (_job, { mergeMetadata }) => mergeMetadata({ 'river:log': 1 }), /river:log/),
  fails('takes too long', async (_job, { signal }) => await aborted(signal), /^The job took longer than 300 ms$/),
  fails('snoozes for a negative time', () => new JobSnooze(-1), /cannot be snoozed/),
  fails('is to be tried at once', throwing(new Error('retry in 0')), /retry in 0/, 0),
  fails('is to be tried in four seconds', throwing(new Error('retry in 4000')), /retry in 4000/, 4),
  fails('is to be tried in an hour', throwing(new Error('retry in 3600000')), /retry in 3600000/, 3600),
  {
    does: 'cancels',
    perform: throwing(new JobCancel('enough')),
    left: { state: 'cancelled', attempt: 2, error: /^JobCancelError: enough$/ },
  },
  {
    does: 'is cancelled by the error handler',
    perform: throwing(new Error('cancel me')),
    left: { state: 'cancelled', attempt: 2, error: /^cancel me$/ },
  },
  snoozes(0, 'available'),
  snoozes(4000, 'available'),
  snoozes(60_000, 'scheduled'),
  {
    does: 'records and then fails',
    perform: (_job, { recordOutput }) => {
      recordOutput('half');
      throw new Error('no');
    },
    left: { state: 'retryable', metadata: { output: 'half' } },
    last: { state: 'discarded', metadata: { output: 'half' } },
    cancelled: { state: 'cancelled', metadata: { output: 'half' } },
  },
];

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

function refusing(): unknown {
  const refuse = (): never => {
    throw new Error('refused');
  };
  return {
    toString: refuse,
    toJSON: refuse,
    get message() {
      return refuse();
    },
  };
}

const situations = [
  { name: 'with attempts left', max_attempts: 25, is_cancelled: false },
  { name: 'at the last attempt', max_attempts: 2, is_cancelled: false },
  { name: 'with attempts left and a cancellation asked for', max_attempts: 25, is_cancelled: true },
  { name: 'at the last attempt and a cancellation asked for', max_attempts: 2, is_cancelled: true },
] as const;

type Situation = (typeof situations)[number];

function expectedOf({ left, last = left, cancelled: asked = left }: Case, situation: Situation): Expected {
  const usual = situation.max_attempts === 2 ? last : left;
  const isOver = ['completed', 'cancelled', 'discarded'].includes(usual.state);
  return situation.is_cancelled && !isOver ? asked : usual;
}

/** Works all cases at once; each job has failed once before, so that a retry has its sixteen seconds. */
async function workAll(queue: QueueSchema, situation: Situation): Promise<ReadonlyMap<string, JobRecord>> {
  const rows = await queue.sql(
    `INSERT INTO S.river_job (kind, args, max_attempts, attempt, errors)
     SELECT 'case_' || n, '{}', $1, 1, ARRAY['{"error": "before"}']::jsonb[] FROM generate_series(1, $2) AS n
     RETURNING id, kind`,
    [situation.max_attempts, cases.length],
  );
  const [settled, performed] = [new Set<string>(), new Set<string>()];
  let done: () => void = () => undefined;
  const allSettled = new Promise<void>((resolve) => {
    done = resolve;
  });
  const observe = (one: Observation): void => {
    if (one.event === 'job_settled' || one.event === 'job_lost') settled.add(one.id);
    if (settled.size === rows.length) done();
  };
  const { worker } = queue.worker({
    listen: false,
    lead: false,
    jobTimeoutMs: 300,
    random: () => 0.95, // the worker looks for cancellations when all is over
    queues: { default: { maxWorkers: cases.length } },
    handlers: Object.fromEntries(
      cases.map(({ perform }, index) => [
        `case_${index + 1}`,
        {
          perform: async (job: Job, context: PerformContext) => {
            if (performed.has(job.id)) return await new Latch().opened; // due again before it was looked at
            performed.add(job.id);
            if (situation.is_cancelled) await ask(queue, job.id);
            return await perform(job, context);
          },
        },
      ]),
    ),
    onError: (error) => verdictOf(error),
    observe,
  });
  await worker.start();
  await allSettled;
  const records = await Promise.all(rows.map(async ({ id, kind }) => [kind, await queue.job(id)] as const));
  await worker.stopNow();
  return new Map(records);
}

/** The error handler of the cases: some errors say themselves what is to be done. */
function verdictOf(error: unknown): 'cancel' | { retryAfterMs: number } | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.message === 'cancel me') return 'cancel';
  const [, ms] = /^retry in (\d+)$/.exec(error.message) ?? [];
  return ms === undefined ? undefined : { retryAfterMs: Number(ms) };
}

async function ask(queue: QueueSchema, id: string): Promise<void> {
  await queue.sql(
    `UPDATE S.river_job SET metadata = metadata || '{"cancel_attempted_at": "2026-01-02T03:04:05Z"}' WHERE id = $1`,
    [id],
  );
}

for (const situation of situations) {
  test(`every outcome ${situation.name} is written as River writes it`, async (t) => {
    const queue = await database.schema();

    const records = await workAll(queue, situation);

    for (const [index, one] of cases.entries()) {
      await t.test(`a job that ${one.does}`, () => {
        const record = records.get(`case_${index + 1}`);
        assert.ok(record !== undefined);
        assertRow(record, expectedOf(one, situation));
      });
    }
  });
}

function assertRow(row: JobRecord, expected: Expected): void {
  const { state, attempt, due, error, metadata } = expected;
  const isDueAtOnce = due !== undefined && due < 5;
  if (isDueAtOnce && row.state === 'running') return; // claimed again before it could be looked at
  assert.equal(row.state, state);
  assert.equal(row.finalized_at !== null, ['completed', 'cancelled', 'discarded'].includes(state));
  if (attempt !== undefined && !isDueAtOnce) assert.equal(row.attempt, attempt);
  if (due !== undefined) assert.ok(row.due_in <= due * 1.1 && row.due_in > due * 0.9 - 10, `due in ${row.due_in} s`);
  if (error === null) assert.equal(row.errors.length, 1);
  if (error instanceof RegExp) {
    assert.match(row.errors[1]?.error ?? '', error);
    assert.equal(row.errors[1]?.attempt, 2);
  }
  if (metadata !== undefined) assert.deepEqual({ ...row.metadata, ...metadata }, row.metadata);
}
