/**
 * Moving bytes: small and large files up and down, beside nginx on the same disk from the same load, and beside the
 * least that a durable write costs. nginx asks nobody whether a caller may and syncs nothing; that is the point of the
 * second comparison.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type HttpLoad, startHttpLoad } from './load/http-load.ts';
import type { HttpOrder, HttpSample } from './load/http-order.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { cpuSecondsBelow } from './measure/process-usage.ts';
import { inTurns } from './measure/rounds.ts';
import { durableWritesPerSecond } from './peers/durable-writes.ts';
import { type Nginx, startNginx } from './peers/nginx.ts';
import { type BenchService, startBenchService } from './service/service-process.ts';

/** A size of files: how it is called, and how many different ones are downloaded. */
interface Size {
  readonly name: '10k' | '64m';
  readonly title: string;
  readonly bytes: number;
  readonly files: number;
  /** Uploads of large files overwrite so many names in turn; small ones are all new. */
  readonly names: number | undefined;
}

const kibi = 1024;
const small: Size = { name: '10k', title: '10 KB', bytes: 10 * kibi, files: 1000, names: undefined };
const large: Size = { name: '64m', title: '64 MiB', bytes: 64 * kibi ** 2, files: 4, names: 32 };

interface Parts {
  readonly context: BenchContext;
  readonly service: BenchService;
  readonly nginx: Nginx;
  readonly load: HttpLoad;
  readonly postgresPid: number | undefined;
}

type Rate = Pick<HttpSample, 'per_second' | 'mib_per_second'>;

/** A sample with what it cost each side, in microseconds of processor time a request. */
type CostedSample = HttpSample & { readonly server_cpu_us: number | null; readonly postgres_cpu_us: number | null };

async function run(context: BenchContext): Promise<BenchResult> {
  const nginx = await startNginx();
  const load = startHttpLoad();
  try {
    const service = await startBenchService(context, 'bytes');
    try {
      const postgresPid = (await context.postgres()).pid;
      return await measure({ context, service, nginx, load, postgresPid });
    } finally {
      await service.stop();
    }
  } finally {
    await load.stop();
    await nginx.stop();
  }
}

async function measure(parts: Parts): Promise<BenchResult> {
  const figures: Measured[] = [];
  const samples: Record<string, unknown> = {};
  const wanted = [
    ...[small, large].map((size) => ({ id: idOf('download', size), one: async () => await downloads(parts, size) })),
    ...[small, large].map((size) => ({ id: idOf('upload', size), one: async () => await uploads(parts, size) })),
  ];
  for (const { id, one } of wanted.filter((each) => isWanted(parts.context, each.id))) {
    const { figure, all } = await one();
    figures.push(figure);
    samples[id] = all;
  }
  return {
    figures,
    programs: { nginx: parts.nginx.version },
    details: { load_pinned_to_cpu: parts.load.cpu ?? null, nginx_workers: 2, samples },
  };
}

function bytesOf({ short }: BenchContext, size: Size): number {
  return short ? Math.min(size.bytes, 4 * kibi ** 2) : size.bytes;
}

async function downloads(parts: Parts, size: Size): Promise<{ figure: Measured; all: object }> {
  const { context, load, service, nginx } = parts;
  const path = `${size.name}-down/{n}`;
  const files = context.short ? 2 : size.files;
  const fill = {
    connections: 4,
    count: files,
    body_bytes: bytesOf(context, size),
    method: 'PUT',
    statuses: [200, 201],
  } as const;
  await load.send({ ...fill, ...ofRowlock(service, path) });
  await load.send({ ...fill, ...ofNginx(nginx, path) });
  const order = {
    connections: context.connections,
    seconds: context.seconds,
    method: 'GET',
    names: files,
    statuses: [200],
    answer_bytes: bytesOf(context, size),
  } as const;
  const all = await inTurns(context, `download ${size.title}`, {
    rowlock: async () => await costed(parts, service.pid, { ...order, ...ofRowlock(service, path) }),
    nginx: async () => await costed(parts, nginx.pid, { ...order, ...ofNginx(nginx, path) }),
  });
  return { figure: figureOf('download', size, all), all };
}

async function uploads(parts: Parts, size: Size): Promise<{ figure: Measured; all: object }> {
  const { context, service, nginx } = parts;
  const order = {
    connections: context.connections,
    seconds: context.seconds,
    body_bytes: bytesOf(context, size),
    statuses: [200, 201, 204],
    ...(size.names === undefined ? {} : { names: size.names }),
  } as const;
  /** POST creates and refuses to replace, PUT may replace. */
  const method = size.names === undefined ? 'POST' : 'PUT';
  const folderOf = (round: number): string => `${size.name}-up${size.names === undefined ? round : ''}`;
  const all = await inTurns(context, `upload ${size.title}`, {
    rowlock: async (round) => {
      const path = `${folderOf(round)}/{n}`;
      return settled(context, await costed(parts, service.pid, { ...order, method, ...ofRowlock(service, path) }));
    },
    nginx: async (round) => {
      const path = `${folderOf(round)}/{n}`;
      const sample = await costed(parts, nginx.pid, { ...order, method: 'PUT', ...ofNginx(nginx, path) });
      rmSync(join(nginx.root, folderOf(round)), { recursive: true });
      return settled(context, sample);
    },
    writes: async () => {
      const { connections: concurrency, seconds } = order;
      const per_second = await durableWritesPerSecond({ bytes: bytesOf(context, size), concurrency, seconds });
      return settled(context, { per_second, mib_per_second: (per_second * bytesOf(context, size)) / 2 ** 20 });
    },
  });
  const figure = figureOf('upload', size, all);
  const ceiling = { name: 'bare durable write', kind: 'ceiling', values: all.writes.map(rateOf(size)) } as const;
  return { figure: { ...figure, beside: [...(figure.beside ?? []), ceiling] }, all };
}

/** What one left to be written must not disturb the next one's turn. */
function settled<T>({ short }: BenchContext, sample: T): T {
  if (!short) spawnSync('sync');
  return sample;
}

function figureOf(
  direction: 'upload' | 'download',
  size: Size,
  all: Readonly<Record<'rowlock' | 'nginx', readonly Rate[]>>,
): Measured {
  const isSmall = size === small;
  return {
    id: idOf(direction, size),
    title: `${direction} ${size.title}`,
    unit: isSmall ? '1/s' : 'MiB/s',
    better: 'higher',
    values: all.rowlock.map(rateOf(size)),
    beside: [{ name: 'nginx', kind: 'peer', values: all.nginx.map(rateOf(size)) }],
  };
}

function idOf(direction: 'upload' | 'download', size: Size): string {
  return `${direction}_${size.name}_${size === small ? 'per_second' : 'mib_per_second'}`;
}

/** Small files are counted, large ones weighed. */
function rateOf(size: Size): (rate: Rate) => number {
  return (rate) => (size === small ? rate.per_second : rate.mib_per_second);
}

function ofRowlock(service: BenchService, path: string): Pick<HttpOrder, 'port' | 'path' | 'headers'> {
  const headers = { ...service.headers, 'content-type': 'application/octet-stream' };
  return { port: service.port, path: `/storage/v1/object/bench/${path}`, headers };
}

function ofNginx(nginx: Nginx, path: string): Pick<HttpOrder, 'port' | 'path' | 'headers'> {
  return { port: nginx.port, path: `/${path}`, headers: {} };
}

async function costed({ load, postgresPid }: Parts, pid: number, order: HttpOrder): Promise<CostedSample> {
  const before = [cpuSecondsBelow(pid), postgresPid && cpuSecondsBelow(postgresPid)];
  const sample = await load.send(order);
  const after = [cpuSecondsBelow(pid), postgresPid && cpuSecondsBelow(postgresPid)];
  const [server, postgres] = before.map((seconds, at) => {
    const later = after[at];
    return seconds === undefined || later === undefined ? null : (1e6 * (later - seconds)) / sample.count;
  });
  return { ...sample, server_cpu_us: server ?? null, postgres_cpu_us: postgres ?? null };
}

export const bytes: Benchmark = {
  name: 'bytes',
  summary: 'upload and download of 10 KB and 64 MiB, beside nginx and a bare durable write',
  needs: ['nginx'],
  run,
};
