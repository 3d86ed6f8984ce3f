/**
 * Resident memory of the service while one large file goes up and comes down again, with the memory of nginx doing the
 * same where it is installed. Memory is what the kernel says, looked at often; a peak between two looks is not seen.
 */
import { requires } from '@rowlock/test-harness';
import { startHttpLoad } from './load/http-load.ts';
import type { HttpOrder } from './load/http-order.ts';
import type { BenchContext, Benchmark, BenchResult, Measured } from './measure/benchmark.ts';
import { residentMiB, withChildren } from './measure/process-usage.ts';
import { inTurns, type Turn } from './measure/rounds.ts';
import { startNginx } from './peers/nginx.ts';
import { startBenchService } from './service/service-process.ts';

const lookEveryMs = 20;

interface Peaks {
  readonly idle_mib: number;
  readonly upload_mib: number;
  readonly download_mib: number;
}

/** The greatest memory of processes together while something is done. */
async function peakOf(pids: readonly number[], work: () => Promise<unknown>): Promise<number> {
  let peak = residentMiB(pids);
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMiB(pids));
  }, lookEveryMs);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return peak;
}

async function run(context: BenchContext): Promise<BenchResult> {
  const bytes = context.short ? 64 * 2 ** 20 : 2 ** 30;
  const load = startHttpLoad();
  const service = await startBenchService(context, 'memory');
  const nginx = requires('nginx') === false ? await startNginx() : undefined;
  try {
    const turn = (pid: number, to: Pick<HttpOrder, 'port' | 'path' | 'headers'>): Turn<Peaks> => {
      const order = { connections: 1, count: 1, ...to } as const;
      const upload = { ...order, method: 'PUT', body_bytes: bytes, statuses: [200, 201, 204] } as const;
      const download = { ...order, method: 'GET', statuses: [200], answer_bytes: bytes } as const;
      const pids = withChildren(pid);
      return async () => ({
        idle_mib: residentMiB(pids),
        upload_mib: await peakOf(pids, async () => await load.send(upload)),
        download_mib: await peakOf(pids, async () => await load.send(download)),
      });
    };
    const { port, headers } = service;
    const all = await inTurns(context, 'memory', {
      rowlock: turn(service.pid, { port, path: '/storage/v1/object/bench/large', headers }),
      nginx: nginx && turn(nginx.pid, { port: nginx.port, path: '/large', headers: {} }),
    });
    return {
      figures: (['upload', 'download'] as const).map((what): Measured => {
        const peaks = (samples: readonly Peaks[]): readonly number[] => samples.map((each) => each[`${what}_mib`]);
        return {
          id: `${what}_1g_rss_mib`,
          title: `resident memory during ${what} of 1 GiB`,
          unit: 'MiB',
          better: 'lower',
          values: peaks(all.rowlock),
          beside: nginx === undefined ? [] : [{ name: 'nginx', kind: 'peer', values: peaks(all.nginx) }],
        };
      }),
      programs: nginx === undefined ? {} : { nginx: nginx.version },
      details: { bytes, ...all },
    };
  } finally {
    await nginx?.stop();
    await service.stop();
    await load.stop();
  }
}

export const memory: Benchmark = {
  name: 'memory',
  summary: 'resident memory during upload and download of 1 GiB, beside nginx where it is installed',
  needs: [],
  untimed: true,
  run,
};
