/**
 * What the three thumbnails of a 12-megapixel JPEG cost: in this process, in a decoder process, and against two
 * ceilings of the same run, libvips alone decoding to the size that is needed, and to the smallest that libjpeg offers
 * (which is little more than reading the file's entropy code). Ways alternate, so that a busy machine is unfair to none.
 */
import { execFile } from 'node:child_process';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { DecoderPool } from '../../packages/server/dist/imaging/decoder-pool.js';
import { variantPresets } from '../../packages/server/dist/imaging/presets.js';
import { renderVariants } from '../../packages/server/dist/imaging/render.js';
import { type BenchContext, type Benchmark, type BenchResult, isWanted, type Measured } from './measure/benchmark.ts';
import { residentMiB } from './measure/process-usage.ts';
import { inTurns, type Turn } from './measure/rounds.ts';
import { spreadOf } from './measure/statistics.ts';

/** Pictures of one turn: their median is the turn's value. */
const picturesPerTurn = 5;

async function decodeOnly(photo: Buffer, width: number, height: number): Promise<void> {
  await sharp(photo, { failOn: 'warning' }).resize({ width, height, fit: 'fill' }).raw().toBuffer();
}

/** A backend gives what is larger than 256 KiB as a stream of such pieces. */
function streamOf(photo: Buffer): Readable {
  const pieces = Array.from({ length: Math.ceil(photo.length / 2 ** 18) }, (_, i) =>
    photo.subarray(i * 2 ** 18, (i + 1) * 2 ** 18),
  );
  return Readable.from(pieces);
}

async function photos(): Promise<Readonly<Record<'plain' | 'progressive', Buffer>>> {
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  const picture = sharp({ create: { width: 4000, height: 3000, channels: 3, background: 'teal', noise } }).blur(2);
  return {
    plain: await picture.clone().jpeg({ quality: 90 }).toBuffer(),
    progressive: await picture.clone().jpeg({ quality: 90, progressive: true }).toBuffer(),
  };
}

/** A turn that does something several times and says how many milliseconds it took, at the median. */
function timed({ short }: BenchContext, work: () => Promise<unknown>): Turn<number> {
  return async () => {
    const times: number[] = [];
    for (let picture = 0; picture < (short ? 1 : picturesPerTurn); picture += 1) {
      const begin = performance.now();
      await work();
      times.push(performance.now() - begin);
    }
    return spreadOf(times).median;
  };
}

async function rendered(context: BenchContext, pool: DecoderPool, kind: string, photo: Buffer): Promise<Measured> {
  const all = await inTurns(context, `thumbnails of a ${kind} JPEG`, {
    decoder: timed(context, () => pool.render({ size: photo.length, stream: streamOf(photo) }, variantPresets)),
    here: timed(context, () => renderVariants(photo, variantPresets)),
    decode: timed(context, () => decodeOnly(photo, 1067, 800)),
    smallest: timed(context, () => decodeOnly(photo, 500, 375)),
  });
  return {
    id: kind === 'plain' ? 'thumbnails_12_megapixels_ms' : `thumbnails_12_megapixels_${kind}_ms`,
    title: `three thumbnails of a ${kind} JPEG of 12 megapixels`,
    unit: 'ms',
    better: 'lower',
    values: all.decoder,
    beside: [
      { name: 'without a decoder process', kind: 'ceiling', values: all.here },
      { name: 'libvips decoding to the size needed', kind: 'ceiling', values: all.decode },
      { name: 'libvips decoding to an eighth', kind: 'ceiling', values: all.smallest },
    ],
  };
}

/** Starts a process and renders a small picture with it. */
async function coldStart(context: BenchContext): Promise<Measured> {
  const small = await sharp({ create: { width: 30, height: 20, channels: 3, background: 'teal' } })
    .jpeg()
    .toBuffer();
  const all = await inTurns(context, 'start of a decoder process', {
    decoder: timed(context, async () => {
      const cold = new DecoderPool({ size: 1 });
      await cold.render({ size: small.length, stream: Readable.from([small]), bytes: small }, variantPresets);
      await cold.stop();
    }),
    node: timed(context, () => promisify(execFile)(process.execPath, ['-e', ''])),
  });
  return {
    id: 'decoder_start_ms',
    title: 'start of a decoder process, to its end after one picture',
    unit: 'ms',
    better: 'lower',
    values: all.decoder,
    beside: [{ name: 'an empty Node process', kind: 'ceiling', values: all.node }],
  };
}

async function run(context: BenchContext): Promise<BenchResult> {
  const pool = new DecoderPool({ size: 1 });
  const figures: Measured[] = [];
  try {
    for (const [kind, photo] of Object.entries(await photos())) {
      if (isWanted(context, 'thumbnails')) figures.push(await rendered(context, pool, kind, photo));
    }
    const details = { decoder_resident_mib: residentMiB(pool.pids.filter((pid) => pid !== undefined)) };
    if (isWanted(context, 'decoder_start_ms')) figures.push(await coldStart(context));
    return { figures, details };
  } finally {
    await pool.stop();
  }
}

export const thumbnails: Benchmark = {
  name: 'thumbnails',
  summary: 'three thumbnails of 12 megapixels by a decoder process, beside libvips decoding alone',
  needs: [],
  untimed: true,
  run,
};
