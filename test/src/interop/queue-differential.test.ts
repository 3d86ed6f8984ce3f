/** The same scripts run by Go and by us leave the same rows, apart from ids, names of clients and moments. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { goRiverVersions, requires, until } from '@rowlock/test-harness';
import { type AttemptError, type BesideGo, GoDatabase, type JobRecord, versions } from './beside-go.ts';
import { type Action, type Script, scriptedHandler } from './scripted-handler.ts';

/** A job, and what it has to show before the rows are compared. */
interface Scenario extends Script {
  readonly name: string;
  readonly kind?: string;
  readonly insert?: Readonly<Record<string, unknown>>;
  /** The first version of River, of those that we build, that does this, or does it without losing the cursor. */
  readonly since?: 'v0.43.0' | 'v0.51.1';
  /** Default: it has ended for good. */
  readonly rests?: (job: JobRecord) => boolean;
}

/** The error whose job the error handlers cancel. */
const cancelOn = 'cancel me';
const fail = { do: 'fail', text: 'two is refused' };
const hasFailed = (job: JobRecord): boolean => job.state !== 'running' && (job.errors?.length ?? 0) > 0;
const hasSnoozed = (job: JobRecord): boolean => job.state !== 'running' && job.metadata['snoozes'] !== undefined;
const hasEnded = (job: JobRecord): boolean => job.finalized_at !== null;

/** Three steps, of which one fails. */
const steps = (fails = ''): readonly Action[] =>
  ['first', 'second', 'third'].map((name) => ({ do: 'step', name, ...(name === fails ? { text: 'no' } : {}) }));

const scenarios: readonly Scenario[] = [
  { name: 'succeeds' },
  { name: 'succeeds with options', insert: { priority: 3, max_attempts: 7, tags: ['abc'], metadata: { by: 'test' } } },
  { name: 'fails, next try in ten minutes', script: [[fail]], retry_ms: 600_000, rests: hasFailed },
  { name: 'fails, next try in four seconds', script: [[fail]], retry_ms: 4000, rests: hasFailed },
  {
    name: 'fails twice, by the default policy',
    script: [[fail]],
    rests: (job) => hasFailed(job) && job.errors?.length === 2,
  },
  { name: 'fails twice and then succeeds', script: [[fail], [fail], []], retry_ms: 50 },
  { name: 'fails at its last attempt', script: [[fail]], insert: { max_attempts: 1 } },
  { name: 'fails until no attempt is left', script: [[fail]], retry_ms: 50, insert: { max_attempts: 3 } },
  { name: 'fails without words', script: [[{ do: 'fail', text: '' }]], retry_ms: 600_000, rests: hasFailed },
  {
    name: 'fails with markup and control characters',
    script: [[{ do: 'fail', text: '<b>é\u2028😀\n\t"\\' }]],
    retry_ms: 600_000,
    rests: hasFailed,
  },
  { name: 'cancels itself', script: [[{ do: 'cancel', text: 'there is nobody to send to' }]] },
  { name: 'cancels itself after a failure', script: [[fail], [{ do: 'cancel', text: 'no' }]], retry_ms: 50 },
  { name: 'snoozes for no time', script: [[{ do: 'snooze', ms: 0 }], []] },
  { name: 'snoozes for four seconds', script: [[{ do: 'snooze', ms: 4000 }]], rests: hasSnoozed },
  { name: 'snoozes for ten minutes', script: [[{ do: 'snooze', ms: 600_000 }]], rests: hasSnoozed },
  {
    name: 'snoozes twice, fails, and succeeds',
    script: [[{ do: 'snooze', ms: 20 }], [{ do: 'snooze', ms: 20 }], [fail], []],
    retry_ms: 50,
  },
  { name: 'snoozes at its last attempt', script: [[{ do: 'snooze', ms: 20 }], []], insert: { max_attempts: 1 } },
  {
    name: 'snoozes where a count stands already',
    script: [[{ do: 'snooze', ms: 600_000 }]],
    insert: { metadata: { snoozes: '4' } },
    rests: (job) => job.state === 'scheduled',
  },
  { name: 'panics', script: [[{ do: 'panic', text: 'boom' }]], retry_ms: 600_000, rests: hasFailed },
  { name: 'is of an unknown kind', kind: 'nobodys', insert: { max_attempts: 1 } },
  {
    name: 'runs out of time',
    kind: 'hasty',
    script: [[{ do: 'sleep', ms: 60_000 }]],
    timeout_ms: 100,
    retry_ms: 600_000,
    rests: hasFailed,
  },
  { name: 'records output', script: [[{ do: 'output', value: { url: 'x', n: [1, null] } }]] },
  {
    name: 'records output twice',
    script: [
      [
        { do: 'output', value: 1 },
        { do: 'output', value: 'two' },
      ],
    ],
  },
  {
    name: 'records output and fails',
    script: [[{ do: 'output', value: 1 }, fail]],
    retry_ms: 600_000,
    rests: hasFailed,
  },
  {
    name: 'records output and is discarded',
    script: [[{ do: 'output', value: 1 }, fail]],
    insert: { max_attempts: 1 },
  },
  {
    name: 'records output and snoozes',
    script: [
      [
        { do: 'output', value: 1 },
        { do: 'snooze', ms: 600_000 },
      ],
    ],
    rests: hasSnoozed,
  },
  {
    name: 'records output and cancels itself',
    script: [
      [
        { do: 'output', value: 1 },
        { do: 'cancel', text: 'no' },
      ],
    ],
  },
  {
    name: 'sets metadata',
    since: 'v0.43.0',
    script: [[{ do: 'metadata', name: 'a', value: { c: 1 } }]],
    insert: { metadata: { a: { b: 1 }, d: 2 } },
  },
  {
    name: 'sets metadata and fails',
    since: 'v0.43.0',
    script: [[{ do: 'metadata', name: 'a', value: null }, fail]],
    retry_ms: 600_000,
    insert: { metadata: { a: 1 } },
    rests: hasFailed,
  },
  { name: 'takes steps', since: 'v0.43.0', script: [steps()] },
  {
    name: 'fails in its second step',
    since: 'v0.43.0',
    script: [steps('second')],
    retry_ms: 600_000,
    rests: hasFailed,
  },
  { name: 'fails in its first step', since: 'v0.43.0', script: [steps('first')], retry_ms: 600_000, rests: hasFailed },
  {
    name: 'fails in steps and then succeeds',
    since: 'v0.43.0',
    script: [steps('second'), steps('third'), steps()],
    retry_ms: 50,
  },
  {
    name: 'fails in its first step with a cursor',
    since: 'v0.51.1',
    script: [[{ do: 'cursor_step', name: 'first', value: 5, text: 'no' }]],
    retry_ms: 600_000,
    rests: hasFailed,
  },
  {
    name: 'fails in its second step with a cursor',
    since: 'v0.43.0',
    script: [
      [
        { do: 'step', name: 'first' },
        { do: 'cursor_step', name: 'second', value: { at: 5 }, text: 'no' },
      ],
    ],
    retry_ms: 600_000,
    rests: hasFailed,
  },
  {
    name: 'fails with a cursor, goes on from it, and fails later',
    since: 'v0.43.0',
    script: [
      [
        { do: 'step', name: 'first' },
        { do: 'cursor_step', name: 'second', value: 5, text: 'no' },
      ],
      [
        { do: 'step', name: 'first' },
        { do: 'cursor_step', name: 'second' },
        { do: 'step', name: 'third', text: 'no' },
      ],
    ],
    insert: { max_attempts: 2 },
    retry_ms: 50,
  },
  {
    name: 'fails with a cursor and then succeeds',
    since: 'v0.43.0',
    script: [
      [{ do: 'cursor_step', name: 'first', value: 5, text: 'no' }],
      [
        { do: 'cursor_step', name: 'first' },
        { do: 'step', name: 'second' },
      ],
    ],
    retry_ms: 50,
  },
  {
    name: 'snoozes between steps',
    since: 'v0.43.0',
    script: [
      [
        { do: 'step', name: 'first' },
        { do: 'snooze', ms: 600_000 },
      ],
    ],
    rests: hasSnoozed,
  },
  {
    name: 'cancels itself after a step',
    since: 'v0.43.0',
    script: [
      [
        { do: 'step', name: 'first' },
        { do: 'cancel', text: 'no' },
      ],
    ],
  },
  { name: 'completes in a transaction', script: [[{ do: 'complete_tx' }]] },
  { name: 'completes in a transaction and then fails', script: [[{ do: 'complete_tx' }, fail]] },
  {
    name: 'records output and completes in a transaction',
    script: [[{ do: 'output', value: 1 }, { do: 'complete_tx' }]],
  },
  { name: 'fails with what the error handler cancels', script: [[{ do: 'fail', text: cancelOn }]] },
  {
    name: 'fails with what the error handler cancels, at last',
    script: [[{ do: 'fail', text: cancelOn }]],
    insert: { max_attempts: 1 },
  },
  { name: 'was inserted as pending', insert: { pending: true }, rests: () => true },
  {
    name: 'is scheduled for tomorrow',
    insert: { scheduled_at: new Date(Date.now() + 86_400_000).toISOString() },
    rests: () => true,
  },
];

function atLeast(version: string, since: string): boolean {
  return goRiverVersions.indexOf(version) <= goRiverVersions.indexOf(since);
}

/** What an engine may say in its own words: Go's name for a deadline, and our name for an error without a message. */
const ownWords: ReadonlySet<string> = new Set(['runs out of time', 'fails without words']);

for (const version of versions) {
  describe(`the same jobs run by us and by River ${version}`, { skip: requires('go') }, () => {
    const known = scenarios.filter(({ since }) => since === undefined || atLeast(version, since));
    let database: GoDatabase;
    let place: BesideGo;
    const rested = new Map<string, Promise<readonly [ours: JobRecord, theirs: JobRecord]>>();

    before(async () => {
      database = await GoDatabase.create();
      place = await database.place(version);
      for (const { name, kind = 'scripted', insert = {}, rests = hasEnded, since: _, ...script } of known) {
        const job = { kind, args: { ...script, name }, ...insert };
        const ours = await place.insertGo({ ...job, queue: 'ts' });
        const theirs = await place.insertGo({ ...job, queue: 'go' });
        rested.set(name, Promise.all([atRest(ours, rests, name), atRest(theirs, rests, name)]));
      }
      await place.startGo({ queues: { go: 4 }, kinds: ['scripted', 'hasty'], cancel_on: cancelOn });
      const scripted = scriptedHandler({ pool: place.pool });
      await place.startOurs({
        queues: { ts: { maxWorkers: 4 } },
        handlers: { scripted, hasty: { ...scripted, timeoutMs: 100 } },
        onError: (error) => (error instanceof Error && error.message === cancelOn ? 'cancel' : undefined),
      });
    });
    after(async () => await database.drop());

    for (const { name } of known) {
      test(`a job that ${name}`, async () => {
        const [here, there] = (await rested.get(name)) ?? assert.fail('the job was not inserted');

        assert.deepEqual(comparable(here, name), comparable(there, name));
      });
    }

    /** Waits for all jobs at the same time, since some rest for seconds only. */
    async function atRest(id: string, rests: (job: JobRecord) => boolean, name: string): Promise<JobRecord> {
      const what = `the job that ${name} rests`;
      return await until(async () => [await place.job(id)].find(rests), { what, timeoutMs: 30_000, intervalMs: 100 });
    }
  });
}

/** What must be equal: everything but ids, queues, clients and moments, of which it keeps what they say. */
function comparable(job: JobRecord, name: string): unknown {
  return {
    kind: job.kind,
    state: job.state,
    args: job.args,
    attempt: job.attempt,
    max_attempts: job.max_attempts,
    priority: job.priority,
    tags: job.tags,
    metadata: job.state === 'completed' ? withoutProgress(job.metadata) : job.metadata,
    clients: (job.attempted_by ?? ['never']).length,
    attempted: job.attempted_at !== null,
    finalized: job.finalized_at !== null,
    errors: (job.errors ?? []).map((error) => comparableError(error, job, name)),
    unique: [job.unique_key, job.unique_states],
    waits: job.finalized_at === null ? seconds(job) : 'ended',
  };
}

/**
 * Go leaves the progress of its steps in a job that succeeded, so that a retry would skip them; we take it back. Either
 * understands the other.
 */
function withoutProgress(metadata: JobRecord['metadata']): unknown {
  const { 'river:resumable_step': _, 'river:resumable_cursor': __, ...rest } = metadata;
  return rest;
}

function comparableError(entry: AttemptError, job: JobRecord, name: string): unknown {
  const { at, attempt, error, trace } = entry;
  const began = Date.parse(at) - Date.parse(job.created_at);
  return {
    keys: Object.keys(entry).sort(),
    attempt,
    error: ownWords.has(name) ? typeof error : error,
    trace: typeof trace,
    in_time: began > -1000 && began < 30_000,
    in_utc: at.endsWith('Z'),
  };
}

/** Seconds after the second failure, give or take a tenth. */
const byPolicy = 16;

/** How long it was to wait when it was last put down, to the nearest of the times that scripts name. */
function seconds(job: JobRecord): number | string {
  const from = Date.parse(job.attempted_at ?? job.created_at);
  const waits = (Date.parse(job.scheduled_at) - from) / 1000;
  const near = (each: number): number => 0.35 + each * (each === byPolicy ? 0.1 : 0.002);
  const named = [0, 4, byPolicy, 600, 86_400].find((each) => Math.abs(each - waits) <= near(each));
  return named ?? `${waits} s, which nothing explains`;
}
