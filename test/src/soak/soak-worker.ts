/**
 * One of our workers in a process of its own, which says how it fares whenever its parent asks. It performs scripts, and
 * measures from the time when a job was due. Arguments: connection string, schema, client id, slots, retention in
 * milliseconds, and the queues, with commas between them.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Observation, Worker } from '@rowlock/queue';
import pg from 'pg';
import { nowMs } from '../../../bench/dist/load/paced.js';
import { scriptedHandler } from '../interop/scripted-handler.ts';
import type { SoakArgs } from './soak-jobs.ts';
import type { WorkerMeasures } from './soak-worker-process.ts';

const [, , url = '', schema = '', clientId = '', slots = '', retention = '', queues = ''] = process.argv;
const loopResolutionMs = 20;
const bytesPerMiB = 1024 ** 2;

const loop = monitorEventLoopDelay({ resolution: loopResolutionMs });
loop.enable();

/** Since the parent asked last. */
let recent = { start_ms: [] as number[], finalised_ms: [] as number[], scheduled_ms: [] as number[] };
let cpu = process.cpuUsage();
let askedAt = nowMs();
/** Since the beginning. */
const counts = { ended: 0, lost: 0, failures: 0, last_failure: null as string | null };
/** By id, when jobs that run were due, of those whose end is one step from their start. */
const due = new Map<string, number>();

function note(observation: Observation): void {
  switch (observation.event) {
    case 'job_settled': {
      const at = due.get(observation.id);
      due.delete(observation.id);
      if (at !== undefined) recent.finalised_ms.push(nowMs() - at);
      if (['completed', 'cancelled', 'discarded'].includes(observation.state)) counts.ended += 1;
      return;
    }
    case 'job_lost':
      due.delete(observation.id);
      counts.lost += 1;
      return;
    case 'task_failed':
      counts.failures += 1;
      counts.last_failure = `${observation.task}: ${String(observation.error)}`;
      return;
    default:
      return;
  }
}

function measures(): WorkerMeasures {
  const now = nowMs();
  const { user, system } = process.cpuUsage(cpu);
  const { rss, heapUsed } = process.memoryUsage();
  const late = Math.max(0, loop.percentile(99) / 1e6 - loopResolutionMs);
  const said: WorkerMeasures = {
    ...recent,
    ...counts,
    rss_mib: rss / bytesPerMiB,
    heap_mib: heapUsed / bytesPerMiB,
    loop_p99_ms: late,
    cpu_percent: (user + system) / (now - askedAt) / 10, // microseconds in milliseconds
  };
  recent = { start_ms: [], finalised_ms: [], scheduled_ms: [] };
  cpu = process.cpuUsage();
  askedAt = now;
  loop.reset();
  return said;
}

const pool = new pg.Pool({ connectionString: url });
const scripted = scriptedHandler({ pool });
const maxWorkers = Number(slots);
const retentionMs = Number(retention);
const worker = new Worker<{ scripted: SoakArgs }>({
  database: url,
  schema,
  clientId,
  queues: Object.fromEntries(queues.split(',').map((queue) => [queue, { maxWorkers }])),
  notifyAlways: true, // as its documentation asks beside Go workers on one queue
  maintenance: {
    completedRetentionMs: retentionMs,
    cancelledRetentionMs: retentionMs,
    discardedRetentionMs: retentionMs,
    reindex: false, // at midnight it would be a step in what is measured
  },
  handlers: {
    scripted: {
      async perform(job, context) {
        const late = nowMs() - job.args.due;
        if (job.attempt === 1 && job.args.sort === 'scheduled') recent.scheduled_ms.push(late);
        if (job.attempt === 1 && job.args.sort === 'plain') {
          recent.start_ms.push(late);
          due.set(job.id, job.args.due);
        }
        await scripted.perform(job, context);
      },
      nextRetry: (job) => job.args.retry_ms,
    },
  },
  observe: note,
});

/** It ends when its parent lets go of it, or is gone. */
process.once('disconnect', async () => {
  await worker.stop();
  await pool.end();
});
process.on('message', () => process.send?.(measures()));
await worker.start();
process.send?.('ready');
