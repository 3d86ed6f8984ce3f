/**
 * A worker in a process of its own. Its handler notes every start and finish on a connection that does not share the
 * worker's way to the database, and every observation is a line for its parent. One argument: what it is, as JSON. A
 * line on its input stops it; then the process has to end by itself.
 */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, type Observation, Worker } from '@rowlock/queue';
import pg from 'pg';
import type { AuditedArgs, WorkerTerms } from './audited-queue.ts';

const { url, audit_url, schema, periodic, hurry = 1, ...options } = JSON.parse(process.argv[2] ?? '') as WorkerTerms;
const audit =
  audit_url === null ? undefined : new pg.Pool({ connectionString: audit_url, max: 1, idleTimeoutMillis: 0 });

function say(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function note(job: { readonly id: string; readonly attempt: number }, what: 'start' | 'finish'): Promise<void> {
  const { id, attempt } = job;
  await audit?.query('INSERT INTO audit (job_id, attempt, what) VALUES ($1, $2, $3)', [id, attempt, what]);
  say({ event: `audit_${what}`, id, attempt });
}

/** Errors have their words and codes in properties that JSON leaves out. */
function told(observation: Observation): Readonly<Record<string, unknown>> {
  if (!('error' in observation) || !(observation.error instanceof Error)) return { ...observation };
  const { message } = observation.error;
  const code = 'code' in observation.error ? observation.error.code : undefined;
  return { ...observation, error: message, code };
}

const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms / hurry, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

const worker = new Worker<{ audited: AuditedArgs }>({
  ...options,
  clock,
  database: url,
  schema,
  handlers: {
    audited: {
      nextRetry: () => 0,
      async perform(job) {
        const { ms = 0, fails_first = false } = job.args;
        await note(job, 'start');
        await delay(ms);
        if (fails_first && job.error_count === 0) throw new Error('the first attempt fails');
        await note(job, 'finish');
      },
    },
  },
  periodicJobs: periodic === undefined ? [] : [periodic],
  observe: (observation) => say(told(observation)),
});

try {
  await worker.start();
  await once(process.stdin, 'data');
} catch (error) {
  say({ event: 'start_failed', error: String(error), code: (error as { readonly code?: unknown }).code });
}
await worker.stop();
say({ event: 'child_stopped' });
await audit?.end();
process.stdin.destroy();
