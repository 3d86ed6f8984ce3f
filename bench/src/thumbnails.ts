/**
 * What the three thumbnails of a 12-megapixel JPEG cost: in this process, in a decoder process, and against two
 * ceilings of the same run, libvips alone decoding to the size that is needed, and to the smallest that libjpeg offers
 * (which is little more than reading the file's entropy code). Ways alternate, so that a busy machine is unfair to none.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { DecoderPool } from '../../packages/server/dist/imaging/decoder-pool.js';
import { variantPresets } from '../../packages/server/dist/imaging/presets.js';
import { renderVariants } from '../../packages/server/dist/imaging/render.js';
import { machineFacts } from './machine.ts';

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 25);
const pool = new DecoderPool({ size: 1 });

type Ways = Readonly<Record<string, (photo: Buffer) => Promise<unknown>>>;

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

const ways: Ways = {
  in_process: (photo) => renderVariants(photo, variantPresets),
  decoder_process: (photo) => pool.render({ size: photo.length, stream: streamOf(photo) }, variantPresets),
  ceiling_decode: (photo) => decodeOnly(photo, 1067, 800),
  ceiling_smallest: (photo) => decodeOnly(photo, 500, 375),
};

async function photos(): Promise<Readonly<Record<string, Buffer>>> {
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  const picture = sharp({ create: { width: 4000, height: 3000, channels: 3, background: 'teal', noise } }).blur(2);
  return {
    plain: await picture.clone().jpeg({ quality: 90 }).toBuffer(),
    progressive: await picture.clone().jpeg({ quality: 90, progressive: true }).toBuffer(),
  };
}

/** Times every way in turn, and gives the median, the fastest and the ratios that the figures are about. */
async function measure(photo: Buffer): Promise<Record<string, unknown>> {
  const times = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
  for (let round = -2; round < rounds; round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const begin = performance.now();
      await way(photo);
      if (round >= 0) times.get(name)?.push(performance.now() - begin);
    }
  }
  const of = (name: string): number[] => times.get(name) ?? [];
  const median = (name: string): number => medianOf(of(name));
  const fastest = (name: string): number => Math.min(...of(name));
  return {
    photo_mib: photo.length / 2 ** 20,
    median_ms: Object.fromEntries(Object.keys(ways).map((name) => [name, median(name)])),
    fastest_ms: Object.fromEntries(Object.keys(ways).map((name) => [name, fastest(name)])),
    ratios_of_medians: {
      decoder_process_to_in_process: median('decoder_process') / median('in_process'),
      decoder_process_to_decode_alone: median('decoder_process') / median('ceiling_decode'),
      decode_alone_to_smallest_decode: median('ceiling_decode') / median('ceiling_smallest'),
    },
  };
}

/** Starts a process and renders a small picture with it, several times. */
async function coldStart(): Promise<number> {
  const small = await sharp({ create: { width: 30, height: 20, channels: 3, background: 'teal' } })
    .jpeg()
    .toBuffer();
  const times: number[] = [];
  for (let i = 0; i < 9; i += 1) {
    const cold = new DecoderPool({ size: 1 });
    const begin = performance.now();
    await cold.render({ size: small.length, stream: Readable.from([small]), bytes: small }, variantPresets);
    times.push(performance.now() - begin);
    await cold.stop();
  }
  return medianOf(times);
}

function residentMib(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024;
}

/** Runs everything once and writes one JSON file. */
export async function main(): Promise<void> {
  const results: Record<string, unknown> = {};
  for (const [name, photo] of Object.entries(await photos())) results[name] = await measure(photo);
  const process_mib = residentMib(pool.pids[0]);
  await pool.stop();
  const report = {
    name: 'thumbnails',
    at: new Date().toISOString(),
    machine: machineFacts(),
    rounds,
    results: { ...results, decoder_process: { resident_mib: process_mib, cold_start_ms: await coldStart() } },
  };
  const folder = fileURLToPath(new URL('../results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const text = `${JSON.stringify(report, (_key, value: unknown) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value), 2)}\n`;
  writeFileSync(`${folder}${report.at.slice(0, 10)}-thumbnails.json`, text);
  process.stdout.write(text);
}

await main();
