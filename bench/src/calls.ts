/**
 * Small calls that move no bytes: signing a URL and listing a thousand objects, one caller at a time, so that the
 * figures are latencies of an idle service. Beside them what HTTP alone and what PostgreSQL alone take.
 */
import { closedLoop } from './load/closed-loop.ts';
import { type HttpLoad, startHttpLoad } from './load/http-load.ts';
import type { HttpOrder } from './load/http-order.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { inTurns } from './measure/rounds.ts';
import { CallerTransactions } from './service/caller-transactions.ts';
import { type BenchService, startBenchService } from './service/service-process.ts';

const claims = { sub: 'ann', role: 'authenticated' } as const;

interface Parts {
  readonly context: BenchContext;
  /** How many there are to sign and to list. */
  readonly objects: number;
  readonly service: BenchService;
  readonly load: HttpLoad;
}

const middles = (samples: readonly { readonly p50_ms: number }[]): readonly number[] =>
  samples.map(({ p50_ms }) => p50_ms);

function orderOf({ context, service }: Parts): Pick<HttpOrder, 'port' | 'connections' | 'seconds' | 'headers'> {
  return { port: service.port, connections: 1, seconds: context.seconds, headers: service.headers };
}

async function signs(parts: Parts): Promise<Measured> {
  const order = { ...orderOf(parts), statuses: [200] };
  const headers = { ...parts.service.headers, 'content-type': 'application/json' };
  const path = '/storage/v1/object/sign/bench/small/{n}';
  const sign = {
    ...order,
    path,
    headers,
    method: 'POST',
    names: parts.objects,
    body_text: '{"expiresIn":60}',
  } as const;
  const all = await inTurns(parts.context, 'sign', {
    rowlock: async () => await parts.load.send(sign),
    alive: async () => await parts.load.send({ ...order, method: 'GET', path: '/healthz' }),
  });
  return {
    id: 'sign_p50_ms',
    title: 'sign a URL, p50',
    unit: 'ms',
    better: 'lower',
    values: middles(all.rowlock),
    beside: [{ name: 'the same service, /healthz', kind: 'ceiling', values: middles(all.alive) }],
  };
}

async function lists(parts: Parts): Promise<Measured> {
  const { context, objects, service, load } = parts;
  const headers = { ...service.headers, 'content-type': 'application/json' };
  const body_text = JSON.stringify({ prefix: 'small', limit: objects });
  const path = '/storage/v1/object/list/bench';
  const list = { ...orderOf(parts), headers, method: 'POST', path, body_text, statuses: [200] } as const;
  const callers = new CallerTransactions(service.database.apiUrl, { connections: 1, role: claims.role, claims });
  const select = {
    name: 'bare_list',
    text: `SELECT name, id, created_at, updated_at, last_accessed_at, metadata FROM storage.objects
           WHERE bucket_id = 'bench' AND name >= 'small/' AND starts_with(name, 'small/') ORDER BY name LIMIT ${objects}`,
  };
  const all = await inTurns(context, 'list', {
    rowlock: async () => await load.send(list),
    bare: async () =>
      await closedLoop({ concurrency: 1, seconds: context.seconds }, async () => {
        const rows = await callers.run(select, []);
        if (JSON.stringify(rows).length < objects || rows.length !== objects) throw new Error('Objects are missing');
      }),
  });
  await callers.close();
  return {
    id: 'list_1000_p50_ms',
    title: 'list 1,000 objects, p50',
    unit: 'ms',
    better: 'lower',
    values: middles(all.rowlock),
    beside: [{ name: 'bare select as a caller', kind: 'ceiling', values: middles(all.bare) }],
  };
}

async function run(context: BenchContext): Promise<BenchResult> {
  const service = await startBenchService(context, 'calls');
  const load = startHttpLoad();
  try {
    const objects = context.short ? 50 : 1000;
    const parts = { context, objects, service, load };
    const path = '/storage/v1/object/bench/small/{n}';
    const fill = { method: 'POST', path, body_bytes: 100, statuses: [200, 201] } as const;
    await load.send({ ...fill, port: service.port, headers: service.headers, connections: 8, count: objects });
    await service.database.query('ANALYZE');
    const figures = [
      ...(isWanted(context, 'sign_p50_ms') ? [await signs(parts)] : []),
      ...(isWanted(context, 'list_1000_p50_ms') ? [await lists(parts)] : []),
    ];
    return { figures };
  } finally {
    await service.stop();
    await load.stop();
  }
}

export const calls: Benchmark = {
  name: 'calls',
  summary: 'signing a URL and listing 1,000 objects, one caller at a time',
  needs: [],
  run,
};
