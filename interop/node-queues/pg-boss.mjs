/**
 * pg-boss as an engine. It works batches: a job is finalised when its whole batch is, and polls no more often than every
 * half second. Tuned, its batches are as large as its number of workers.
 */
import PgBoss from 'pg-boss';
import { serve, Tally } from './protocol.mjs';

const [, , url] = process.argv;
const queue = 'bench';
const tally = new Tally();
const boss = new PgBoss({ connectionString: url, max: 20 });
boss.on('error', (error) => process.stderr.write(`${error.stack}\n`));
await boss.start();
await boss.createQueue(queue);

await serve(
  {
    async start({ max_workers: size, tuned, sleep_ms: sleepMs }) {
      const batchSize = tuned ? size : 1;
      const workers = tuned ? 1 : size;
      for (let i = 0; i < workers; i += 1) {
        await boss.work(queue, { batchSize, pollingIntervalSeconds: 0.5 }, async (jobs) => {
          for (const { data } of jobs) tally.started(data.at);
          if (sleepMs > 0) await new Promise((resolve) => setTimeout(resolve, sleepMs));
          // It records the batch after this returns; there is no event for it, so this flatters it by one statement.
          for (const { data } of jobs) tally.finalised(data.at);
        });
      }
    },
    async stop() {
      await boss.offWork(queue);
    },
    insert: async (at) => await boss.send(queue, { at }),
    async fill(n) {
      for (let left = n; left > 0; left -= 5000) {
        await boss.insert(Array.from({ length: Math.min(left, 5000) }, () => ({ name: queue, data: { at: 0 } })));
      }
    },
    async end() {
      await boss.stop({ graceful: false });
    },
  },
  tally,
);
