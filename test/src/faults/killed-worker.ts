/**
 * A worker in a process that is going to be killed. Its handler writes when it starts and when it has finished, on a
 * connection of its own, and says so to its parent by one letter each. Arguments: connection string, schema, client id.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from '@rowlock/queue';
import { seededRandom } from '@rowlock/test-harness';
import pg from 'pg';

const [, , url = '', schema = '', clientId = ''] = process.argv;
const random = seededRandom();
const audit = new pg.Pool({ connectionString: url, max: 1 });

async function note(job: { readonly id: string; readonly attempt: number }, what: 'start' | 'finish'): Promise<void> {
  await audit.query('INSERT INTO audit (job_id, attempt, what) VALUES ($1, $2, $3)', [job.id, job.attempt, what]);
  process.stdout.write(what === 'start' ? 's' : 'f');
}

const worker = new Worker<{ audited: { readonly fails_first: boolean } }>({
  database: url,
  schema,
  clientId,
  leaseTtlMs: 5000,
  queues: { default: { maxWorkers: 5 } },
  handlers: {
    audited: {
      nextRetry: () => 0,
      async perform(job) {
        await note(job, 'start');
        await delay(random.integer(5));
        if (job.args.fails_first && job.error_count === 0) throw new Error('the first attempt fails');
        await note(job, 'finish');
      },
    },
  },
});
await worker.start();
process.once('SIGTERM', () => void worker.stop().then(() => audit.end()));
