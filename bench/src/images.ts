/**
 * Photographs from their upload to their thumbnails, as deployed: a backlog of four sizes, worked by one process that has
 * been started for it, with its most memory; and one photograph at a time, from its commit to the last of its thumbnails.
 * Beside it stands what the same decoders do of the same photographs with nothing read, stored or written down.
 */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { temporaryFolder, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { variantPresets } from '../../packages/server/dist/imaging/presets.js';
import { DecoderPool } from '../../packages/server/dist/imaging/processes/decoder-pool.js';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { residentMiB, withChildren } from './measure/process-usage.ts';
import { inTurns } from './measure/rounds.ts';
import { latenciesOf } from './measure/statistics.ts';
import { type BenchService, startBenchService } from './service/service-process.ts';
import { startNode } from './service/signer-process.ts';

/** Width and height of what phones make, of 2, 5, 12 and 20 megapixels. */
const sizes = [
  [1632, 1224],
  [2592, 1944],
  [4000, 3000],
  [5472, 3648],
] as const;
/** The greatest differences in work are between sizes, so each is there as often. */
const eachOf = { short: 1, long: 40 } as const;
const decodersAtOnce = 2;
const lookEveryMs = 50;
/** Long enough that nothing of the photograph before is still going on. */
const pauseMs = 400;

const program = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url));

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Blurred noise, which makes a file as large as a camera's. */
async function photographs({ short }: BenchContext): Promise<readonly Buffer[]> {
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  const scale = short ? 1 / 16 : 1;
  return await Promise.all(
    sizes.map(
      async ([width, height]) =>
        await sharp({
          create: {
            width: Math.round(width * scale),
            height: Math.round(height * scale),
            channels: 3,
            background: 'teal',
            noise,
          },
        })
          .blur(2)
          .jpeg({ quality: 90 })
          .toBuffer(),
    ),
  );
}

async function upload({ port, headers }: BenchService, name: string, photo: Buffer): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/storage/v1/object/bench/${name}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'image/jpeg' },
    body: new Uint8Array(photo),
  });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`An upload answered ${answer.status}`);
}

interface Worked {
  readonly per_minute: number;
  readonly peak_mib: number;
}

/** A process that makes thumbnails and does nothing else, from its first claim to its last picture. */
async function worked(service: BenchService, count: number): Promise<Worked> {
  const folder = temporaryFolder();
  const { NODE_OPTIONS: _, ...shell } = process.env;
  const own = { WORKER_DATABASE_URL: service.database.workerUrl, STORAGE_ROOT: service.root };
  const keys = { S3_ACCESS_KEY_ID: 'BENCHKEY', S3_SECRET_ACCESS_KEY: 'bench-secret-access-key-of-forty-bytes..' };
  const args = [program, 'work', '--queues', 'thumbnails', '--thumbnail-max-workers', String(decodersAtOnce)];
  const worker = startNode(args, { ...shell, ...own, ...keys }, join(folder, 'worker.log'));
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMiB(withChildren(worker.pid)));
  }, lookEveryMs);
  try {
    return await until(
      async () => {
        const [row] = await service.database.query<{ made: number; failed: number; seconds: number }>(
          `SELECT count(*) FILTER (WHERE state = 'completed')::int AS made,
             count(*) FILTER (WHERE errors IS NOT NULL)::int AS failed,
             extract(epoch FROM max(finalized_at) - min(attempted_at))::float8 AS seconds
           FROM metadata.river_job WHERE kind = 'thumbnail_generate'`,
        );
        if ((row?.failed ?? 0) > 0) throw new Error('A photograph has no thumbnails');
        return row?.made === count ? { per_minute: (count * 60) / row.seconds, peak_mib: peak } : undefined;
      },
      { timeoutMs: 300_000, intervalMs: 50, what: 'all photographs have their thumbnails' },
    );
  } finally {
    clearInterval(timer);
    await worker.stop();
  }
}

/** The least that could be done: the decoders' work alone, as many at once. */
async function decoded(photos: readonly Buffer[], count: number): Promise<number> {
  const pool = new DecoderPool({ size: decodersAtOnce });
  try {
    const begun = performance.now();
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < count) {
        const photo = photos[next++ % photos.length] ?? Buffer.alloc(0);
        await pool.render({ size: photo.length, stream: Readable.from([photo]) }, variantPresets);
      }
    };
    await Promise.all(Array.from({ length: decodersAtOnce }, work));
    return (count * 60_000) / (performance.now() - begun);
  } finally {
    await pool.stop();
  }
}

async function backlog(context: BenchContext, photos: readonly Buffer[]): Promise<readonly Measured[]> {
  const ids = { speed: 'images_per_minute', memory: 'images_rss_mib' } as const;
  if (!Object.values(ids).some((id) => isWanted(context, id))) return [];
  const count = photos.length * (context.short ? eachOf.short : eachOf.long);
  const all = await inTurns({ ...context, brief: true }, `${count} photographs`, {
    rowlock: async () => {
      const service = await startBenchService(context, 'images', { QUEUES: 'maintenance' });
      try {
        for (let n = 0; n < count; n += 1)
          await upload(service, `${n}.jpg`, photos[n % photos.length] ?? Buffer.alloc(0));
        return await worked(service, count);
      } finally {
        await service.stop();
      }
    },
    decoders: async () => await decoded(photos, count),
  });
  return [
    {
      id: ids.speed,
      title: 'photographs of 2, 5, 12 and 20 megapixels, one process, per minute',
      unit: '1/min',
      better: 'higher',
      values: all.rowlock.map(({ per_minute }) => per_minute),
      beside: [{ name: 'the decoders alone', kind: 'ceiling', values: all.decoders }],
    },
    {
      id: ids.memory,
      title: 'most resident memory of that process and its decoders',
      unit: 'MiB',
      better: 'lower',
      values: all.rowlock.map(({ peak_mib }) => peak_mib),
    },
  ];
}

/** From the commit of an upload to the last of its thumbnails, by the database's clock. */
async function idle(context: BenchContext, photos: readonly Buffer[]): Promise<readonly Measured[]> {
  const id = 'image_readable_p95_ms';
  if (!isWanted(context, id)) return [];
  const count = context.short ? 2 : 40;
  const service = await startBenchService(context, 'images-idle');
  try {
    const round = async (number: number): Promise<number> => {
      for (let n = 0; n < count; n += 1) {
        await upload(service, `${number}-${n}.jpg`, photos[n % 2] ?? Buffer.alloc(0));
        await pause(pauseMs);
      }
      const rows = await until(
        async () => {
          const found = await service.database.query<{ ms: number | null }>(
            `SELECT CASE WHEN bool_and(v.status = 'completed')
               THEN extract(epoch FROM max(v.updated_at) - o.created_at)::float8 * 1000 END AS ms
             FROM storage.objects AS o JOIN storage.variants AS v ON v.source_version_id = o.version_id
             WHERE o.name LIKE $1 GROUP BY o.id`,
            [`${number}-%`],
          );
          return found.length === count && found.every(({ ms }) => ms !== null) ? found : undefined;
        },
        { timeoutMs: 60_000, what: 'all thumbnails are there' },
      );
      return latenciesOf(rows.map(({ ms }) => ms ?? Number.NaN)).p95_ms;
    };
    const { rowlock } = await inTurns(context, 'one photograph at a time', { rowlock: round });
    const title = 'a photograph of 2 or 5 megapixels, from its commit to its thumbnails, p95';
    return [{ id, title, unit: 'ms', better: 'lower', values: rowlock }];
  } finally {
    await service.stop();
  }
}

async function run(context: BenchContext): Promise<BenchResult> {
  const photos = await photographs(context);
  const figures = [...(await backlog(context, photos)), ...(await idle(context, photos))];
  return { figures, details: { photo_bytes: photos.map(({ length }) => length) } };
}

export const images: Benchmark = {
  name: 'images',
  summary: 'photographs a minute, the memory that takes, and from an upload to its thumbnails',
  needs: [],
  untimed: true,
  defaults: { seconds: 1, rounds: 3 },
  run,
};
