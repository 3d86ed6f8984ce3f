/**
 * Presigning by job as an application meets it: how long after it asked by SQL, as a caller, its URL can be read. Beside
 * it the same two transactions bare, with a listener that does nothing but claim, write and complete in one statement.
 * Both are watched by the same connection that asks again and again, so both pay the same for being seen.
 */
import { until } from '@rowlock/test-harness';
import pg from 'pg';
import { closedLoop } from './load/closed-loop.ts';
import { nowMs, paced } from './load/paced.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { inTurns } from './measure/rounds.ts';
import { latenciesOf } from './measure/statistics.ts';
import { bareAsk, bareSchema, besideBareWorker } from './peers/bare-presign.ts';
import { type BareStatement, CallerTransactions } from './service/caller-transactions.ts';
import { type BenchService, startBenchService } from './service/service-process.ts';

const perSecond = 200;
const claims = { sub: 'ann', role: 'authenticated' } as const;

const rowlockAsk: BareStatement = {
  name: 'rowlock_ask',
  text: "SELECT public.request_upload_url('issue', $2, $1, 'image/jpeg') AS id",
};

/** Sees as soon as the requests that it is told of can be read as completed. */
class Watcher {
  readonly #client: pg.Client;
  readonly #statement: BareStatement;
  readonly #waiting = new Map<string, number>();
  readonly durations: number[] = [];
  #isStopping = false;
  #watching: Promise<void> = Promise.resolve();

  constructor(url: string, table: string) {
    this.#client = new pg.Client({ connectionString: url });
    this.#statement = {
      name: 'watch',
      text: `SELECT id FROM ${table} WHERE id = ANY ($1::uuid[]) AND status = 'completed' AND presigned_url IS NOT NULL`,
    };
  }

  async start(): Promise<void> {
    await this.#client.connect();
    this.#watching = this.#watch();
  }

  /** A request that was due at a time; its answer has just come. */
  expect(id: string, dueMs: number): void {
    this.#waiting.set(id, dueMs);
  }

  async #watch(): Promise<void> {
    while (!this.#isStopping) {
      if (this.#waiting.size > 0) {
        const { rows } = await this.#client.query<{ id: string }>({
          ...this.#statement,
          values: [[...this.#waiting.keys()]],
        });
        for (const { id } of rows) {
          this.durations.push(nowMs() - (this.#waiting.get(id) ?? Number.NaN));
          this.#waiting.delete(id);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#watching;
    await this.#client.end();
  }
}

type Latencies = ReturnType<typeof latenciesOf>;

interface Contest {
  readonly context: BenchContext;
  readonly service: BenchService;
  readonly callers: CallerTransactions;
}

async function asked({ context, service, callers }: Contest, ask: BareStatement, table: string): Promise<Latencies> {
  const count = Math.ceil(perSecond * context.seconds);
  const watcher = new Watcher(service.database.url, table);
  await watcher.start();
  try {
    await paced({ count, perSecond }, async (n, due) => {
      const [row] = await callers.run<{ id: string }>(ask, [`photo-${n}.jpg`, claims.sub]);
      watcher.expect(row?.id ?? '', due);
    });
    await until(() => watcher.durations.length === count, { timeoutMs: 60_000, what: 'all URLs are signed' });
  } finally {
    await watcher.stop();
  }
  return latenciesOf(watcher.durations);
}

interface Ask {
  readonly statement: BareStatement;
  /** The table of jobs. */
  readonly jobs: string;
}

/** As many as callers ask for, one after the other; counted until the last URL is there. */
async function askedAtMost({ context, service, callers }: Contest, { statement, jobs }: Ask): Promise<number> {
  const { connections: concurrency, seconds } = context;
  await service.database.query('CHECKPOINT');
  const begun = nowMs();
  const { count } = await closedLoop({ concurrency, seconds }, async (n) => {
    await callers.run(statement, [`photo-${n}.jpg`, claims.sub]);
  });
  await until(
    async () => {
      const [row] = await service.database.query<{ pending: boolean }>(
        `SELECT EXISTS (SELECT FROM ${jobs} WHERE state IN ('available', 'running')) AS pending`,
      );
      return row?.pending === false;
    },
    { timeoutMs: 120_000, intervalMs: 20, what: 'all URLs are signed' },
  );
  return (count * 1000) / (nowMs() - begun);
}

const ids = { share: ['p50_ms', 'p95_ms', 'p99_ms'], most: 'presign_jobs_per_second' } as const;

async function latencies(contest: Contest): Promise<readonly Measured[]> {
  const { context, service } = contest;
  const wanted = ids.share.filter((share) => isWanted(context, `presign_${share}`));
  if (wanted.length === 0) return [];
  const { workerUrl } = service.database;
  const all = await inTurns(context, `presign at ${perSecond}/s`, {
    rowlock: async () => await asked(contest, rowlockAsk, 'metadata.file_upload_requests'),
    bare: async () => await besideBareWorker(workerUrl, () => asked(contest, bareAsk, 'bare.requests')),
  });
  return wanted.map((share) => ({
    id: `presign_${share}`,
    title: `presign by job at ${perSecond}/s, ${share.slice(0, 3)}`,
    unit: 'ms',
    better: 'lower',
    values: all.rowlock.map((sample) => sample[share]),
    beside: [{ name: 'bare transactions', kind: 'ceiling', values: all.bare.map((sample) => sample[share]) }],
  }));
}

async function throughput(contest: Contest): Promise<readonly Measured[]> {
  const { context, service } = contest;
  if (!isWanted(context, ids.most)) return [];
  const { workerUrl } = service.database;
  const most = await inTurns(context, 'presign as many as are asked for', {
    rowlock: async () => await askedAtMost(contest, { statement: rowlockAsk, jobs: 'metadata.river_job' }),
    bare: async () =>
      await besideBareWorker(workerUrl, () => askedAtMost(contest, { statement: bareAsk, jobs: 'bare.jobs' })),
  });
  return [
    {
      id: ids.most,
      title: 'presign by job, as many as callers ask for',
      unit: '1/s',
      better: 'higher',
      values: most.rowlock,
      beside: [{ name: 'bare transactions', kind: 'ceiling', values: most.bare }],
    },
  ];
}

async function run(context: BenchContext): Promise<BenchResult> {
  const service = await startBenchService(context, 'presign');
  const { database } = service;
  const options = { connections: context.connections, role: claims.role, claims };
  const callers = new CallerTransactions(database.apiUrl, options);
  try {
    await database.query(bareSchema);
    // All of them are one user's, who may not ask so often.
    await database.query("UPDATE storage.settings SET value = '0' WHERE name LIKE 'upload_requests_%'");
    const contest = { context, service, callers };
    const figures = [...(await latencies(contest)), ...(await throughput(contest))];
    return { figures, details: { per_second: perSecond } };
  } finally {
    await callers.close();
    await service.stop();
  }
}

export const presign: Benchmark = {
  name: 'presign',
  summary: 'an upload URL by job, from the request to the URL, beside the same transactions bare',
  needs: [],
  run,
};
