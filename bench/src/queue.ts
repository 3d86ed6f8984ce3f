/**
 * The queue: inserts, jobs worked, and how late a job starts, beside pgbench or bare statements as the ceiling, and
 * beside a real Go River where Go is installed. All work on one table with one set of indexes; the handlers do nothing.
 */

import { EventEmitter, once } from 'node:events';
import { Client, migrate, Worker } from '@rowlock/queue';
import { createEmptyDatabase, requires, until } from '@rowlock/test-harness';
import pg from 'pg';
import { closedLoop } from './load/closed-loop.ts';
import { nowMs, paced } from './load/paced.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { inTurns } from './measure/rounds.ts';
import { latenciesOf } from './measure/statistics.ts';
import { BareWorker } from './peers/bare-worker.ts';
import { GoRiver } from './peers/go-river.ts';
import { pgbench, pgbenchVersion } from './peers/pgbench.ts';

const schema = 'river';
const queue = 'bench';
const kind = 'bench_job';
const maxWorkers = 500;
const perSecond = 200;
/** More than anybody works in a second, so that nobody runs out of jobs. */
const backlogPerSecond = 6000;

interface Parts {
  readonly context: BenchContext;
  readonly url: string;
  readonly pool: pg.Pool;
  readonly go: GoRiver | undefined;
}

const insertScript = `
  INSERT INTO ${schema}.river_job (args, kind, max_attempts, metadata, priority, queue, state)
  VALUES ('{"at": 0}', '${kind}', 25, '{}', 1, '${queue}', 'available');
`;

const claim = (limit: number, worker: string): string => `
  WITH picked AS MATERIALIZED (
    SELECT id FROM ${schema}.river_job
    WHERE state = 'available' AND queue = '${queue}' AND scheduled_at <= now()
    ORDER BY priority, scheduled_at, id LIMIT ${limit} FOR UPDATE SKIP LOCKED
  ), claimed AS (
    UPDATE ${schema}.river_job AS job
    SET state = 'running', attempt = job.attempt + 1, attempted_at = now(),
      attempted_by = array_append(job.attempted_by, '${worker}')
    FROM picked WHERE job.id = picked.id RETURNING job.id, job.args
  )`;

const workScript = `
  ${claim(maxWorkers, 'pgbench')} SELECT coalesce(array_agg(id), '{}')::text AS ids FROM claimed \\gset
  UPDATE ${schema}.river_job SET state = 'completed', finalized_at = now()
  WHERE id = ANY (CAST(:ids AS bigint[])) AND state = 'running';
`;

async function run(context: BenchContext): Promise<BenchResult> {
  const postgres = await context.postgres();
  const database = await createEmptyDatabase({ prefix: 'bench_queue' });
  const pool = new pg.Pool({ connectionString: database.url, max: context.connections });
  pool.on('error', () => undefined); // the database is dropped while a connection of it closes
  let go: GoRiver | undefined;
  try {
    const client = await pool.connect();
    await migrate(client, { schema });
    client.release();
    go = requires('go') === false ? await GoRiver.start(database.url, schema) : undefined;
    const figures = await measure({ context, url: database.url, pool, go });
    const programs = { pgbench: pgbenchVersion(), ...(go === undefined ? {} : { river: GoRiver.version() }) };
    return { figures, programs, details: { max_workers: maxWorkers, paced_per_second: perSecond, ...postgres.facts } };
  } finally {
    await go?.stop();
    await pool.end();
    await database.drop();
  }
}

async function measure(parts: Parts): Promise<readonly Measured[]> {
  /** By the ids of the figures that each gives. */
  const all: Readonly<Record<string, (parts: Parts) => Promise<readonly Measured[]>>> = {
    'insert_jobs_per_second insert_and_wake_jobs_per_second': inserts,
    worked_jobs_per_second: worked,
    'start_p50_ms start_p95_ms start_p99_ms': starts,
  };
  const figures: Measured[] = [];
  for (const [ids, one] of Object.entries(all)) {
    if (isWanted(parts.context, ids)) figures.push(...(await one(parts)));
  }
  return figures;
}

/** An empty table, as new. */
async function cleared({ pool }: Parts): Promise<void> {
  await pool.query(`TRUNCATE ${schema}.river_job`);
  await pool.query(`VACUUM ANALYZE ${schema}.river_job`);
  await pool.query('CHECKPOINT');
}

/** One job a transaction: while a worker is about and busy, and while none is, when every insert has to notify. */
async function inserts(parts: Parts): Promise<readonly Measured[]> {
  const { context, url, go } = parts;
  const { connections, seconds } = context;
  const scripted = async (script: string): Promise<number> => {
    await cleared(parts);
    return await pgbench({ url, script, clients: connections, seconds });
  };
  const all = await inTurns(context, 'insert', {
    busy: async () => {
      await cleared(parts);
      const stopWorker = await startBusyWorker(parts);
      const perSecond = await ourInserts(parts);
      await stopWorker();
      return perSecond;
    },
    pgbench: async () => await scripted(insertScript),
    go: go && (async () => await goInserts(parts, go)),
    alone: async () => {
      await cleared(parts);
      return await ourInserts(parts);
    },
    notifying: async () =>
      await scripted(`${insertScript.replace(/;\s*$/, '')} RETURNING pg_notify('bench_none', '');`),
  });
  const rate = { unit: '1/s', better: 'higher' } as const;
  return [
    {
      id: 'insert_jobs_per_second',
      title: 'insert of a job while workers are busy',
      ...rate,
      values: all.busy,
      beside: [{ name: 'pgbench', kind: 'ceiling', values: all.pgbench }, ...goRiver(all.go, 'Go River')],
    },
    {
      id: 'insert_and_wake_jobs_per_second',
      title: 'insert of a job that has to wake somebody',
      ...rate,
      values: all.alone,
      beside: [{ name: 'pgbench with NOTIFY', kind: 'ceiling', values: all.notifying }],
    },
  ];
}

async function ourInserts({ context, pool }: Parts): Promise<number> {
  const client = new Client({ database: pool, schema });
  const job = { queue, kind, args: { at: 0 } };
  const loop = { concurrency: context.connections, seconds: context.seconds };
  const { per_second } = await closedLoop(loop, async () => await client.insert(job));
  return per_second;
}

async function goInserts(parts: Parts, go: GoRiver): Promise<number> {
  const { connections, seconds } = parts.context;
  await cleared(parts);
  const done = await go.do<{ count: number; seconds: number }>({ do: 'insert', at_once: connections, seconds });
  return done.count / done.seconds;
}

/** A worker with one slot, taken until it is told to stop; nobody has to wake it. Returns how to stop it. */
async function startBusyWorker({ url, pool }: Parts): Promise<() => Promise<void>> {
  const busy = new EventEmitter();
  const perform = async (): Promise<void> => {
    const ended = once(busy, 'end');
    busy.emit('begun');
    await ended;
  };
  const worker = new Worker({
    database: url,
    schema,
    queues: { [queue]: { maxWorkers: 1 } },
    handlers: { [kind]: { perform } },
  });
  await worker.start();
  const begun = once(busy, 'begun');
  await new Client({ database: pool, schema }).insert({ queue, kind, args: { at: 0 } });
  await begun;
  return async () => {
    const stopped = worker.stop();
    busy.emit('end');
    await stopped;
  };
}

function goRiver(values: readonly number[] | undefined, name: string): NonNullable<Measured['beside']> {
  return values === undefined ? [] : [{ name, kind: 'peer', values }];
}

async function worked(parts: Parts): Promise<readonly Measured[]> {
  const { context, url, go } = parts;
  const jobs = Math.max(2 * maxWorkers, Math.ceil(context.seconds * backlogPerSecond));
  const all = await inTurns(context, 'work', {
    rowlock: async () => {
      await filled(parts, jobs);
      const worker = ourWorker(parts.url, () => undefined);
      await worker.start();
      await allWorked(parts);
      await worker.stop();
      return await workedPerSecond(parts, jobs);
    },
    pgbench: async () => {
      await filled(parts, jobs);
      const clients = 2;
      await pgbench({ url, script: workScript, clients, transactions: Math.ceil(jobs / maxWorkers / clients) + 1 });
      return await workedPerSecond(parts, jobs);
    },
    ...(go && {
      go: async () => {
        await filled(parts, jobs);
        await go.do({ do: 'start', max_workers: maxWorkers, tuned: true });
        await allWorked(parts);
        await go.do({ do: 'stop' });
        return await workedPerSecond(parts, jobs);
      },
    }),
  });
  return [
    {
      id: 'worked_jobs_per_second',
      title: `jobs worked, ${maxWorkers} at once`,
      unit: '1/s',
      better: 'higher',
      values: all.rowlock,
      beside: [
        { name: 'pgbench, two clients', kind: 'ceiling', values: all.pgbench },
        ...goRiver(all.go, 'Go River, tuned'),
      ],
    },
  ];
}

async function filled(parts: Parts, jobs: number): Promise<void> {
  await cleared(parts);
  await parts.pool.query(
    `INSERT INTO ${schema}.river_job (args, kind, max_attempts, queue)
     SELECT '{"at": 0}', $1, 25, $2 FROM generate_series(1, $3::integer)`,
    [kind, queue, jobs],
  );
  await parts.pool.query(`VACUUM ANALYZE ${schema}.river_job`);
  await parts.pool.query('CHECKPOINT');
}

/** Two looks at an index that is almost empty, so that waiting costs nobody anything. */
async function allWorked({ pool }: Parts): Promise<void> {
  await until(
    async () => {
      const { rows } = await pool.query<{ busy: boolean }>(
        `SELECT EXISTS (SELECT FROM ${schema}.river_job WHERE state = 'available' AND queue = $1)
           OR EXISTS (SELECT FROM ${schema}.river_job WHERE state = 'running' AND queue = $1) AS busy`,
        [queue],
      );
      return rows[0]?.busy === false;
    },
    { timeoutMs: 300_000, intervalMs: 50, what: 'all jobs are worked' },
  );
}

/** By the database's clock, the same for all: from the first claim to the last completion. */
async function workedPerSecond({ pool }: Parts, jobs: number): Promise<number> {
  const { rows } = await pool.query<{ completed: string; seconds: number }>(
    `SELECT count(*) FILTER (WHERE state = 'completed') AS completed,
       extract(epoch FROM max(finalized_at) - min(attempted_at))::float8 AS seconds
     FROM ${schema}.river_job`,
  );
  const [row] = rows;
  if (Number(row?.completed) !== jobs) throw new Error(`${row?.completed} of ${jobs} jobs are completed`);
  return jobs / (row?.seconds ?? Number.NaN);
}

function ourWorker(url: string, started: (args: { readonly at: number }) => void): Worker {
  return new Worker({
    database: url,
    schema,
    queues: { [queue]: { maxWorkers } },
    handlers: { [kind]: { perform: (job) => started(job.args as { readonly at: number }) } },
  });
}

/** How late jobs start that are inserted at a steady rate: for ours and Go with default settings, for the bare one none. */
async function starts(parts: Parts): Promise<readonly Measured[]> {
  const { context, url, go } = parts;
  const count = Math.ceil(perSecond * context.seconds);
  const all = await inTurns(context, 'start', {
    rowlock: async () => await ourStarts(parts, count),
    bare: async () => await bareStarts(parts, count, url),
    ...(go && {
      go: async () => {
        await cleared(parts);
        await go.do({ do: 'start', max_workers: maxWorkers, tuned: false });
        const { late_ms } = await go.do<{ late_ms: number[] }>({ do: 'pace', n: count, per_second: perSecond });
        await go.do({ do: 'stop' });
        return latenciesOf(late_ms);
      },
    }),
  });
  return (['p50_ms', 'p95_ms', 'p99_ms'] as const).map((share) => ({
    id: `start_${share}`,
    title: `insert to start at ${perSecond}/s, ${share.slice(0, 3)}`,
    unit: 'ms',
    better: 'lower',
    values: all.rowlock.map((sample) => sample[share]),
    beside: [
      { name: 'bare statements', kind: 'ceiling', values: all.bare.map((sample) => sample[share]) },
      ...goRiver(
        all.go?.map((sample) => sample[share]),
        'Go River',
      ),
    ],
  }));
}

async function ourStarts(parts: Parts, count: number): Promise<ReturnType<typeof latenciesOf>> {
  await cleared(parts);
  const late: number[] = [];
  const worker = ourWorker(parts.url, ({ at }) => late.push(nowMs() - at));
  await worker.start();
  const client = new Client({ database: parts.pool, schema });
  await paced({ count, perSecond }, async (_n, at) => await client.insert({ queue, kind, args: { at } }));
  await until(() => late.length === count, { timeoutMs: 60_000, what: 'all jobs have started' });
  await worker.stop();
  return latenciesOf(late);
}

async function bareStarts(parts: Parts, count: number, url: string): Promise<ReturnType<typeof latenciesOf>> {
  await cleared(parts);
  const late: number[] = [];
  const text = `${claim(maxWorkers, 'bare')}
    SELECT (args ->> 'at')::float8 AS at FROM claimed`;
  const worker = await BareWorker.start({
    url,
    channel: 'bench_bare',
    statement: { name: 'bare_claim', text },
    took: (row) => late.push(nowMs() - Number(row['at'])),
  });
  const insert = {
    name: 'bare_insert',
    text: `WITH job AS (
        INSERT INTO ${schema}.river_job (args, kind, max_attempts, queue)
        VALUES (jsonb_build_object('at', $1::float8), '${kind}', 25, '${queue}') RETURNING id
      )
      SELECT pg_notify('bench_bare', '') FROM job`,
  };
  await paced({ count, perSecond }, async (_n, at) => await parts.pool.query({ ...insert, values: [at] }));
  await until(() => late.length === count, { timeoutMs: 60_000, what: 'all jobs have started' });
  await worker.stop();
  return latenciesOf(late);
}

export const queueBenchmark: Benchmark = {
  name: 'queue',
  summary: 'jobs inserted, worked and how late they start, beside pgbench, bare statements and Go River',
  needs: ['pgbench'],
  run,
};
