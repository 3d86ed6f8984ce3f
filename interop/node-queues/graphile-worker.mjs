/** graphile-worker as an engine. Tuned, it has its local queue and batches completions, as its authors advise for speed. */
import { EventEmitter } from 'node:events';
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';
import { serve, Tally } from './protocol.mjs';

const [, , url] = process.argv;
const tally = new Tally();
const pgPool = new pg.Pool({ connectionString: url, max: 20 });
pgPool.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined));
const logger = new Logger(() => () => undefined);
const utils = await makeWorkerUtils({ pgPool, logger });
let runner;

/** What its own documentation calls a high-throughput configuration: one fetch of many, completions gathered. */
const tuning = (concurrency) => ({
  localQueue: { size: concurrency, refetchDelay: { durationMs: 2 } },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
});

await serve(
  {
    async start({ max_workers: concurrency, tuned, sleep_ms: sleepMs }) {
      const events = new EventEmitter();
      events.on('job:complete', ({ job }) => tally.finalised(job.payload.at));
      const task = async ({ at }) => {
        tally.started(at);
        if (sleepMs > 0) await new Promise((resolve) => setTimeout(resolve, sleepMs));
      };
      runner = await run({
        pgPool,
        logger,
        events,
        noHandleSignals: true,
        taskList: { bench_job: task },
        concurrency,
        preset: tuned ? { worker: { concurrentJobs: concurrency, ...tuning(concurrency) } } : undefined,
      });
    },
    async stop() {
      await runner.stop();
    },
    insert: async (at) => await utils.addJob('bench_job', { at }),
    async fill(n) {
      for (let left = n; left > 0; left -= 5000) {
        const jobs = Array.from({ length: Math.min(left, 5000) }, () => ({
          identifier: 'bench_job',
          payload: { at: 0 },
        }));
        await utils.addJobs(jobs);
      }
    },
    async end() {
      await utils.release();
      await pgPool.end();
    },
  },
  tally,
);
