/**
 * Resident memory of the service while large files go up and come down again, one and sixteen at once, with the memory
 * of nginx doing the same where it is installed. The peak of the service's own process is the kernel's; its children and
 * nginx are looked at often, and a peak of theirs between two looks is not seen.
 */
import { requires } from '@rowlock/test-harness';
import { type HttpLoad, startHttpLoad } from './load/http-load.ts';
import type { HttpOrder } from './load/http-order.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { peakMiB, resetPeak, residentMiB, withChildren } from './measure/process-usage.ts';
import { inTurns, type Turn } from './measure/rounds.ts';
import { type Nginx, startNginx } from './peers/nginx.ts';
import { type BenchService, startBenchService } from './service/service-process.ts';

const lookEveryMs = 20;
const directions = ['upload', 'download'] as const;
const crowdRoundsMax = 2;

/** So many clients, each with a file of its own. */
interface Crowd {
  readonly clients: number;
  readonly prefix: string;
  readonly title: string;
}

const crowds: readonly Crowd[] = [
  { clients: 1, prefix: '', title: 'of 1 GiB' },
  { clients: 16, prefix: 'clients_16_', title: 'of 1 GiB by each of 16 clients' },
];

interface Peaks {
  readonly idle_mib: number;
  readonly upload_mib: number;
  readonly download_mib: number;
}

interface Parts {
  readonly context: BenchContext;
  readonly load: HttpLoad;
  readonly service: BenchService;
  /** Without it nothing but the idle process stands beside ours. */
  readonly nginx: Nginx | undefined;
}

/** The greatest memory of processes together while something is done. */
async function peakOf(pids: readonly number[], work: () => Promise<unknown>): Promise<number> {
  const [root = 0] = pids;
  const isReset = resetPeak(root);
  let peak = residentMiB(pids);
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMiB(pids));
  }, lookEveryMs);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return isReset ? Math.max(peak, peakMiB(root)) : peak;
}

function idOf(crowd: Crowd, direction: (typeof directions)[number]): string {
  return `${crowd.prefix}${direction}_1g_rss_mib`;
}

function turnOf(
  { load, context }: Parts,
  { clients }: Crowd,
  to: Pick<HttpOrder, 'port' | 'path' | 'headers'> & { readonly pid: number },
): Turn<Peaks> {
  const bytes = context.short ? 16 * 2 ** 20 : 2 ** 30;
  const { pid, ...target } = to;
  const order = { connections: clients, count: clients, ...target } as const;
  const upload = { ...order, method: 'PUT', body_bytes: bytes, statuses: [200, 201, 204] } as const;
  const download = { ...order, method: 'GET', statuses: [200], answer_bytes: bytes } as const;
  const pids = withChildren(pid);
  return async () => ({
    idle_mib: residentMiB(pids),
    upload_mib: await peakOf(pids, async () => await load.send(upload)),
    download_mib: await peakOf(pids, async () => await load.send(download)),
  });
}

async function measure(parts: Parts, crowd: Crowd): Promise<{ figures: readonly Measured[]; details: object }> {
  const { context, service, nginx } = parts;
  const wanted = directions.filter((direction) => isWanted(context, idOf(crowd, direction)));
  if (wanted.length === 0) return { figures: [], details: {} };
  const { port, headers, pid } = service;
  const { clients } = crowd;
  const path = `large-${clients}/{n}`;
  // Sixteen files are as many GiB for every turn.
  const turns = clients === 1 ? context : { ...context, brief: true, rounds: Math.min(context.rounds, crowdRoundsMax) };
  const all = await inTurns(turns, `memory, ${clients} at once`, {
    rowlock: turnOf(parts, crowd, { port, path: `/storage/v1/object/bench/${path}`, headers, pid }),
    nginx: nginx && turnOf(parts, crowd, { port: nginx.port, path: `/${path}`, headers: {}, pid: nginx.pid }),
  });
  const figures = wanted.map((direction): Measured => {
    const peaks = (samples: readonly Peaks[]): readonly number[] => samples.map((each) => each[`${direction}_mib`]);
    const idle = all.rowlock.map(({ idle_mib }) => idle_mib);
    return {
      id: idOf(crowd, direction),
      title: `resident memory during ${direction} ${crowd.title}`,
      unit: 'MiB',
      better: 'lower',
      values: peaks(all.rowlock),
      beside: [
        { name: 'the same service before', kind: 'ceiling', values: idle },
        ...(nginx === undefined ? [] : [{ name: 'nginx', kind: 'peer', values: peaks(all.nginx) } as const]),
      ],
    };
  });
  return { figures, details: all };
}

async function run(context: BenchContext): Promise<BenchResult> {
  const service = await startBenchService(context, 'memory');
  const load = startHttpLoad();
  const nginx = !context.brief && requires('nginx') === false ? await startNginx() : undefined;
  try {
    const parts = { context, load, service, nginx };
    const figures: Measured[] = [];
    const details: Record<string, unknown> = {};
    for (const crowd of crowds) {
      const measured = await measure(parts, crowd);
      figures.push(...measured.figures);
      details[`clients_${crowd.clients}`] = measured.details;
    }
    return { figures, programs: nginx === undefined ? {} : { nginx: nginx.version }, details };
  } finally {
    await nginx?.stop();
    await service.stop();
    await load.stop();
  }
}

export const memory: Benchmark = {
  name: 'memory',
  summary: 'resident memory during upload and download of 1 GiB, one and sixteen at once, beside nginx',
  needs: [],
  untimed: true,
  run,
};
