import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import type { JobRow } from '../job.ts';
import { schemaName } from '../schema-name.ts';
import { systemClock } from './clock.ts';
import type { Observation } from './observation.ts';
import { performAttempt } from './perform-attempt.ts';
import { RunningJob } from './running-job.ts';
import type { WorkerContext } from './worker-context.ts';

const row: JobRow = {
  id: '1',
  kind: 'work',
  queue: 'default',
  state: 'running',
  args: '{}',
  attempt: '1',
  max_attempts: '25',
  priority: '1',
  metadata: '{}',
  tags: '[]',
  error_count: '0',
  created_at: '2026-01-02T03:04:05',
  scheduled_at: '2026-01-02T03:04:05',
  attempted_at: '2026-01-02T03:04:05',
};

function running(): RunningJob {
  return new RunningJob({ id: '1', kind: 'work', queue: 'default', attempt: 1 });
}

/** Surroundings whose clock stands still; timers fire when they are told to. The pool is never connected. */
function surroundings(): { context: WorkerContext; timers: (() => void)[]; observations: Observation[] } {
  const timers: (() => void)[] = [];
  const observations: Observation[] = [];
  const clock = {
    ...systemClock,
    after: (_ms: number, callback: () => void) => {
      timers.push(callback);
      return () => timers.splice(timers.indexOf(callback), 1);
    },
  };
  const observe = (observation: Observation): void => {
    observations.push(observation);
  };
  const base = { pool: new pg.Pool(), schema: schemaName('metadata'), client_id: 'me', random: () => 0.5 };
  return { context: { ...base, clock, observe }, timers, observations };
}

test('a row that cannot be decoded is a failed attempt, and no handler is called', async () => {
  const { context } = surroundings();
  const performers = { handlers: { work: { perform: () => assert.fail('called') } }, jobTimeoutMs: null };

  const ended = await performAttempt(context, performers, running(), { ...row, args: '{' });
  const other = await performAttempt(context, performers, running(), { ...row, metadata: null });

  assert.equal(ended.outcome.kind, 'failed');
  assert.match(String('error' in ended.outcome && ended.outcome.error), /could not be decoded/);
  assert.equal(other.outcome.kind, 'failed');
});

test('a handler that runs on after its time was up is aborted, then reported as stuck, and keeps its job', async () => {
  const { context, timers, observations } = surroundings();
  const job = running();
  let end: () => void = () => undefined;
  const perform = async (): Promise<void> => await new Promise((resolve) => (end = resolve));

  const ending = performAttempt(context, { handlers: { work: { perform } }, jobTimeoutMs: 100 }, job, row);
  timers[0]?.();
  const isAborted = job.signal.aborted;
  timers[1]?.();
  end();
  const { outcome } = await ending;

  assert.equal(isAborted, true);
  assert.deepEqual(
    observations.map(({ event }) => event),
    ['job_stuck'],
  );
  assert.equal(outcome.kind, 'completed');
});

test('a handler with no time limit sets no timer', async () => {
  const { context, timers } = surroundings();
  const performers = { handlers: { work: { perform: () => timers.length, timeoutMs: null } }, jobTimeoutMs: 100 };

  const { outcome } = await performAttempt(context, performers, running(), row);

  assert.equal(outcome.kind, 'completed');
  assert.equal(timers.length, 0);
});
