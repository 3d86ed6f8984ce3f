/**
 * Signed URLs under load: signing one and a thousand at once, opening one, and `info`, which looks an object up the same
 * way, all over HTTP; and the tokens alone, on one core. Beside them the least that each could cost: bare transactions of
 * a caller, and HTTP that does nothing.
 */
import { createUrlSigner } from '../../packages/server/dist/auth/signed-url.js';
import { closedLoop, type LoopSample } from './load/closed-loop.ts';
import { type HttpLoad, startHttpLoad } from './load/http-load.ts';
import type { HttpOrder, HttpSample } from './load/http-order.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { inTurns } from './measure/rounds.ts';
import { CallerTransactions } from './service/caller-transactions.ts';
import { type BenchService, startBenchService } from './service/service-process.ts';

const claims = { sub: 'ann', role: 'authenticated' } as const;
const namesAtOnce = 1000;
const json = { 'content-type': 'application/json' };

interface Parts {
  readonly context: BenchContext;
  readonly service: BenchService;
  readonly load: HttpLoad;
  readonly bare: CallerTransactions;
  /** A signed URL's path and query. */
  readonly signed: string;
}

const rate = { unit: '1/s', better: 'higher' } as const;
const rates = (samples: readonly { readonly per_second: number }[]): readonly number[] =>
  samples.map(({ per_second }) => per_second);
const selectMany = {
  name: 'bare_look_many',
  text: 'SELECT name, id FROM storage.objects WHERE bucket_id = $1 AND name = ANY ($2)',
};
const select = { name: 'bare_look', text: 'SELECT id FROM storage.objects WHERE bucket_id = $1 AND name = $2' };

/** One kind of request, beside a bare transaction that finds the same row, with as many connections. */
async function request(
  { context, service, load, bare }: Parts,
  figure: { readonly id: string; readonly title: string },
  order: Pick<HttpOrder, 'method' | 'path'> & Partial<HttpOrder>,
): Promise<readonly Measured[]> {
  if (!isWanted(context, figure.id)) return [];
  const { connections, seconds } = context;
  const shared = { port: service.port, connections, seconds, statuses: [200], headers: service.headers };
  const all = await inTurns(context, figure.title, {
    rowlock: async (): Promise<HttpSample> => await load.send({ ...shared, names: namesAtOnce, ...order }),
    bare: async (): Promise<LoopSample> =>
      await closedLoop({ concurrency: connections, seconds }, async (n) => {
        const rows = await bare.run(select, ['bench', `small/${n % namesAtOnce}`]);
        if (rows.length !== 1) throw new Error('The bare transaction found nothing');
      }),
  });
  const beside = { name: 'bare select as a caller', kind: 'ceiling', values: rates(all.bare) } as const;
  return [{ ...figure, ...rate, values: rates(all.rowlock), beside: [beside] }];
}

async function requests(parts: Parts): Promise<readonly Measured[]> {
  const headers = { ...parts.service.headers, ...json };
  const body_text = '{"expiresIn":60}';
  const sign = { method: 'POST', path: '/storage/v1/object/sign/bench/small/{n}', headers, body_text } as const;
  const info = { method: 'GET', path: '/storage/v1/object/info/bench/small/{n}' } as const;
  const open = { method: 'GET', path: parts.signed, headers: {} } as const;
  return [
    ...(await request(parts, { id: 'sign_per_second', title: 'sign a URL' }, sign)),
    ...(await request(parts, { id: 'info_per_second', title: 'info of an object' }, info)),
    ...(await request(parts, { id: 'download_signed_per_second', title: 'download 100 bytes by a signed URL' }, open)),
  ];
}

async function batches({ context, service, load, bare }: Parts): Promise<readonly Measured[]> {
  if (!isWanted(context, 'sign_batch_names_per_second')) return [];
  const paths = Array.from({ length: namesAtOnce }, (_, n) => `small/${n}`);
  const headers = { ...service.headers, ...json };
  const { seconds } = context;
  const connections = Math.min(4, context.connections);
  const samples = await inTurns(context, 'sign 1,000 at once', {
    rowlock: async () =>
      await load.send({
        port: service.port,
        connections,
        seconds,
        statuses: [200],
        headers,
        method: 'POST',
        path: '/storage/v1/object/sign/bench',
        body_text: JSON.stringify({ expiresIn: 60, paths }),
      }),
    bare: async () =>
      await closedLoop({ concurrency: connections, seconds }, async () => {
        const rows = await bare.run(selectMany, ['bench', paths]);
        if (rows.length !== namesAtOnce) throw new Error('The bare transaction did not find all');
      }),
  });
  const names = (all: readonly { readonly per_second: number }[]): readonly number[] =>
    rates(all).map((batches) => batches * namesAtOnce);
  const figure = { id: 'sign_batch_names_per_second', title: 'names signed, 1,000 in a request', ...rate };
  const beside = { name: 'bare select of as many', kind: 'ceiling', values: names(samples.bare) } as const;
  return [{ ...figure, values: names(samples.rowlock), beside: [beside] }];
}

/** Tokens without a database and without HTTP, in this process. */
async function tokens(context: BenchContext): Promise<readonly Measured[]> {
  if (!isWanted(context, 'sign_tokens_per_second')) return [];
  const signer = createUrlSigner({ current: { id: 'bench', secret: 'a-secret-for-benchmarks-of-40-characters' } });
  const stamp = { issuer: 'bench-bench-benc', signed_at: (Date.now() / 1000).toFixed(6), expirySeconds: 60 };
  const objects = Array.from({ length: namesAtOnce }, (_, n) => ({
    name: `small/${n}`,
    object_id: `01234567-89ab-4def-8123-${String(n).padStart(12, '0')}`,
  }));
  const once = async (): Promise<number> => {
    const end = performance.now() + context.seconds * 1000;
    const begun = performance.now();
    let count = 0;
    while (performance.now() < end) {
      const sign = signer.signing('bench', { method: 'GET' }, stamp);
      for (const object of objects) count += sign(object).token.length > 0 ? 1 : 0;
    }
    return (count * 1000) / (performance.now() - begun);
  };
  const samples = await inTurns(context, 'tokens', { rowlock: once });
  return [{ id: 'sign_tokens_per_second', title: 'tokens of signed URLs, one core', ...rate, values: samples.rowlock }];
}

async function arrange(context: BenchContext, service: BenchService, load: HttpLoad): Promise<Parts> {
  const path = '/storage/v1/object/bench/small/{n}';
  const fill = { method: 'POST', path, body_bytes: 100, statuses: [200, 201] } as const;
  await load.send({ ...fill, port: service.port, headers: service.headers, connections: 8, count: namesAtOnce });
  await service.database.query('ANALYZE');
  const answer = await fetch(`http://127.0.0.1:${service.port}/storage/v1/object/sign/bench/small/1`, {
    method: 'POST',
    headers: { ...service.headers, ...json },
    body: '{"expiresIn":86400}',
  });
  const { url } = (await answer.json()) as { readonly url: string };
  const { pathname, search } = new URL(url);
  const { connections } = context;
  const bare = new CallerTransactions(service.database.apiUrl, { connections, role: claims.role, claims });
  return { context, service, load, bare, signed: `${pathname}${search}` };
}

async function run(context: BenchContext): Promise<BenchResult> {
  const service = await startBenchService(context, 'signing');
  const load = startHttpLoad();
  try {
    const parts = await arrange(context, service, load);
    try {
      return { figures: [...(await requests(parts)), ...(await batches(parts)), ...(await tokens(context))] };
    } finally {
      await parts.bare.close();
    }
  } finally {
    await service.stop();
    await load.stop();
  }
}

export const signing: Benchmark = {
  name: 'signing',
  summary: 'signing one URL and a thousand, opening one, and info, under load',
  needs: [],
  run,
};
