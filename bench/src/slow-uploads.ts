/**
 * What many slow uploads cost everybody else: `info` over HTTP while 200 uploads send 1 KB a second each, beside the
 * same without them. The service has five connections to its database, so that one held by an upload would be missed.
 */
import { until } from '@rowlock/test-harness';
import { type HttpLoad, startHttpLoad } from './load/http-load.ts';
import type { HttpSample } from './load/http-order.ts';
import { SlowUploads } from './load/slow-uploads.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { inTurns } from './measure/rounds.ts';
import { type BenchService, startBenchService } from './service/service-process.ts';

const databaseConnections = 5;
const uploadsAtOnce = 200;
const bytesPerSecond = 1000;
/** Above what goes into a prepared version, so that every upload has its row; the rest is sent at the end. */
const bodyBytes = 1.25 * 2 ** 20;
const objects = 1000;

interface Parts {
  readonly context: BenchContext;
  readonly service: BenchService;
  readonly load: HttpLoad;
}

function uploadsOf({ short }: BenchContext): number {
  return short ? 20 : uploadsAtOnce;
}

async function infos({ context, service, load }: Parts): Promise<HttpSample> {
  const { connections, seconds } = context;
  const { port, headers } = service;
  const path = '/storage/v1/object/info/bench/small/{n}';
  return await load.send({ port, headers, path, connections, seconds, method: 'GET', names: objects, statuses: [200] });
}

/** The requests while every upload is under way, from before the first to after the last. */
async function besideUploads(parts: Parts, round: number): Promise<HttpSample> {
  const { context, service } = parts;
  const { port, headers, database } = service;
  const count = uploadsOf(context);
  const path = `/storage/v1/object/bench/slow/${round}/{n}`;
  const uploads = new SlowUploads({ port, path, headers, count, bytesPerSecond, bytes: bodyBytes });
  const open = async (): Promise<number> => {
    const rows = await database.query("SELECT FROM storage.uploads WHERE state = 'open'");
    return rows.length;
  };
  try {
    await until(async () => (await open()) === count, { timeoutMs: 30_000, what: 'all uploads have begun' });
    const sample = await infos(parts);
    if ((await open()) !== count) throw new Error('An upload ended before the requests beside it did');
    await uploads.finish();
    return sample;
  } finally {
    uploads.abort();
  }
}

const share = { p50: 'p50_ms', p95: 'p95_ms', p99: 'p99_ms' } as const;

async function run(context: BenchContext): Promise<BenchResult> {
  const service = await startBenchService(context, 'slow-uploads', { DB_MAX_CONNS: String(databaseConnections) });
  const load = startHttpLoad();
  try {
    const path = '/storage/v1/object/bench/small/{n}';
    const fill = { method: 'POST', path, body_bytes: 100, statuses: [200, 201] } as const;
    await load.send({ ...fill, port: service.port, headers: service.headers, connections: 8, count: objects });
    await service.database.query('ANALYZE');
    const parts = { context, service, load };
    const all = await inTurns(context, 'info beside slow uploads', {
      rowlock: async (round) => await besideUploads(parts, round),
      alone: async () => await infos(parts),
    });
    const figures = (['p50', 'p95', 'p99'] as const)
      .map((which): Measured => {
        const values = (samples: readonly HttpSample[]): readonly number[] => samples.map((each) => each[share[which]]);
        return {
          id: `info_beside_uploads_${which}_ms`,
          title: `info beside ${uploadsAtOnce} uploads at 1 KB/s, pool of ${databaseConnections}, ${which}`,
          unit: 'ms',
          better: 'lower',
          values: values(all.rowlock),
          beside: [{ name: 'info without them', kind: 'ceiling', values: values(all.alone) }],
        };
      })
      .filter(({ id }) => isWanted(context, id));
    const details = { uploads: uploadsOf(context), database_connections: databaseConnections, samples: all };
    return { figures, details };
  } finally {
    await service.stop();
    await load.stop();
  }
}

export const slowUploads: Benchmark = {
  name: 'slow-uploads',
  summary: 'info beside 200 uploads at 1 KB/s on five database connections, beside info without them',
  needs: [],
  run,
};
