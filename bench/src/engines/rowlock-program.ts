/**
 * Our queue as an engine of the benchmark: a process of its own that speaks the line protocol of the other engines (see
 * `interop/node-queues/protocol.mjs`). It measures nothing but how late jobs start and are finalised.
 */
import { Client, migrate, Worker } from '@rowlock/queue';
import pg from 'pg';

interface Command {
  readonly max_workers: number;
  readonly tuned: boolean;
  readonly sleep_ms: number;
}

interface Protocol {
  readonly serve: (engine: object, tally: Tally) => Promise<void>;
  readonly Tally: new () => Tally;
}

interface Tally {
  started(at: number): void;
  finalised(at: number): void;
}

const protocolUrl = new URL('../../../interop/node-queues/protocol.mjs', import.meta.url);
const { serve, Tally: TallyOfEngine } = (await import(protocolUrl.href)) as Protocol;
const tally = new TallyOfEngine();
const [, , url = '', schema = 'river'] = process.argv;
const queue = 'bench';
const kind = 'bench_job';

const pool = new pg.Pool({ connectionString: url, max: 16 });
pool.on('error', () => undefined); // an idle connection: whoever needs one is told by its query
const client = new Client({ database: pool, schema });
const migrating = await pool.connect();
await migrating.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
await migrate(migrating, { schema });
migrating.release();

/** Of jobs that were paced, when they were due, by id: what is observed of a job does not have its arguments. */
const due = new Map<string, number>();
let worker: Worker;

await serve(
  {
    async start({ max_workers: maxWorkers, sleep_ms: sleepMs }: Command) {
      worker = new Worker({
        database: url,
        schema,
        queues: { [queue]: { maxWorkers } },
        handlers: {
          [kind]: {
            async perform(job) {
              const { at } = job.args as { readonly at: number };
              if (at > 0) due.set(job.id, at);
              tally.started(at);
              if (sleepMs > 0) await new Promise((resolve) => setTimeout(resolve, sleepMs));
            },
          },
        },
        observe(observation) {
          if (observation.event !== 'job_settled') return;
          tally.finalised(due.get(observation.id) ?? 0);
          due.delete(observation.id);
        },
      });
      await worker.start();
    },
    stop: async () => await worker.stop(),
    insert: async (at: number) => await client.insert({ queue, kind, args: { at } }),
    async fill(n: number) {
      await pool.query(
        `INSERT INTO ${schema}.river_job (args, kind, max_attempts, queue)
         SELECT '{"at": 0}', $1, 25, $2 FROM generate_series(1, $3::integer)`,
        [kind, queue, n],
      );
    },
    end: async () => await pool.end(),
  },
  tally,
);
