/**
 * A picture on demand, 400 pixels wide of a photograph of 12 megapixels, one caller at a time: from the store once it is kept,
 * and made for the first who asks. Beside the one a download of a stored object of as many bytes, beside the other libvips
 * alone.
 */
import sharp from 'sharp';
import { type HttpLoad, startHttpLoad } from './load/http-load.ts';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { inTurns } from './measure/rounds.ts';
import { spreadOf } from './measure/statistics.ts';
import { type BenchService, startBenchService } from './service/service-process.ts';

const photoPath = '/storage/v1/object/bench/photo.jpg';
const equalPath = '/storage/v1/object/bench/equal.jpg';
/** 400 is a step of nobody's: the next one is 640, and a signed URL has exactly what was signed. */
const transform = { width: 400, format: 'jpeg', quality: 80 } as const;
/** Pictures of one turn: their median is the turn's value. */
const picturesPerTurn = 10;

interface Parts {
  readonly context: BenchContext;
  readonly service: BenchService;
  readonly load: HttpLoad;
  readonly photo: Buffer;
  /** Path and query of the signed URL. */
  readonly signed: string;
}

async function photograph(): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  const picture = sharp({ create: { width: 4000, height: 3000, channels: 3, background: 'teal', noise } }).blur(2);
  return await picture.jpeg({ quality: 90 }).toBuffer();
}

const at = ({ port }: BenchService, path: string): string => `http://127.0.0.1:${port}${path}`;

async function put(service: BenchService, path: string, body: Buffer): Promise<void> {
  const headers = { ...service.headers, 'content-type': 'image/jpeg' };
  const answer = await fetch(at(service, path), { method: 'PUT', headers, body: new Uint8Array(body) });
  if (!answer.ok) throw new Error(`PUT ${path} was answered ${answer.status}`);
}

async function signPicture(service: BenchService): Promise<string> {
  const headers = { ...service.headers, 'content-type': 'application/json' };
  const path = photoPath.replace('/object/', '/object/sign/');
  const answer = await fetch(at(service, path), { method: 'POST', headers, body: JSON.stringify({ transform }) });
  const { pathname, search } = new URL(((await answer.json()) as { readonly url: string }).url);
  return `${pathname}${search}`;
}

async function bytesOf(service: BenchService, path: string): Promise<Buffer> {
  const answer = await fetch(at(service, path));
  if (!answer.ok) throw new Error(`GET ${path} was answered ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

const middles = (samples: readonly { readonly p50_ms: number }[]): readonly number[] =>
  samples.map(({ p50_ms }) => p50_ms);

async function cached({ context, service, load, signed }: Parts): Promise<Measured> {
  await put(service, equalPath, await bytesOf(service, signed));
  const order = {
    port: service.port,
    connections: 1,
    seconds: context.seconds,
    method: 'GET',
    statuses: [200],
  } as const;
  const all = await inTurns(context, 'a picture that is kept', {
    picture: async () => await load.send({ ...order, path: signed, headers: {} }),
    stored: async () => await load.send({ ...order, path: equalPath, headers: service.headers }),
  });
  return {
    id: 'render_cached_p50_ms',
    title: 'picture of 400 px that is kept, p50',
    unit: 'ms',
    better: 'lower',
    values: middles(all.picture),
    beside: [{ name: 'a stored object of its size', kind: 'ceiling', values: middles(all.stored) }],
  };
}

async function first({ context, service, photo, signed }: Parts): Promise<Measured> {
  const several = async (before: () => Promise<unknown>, work: () => Promise<unknown>): Promise<number> => {
    const times: number[] = [];
    for (let picture = 0; picture < (context.short ? 1 : picturesPerTurn); picture += 1) {
      await before();
      const begin = performance.now();
      await work();
      times.push(performance.now() - begin);
    }
    return spreadOf(times).median;
  };
  const forget = () => service.database.query('DELETE FROM storage.variants WHERE preset IS NULL');
  const all = await inTurns(context, 'a picture for the first who asks', {
    picture: () => several(forget, () => bytesOf(service, signed)),
    libvips: () =>
      several(
        async () => undefined,
        () => sharp(photo).resize(400).jpeg({ quality: 80, progressive: true }).toBuffer(),
      ),
  });
  return {
    id: 'render_first_ms',
    title: 'picture of 400 px of 12 megapixels, made for the first who asks',
    unit: 'ms',
    better: 'lower',
    values: all.picture,
    beside: [{ name: 'libvips alone', kind: 'ceiling', values: all.libvips }],
  };
}

async function run(context: BenchContext): Promise<BenchResult> {
  // No thumbnails: they would be made meanwhile.
  const service = await startBenchService(context, 'render', { QUEUES: 'maintenance' });
  const load = startHttpLoad();
  try {
    const photo = await photograph();
    await put(service, photoPath, photo);
    const parts = { context, service, load, photo, signed: await signPicture(service) };
    const figures = [
      ...(isWanted(context, 'render_cached_p50_ms') ? [await cached(parts)] : []),
      ...(isWanted(context, 'render_first_ms') ? [await first(parts)] : []),
    ];
    return { figures };
  } finally {
    await service.stop();
    await load.stop();
  }
}

export const render: Benchmark = {
  name: 'render',
  summary: 'a picture on demand, kept and made, beside a download of its size and libvips alone',
  needs: [],
  run,
};
