import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import type { JobRow } from '../job.ts';
import { JobCancel, JobSnooze } from '../job-verdicts.ts';
import { schemaName } from '../schema-name.ts';
import { systemClock } from './clock.ts';
import type { JobHandler, Middleware, WorkHooks } from './job-handler.ts';
import type { Observation } from './observation.ts';
import { type Ended, type Performers, performAttempt } from './perform-attempt.ts';
import { RunningJob } from './running-job.ts';

const row: JobRow = {
  id: '1',
  kind: 'work',
  queue: 'default',
  state: 'running',
  args: '{"n": "5"}',
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

/** Makes an attempt at the job above. The pool is never connected. */
async function attempt(
  handler: JobHandler<never>,
  around: Partial<Performers> = {},
): Promise<Ended & { readonly text: string; readonly failures: readonly string[] }> {
  const observations: Observation[] = [];
  const context = {
    pool: new pg.Pool(),
    schema: schemaName('metadata'),
    client_id: 'me',
    clock: systemClock,
    random: () => 0.5,
    observe: (observation: Observation) => void observations.push(observation),
  };
  const running = new RunningJob({ id: '1', kind: 'work', queue: 'default', attempt: 1 }, row);
  const performers = { handlers: { work: handler as JobHandler }, jobTimeoutMs: null, ...around };
  const ended = await performAttempt(context, performers, running, row);
  const failures = observations.flatMap((one) => (one.event === 'task_failed' ? [one.task] : []));
  const { outcome } = ended;
  const text = 'error' in outcome ? `${outcome.kind}: ${String(outcome.error)}` : outcome.kind;
  return { ...ended, text, failures };
}

function recorder(): { said: string[]; middleware: (name: string) => Middleware; hook: (name: string) => WorkHooks } {
  const said: string[] = [];
  return {
    said,
    middleware: (name) => async (_job, _context, next) => {
      said.push(`${name} in`);
      await next();
      said.push(`${name} out`);
    },
    hook: (name) => ({
      workBegin: () => void said.push(`${name} begin`),
      workEnd: (_job, _context, thrown) => void said.push(`${name} end ${String(thrown)}`),
    }),
  };
}

test("middleware lies around hooks around decoding around the handler, the worker's outside of the kind's", async () => {
  const { said, middleware, hook } = recorder();

  const { text } = await attempt(
    {
      middleware: [middleware('kind')],
      hooks: [hook('kind')],
      decode: () => void said.push('decode') as never,
      perform: () => void said.push('perform'),
    },
    { middleware: [middleware('first'), middleware('second')], hooks: [hook('worker')] },
  );

  assert.equal(text, 'completed');
  assert.deepEqual(said, [
    'first in',
    'second in',
    'kind in',
    'worker begin',
    'kind begin',
    'decode',
    'perform',
    'worker end undefined',
    'kind end undefined',
    'kind out',
    'second out',
    'first out',
  ]);
});

test('the handler gets its arguments as they were decoded; where that fails the attempt fails, or is cancelled', async () => {
  const seen: unknown[] = [];
  const perform = (job: { args: unknown }): void => void seen.push(job.args);
  const decode = (args: unknown): never => Number((args as { n: string }).n) as never;

  const decoded = await attempt({ decode, perform });
  const undecoded = await attempt({
    perform,
    decode: () => {
      throw new RangeError('n is no number');
    },
  });
  const cancelled = await attempt({
    perform,
    decode: () => {
      throw new JobCancel('never');
    },
  });

  assert.equal(decoded.text, 'completed');
  assert.deepEqual(seen, [5]);
  assert.equal(undecoded.text, 'failed: RangeError: n is no number');
  assert.equal(cancelled.text, 'cancelled: JobCancel: never');
});

test('whatever throws around the handler fails the attempt, and a middleware may catch what the handler threw', async () => {
  const perform = (): never => {
    throw new Error('the handler');
  };
  const thrower = (): never => {
    throw new Error('around it');
  };
  const catcher: Middleware = async (_job, _context, next) => await next().catch(() => 'caught');

  assert.equal(
    (await attempt({ perform: () => undefined }, { middleware: [thrower] })).text,
    'failed: Error: around it',
  );
  assert.equal(
    (await attempt({ perform: () => undefined }, { hooks: [{ workBegin: thrower }] })).text,
    'failed: Error: around it',
  );
  assert.equal(
    (await attempt({ perform: () => undefined }, { hooks: [{ workEnd: thrower }] })).text,
    'failed: Error: around it',
  );
  assert.equal((await attempt({ perform }, { middleware: [catcher] })).text, 'completed');
});

test('a hook that throws at the end of a failed attempt is reported, and the failure stays what it was', async () => {
  const { said, hook } = recorder();
  const thrower: WorkHooks = {
    workEnd: () => {
      throw new Error('the hook');
    },
  };

  const { text, failures } = await attempt(
    { perform: () => Promise.reject(new Error('the handler')) },
    { hooks: [thrower, hook('other')] },
  );

  assert.equal(text, 'failed: Error: the handler');
  assert.deepEqual(failures, ['work_end of work']);
  assert.deepEqual(said, ['other begin', 'other end Error: the handler']);
});

test('a middleware that calls next twice does not perform the job twice', async () => {
  let runs = 0;
  const twice: Middleware = async (_job, _context, next) => {
    await next();
    await next();
  };
  const perform = (): void => {
    runs += 1;
  };

  const { text } = await attempt({ perform }, { middleware: [twice] });

  assert.equal(runs, 1);
  assert.equal(text, 'failed: Error: A middleware has called next twice');
});

test('a middleware that never calls next completes the job without performing it', async () => {
  const { text } = await attempt({ perform: () => assert.fail('called') }, { middleware: [() => undefined] });

  assert.equal(text, 'completed');
});

test('an error handler may cancel a failed job or say when it is tried again, before its kind is asked', async () => {
  const handler: JobHandler<never> = { perform: () => Promise.reject(new Error('no')), nextRetry: () => 7000 };
  const asked: unknown[] = [];

  const cancelled = await attempt(handler, { onError: () => 'cancel' });
  const later = await attempt(handler, { onError: async () => await Promise.resolve({ retryAfterMs: 9000 }) });
  const silent = await attempt(handler, {
    onError: (error, job) => void asked.push(String(error), job.id) as undefined,
  });
  const negative = await attempt(handler, { onError: () => ({ retryAfterMs: -1 }) });

  assert.equal(cancelled.text, 'cancelled: Error: no');
  assert.equal(later.retry_seconds, 9);
  assert.equal(silent.retry_seconds, 7);
  assert.equal(negative.retry_seconds, 7);
  assert.deepEqual(asked, ['Error: no', '1']);
});

test('an error handler that throws is reported, and decides nothing', async () => {
  const onError = (): never => {
    throw new Error('broken');
  };

  const { text, failures, retry_seconds } = await attempt(
    { perform: () => Promise.reject(new Error('no')), nextRetry: () => 7000 },
    { onError },
  );

  assert.equal(text, 'failed: Error: no');
  assert.equal(retry_seconds, 7);
  assert.deepEqual(failures, ['on_error of work']);
});

test('an error handler is not asked about what the handler decided itself, but about unknown kinds', async () => {
  const asked: string[] = [];
  const onError = (error: unknown): undefined => void asked.push(String(error)) as undefined;

  await attempt({ perform: () => Promise.reject(new JobSnooze(1)) }, { onError });
  await attempt({ perform: () => Promise.reject(new JobCancel('no')) }, { onError });
  await attempt({ perform: () => undefined }, { onError, handlers: {} });

  assert.deepEqual(asked, ["job kind is not registered in the client's Workers bundle: work"]);
});
