/**
 * What three thumbnails cost. Of a 12-megapixel JPEG: in this process, in a decoder process, and against two ceilings of the
 * same run, libvips alone decoding to the size that is needed, and to the smallest that libjpeg offers (which is little more
 * than reading the file's entropy code). Of other sizes: beside the programs that others use, where they are installed. Ways
 * alternate, so that a busy machine is unfair to none.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { variantPresets } from '../../packages/server/dist/imaging/presets.js';
import { DecoderPool } from '../../packages/server/dist/imaging/processes/decoder-pool.js';
import { renderVariants } from '../../packages/server/dist/imaging/render.js';
import { pdfOfPage } from '../../packages/server/dist/imaging/sources/sample-documents.js';
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

/** Width and height of the photographs that are measured, by megapixels. */
const sizes: Readonly<Record<number, readonly [width: number, height: number]>> = {
  2: [1633, 1225],
  5: [2592, 1944],
  12: [4000, 3000],
  20: [5472, 3648],
};

async function photo(megapixels: number, progressive = false): Promise<Buffer> {
  const [width, height] = sizes[megapixels] ?? [4000, 3000];
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  const picture = sharp({ create: { width, height, channels: 3, background: 'teal', noise } }).blur(2);
  return await picture.jpeg({ quality: 90, progressive }).toBuffer();
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

async function twelve(context: BenchContext, pool: DecoderPool, kind: 'plain' | 'progressive'): Promise<Measured> {
  const bytes = await photo(12, kind === 'progressive');
  const all = await inTurns(context, `thumbnails of a ${kind} JPEG`, {
    decoder: timed(context, () => pool.render({ size: bytes.length, stream: streamOf(bytes) }, variantPresets)),
    here: timed(context, () => renderVariants(bytes, variantPresets)),
    decode: timed(context, () => decodeOnly(bytes, 1067, 800)),
    smallest: timed(context, () => decodeOnly(bytes, 500, 375)),
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

/** Other programs that make thumbnails, where they are installed, with what each is asked to do to a file in a folder. */
const programs: Readonly<Record<string, (file: string, folder: string) => readonly (readonly string[])[]>> = {
  vipsthumbnail: (file, folder) =>
    [150, 400, 800].map((side) => [
      file,
      '-s',
      `${side}x${side}`,
      '--smartcrop',
      'attention',
      '-o',
      `${folder}/${side}.jpg`,
    ]),
  // All sizes of one decoding, cut from the middle: it knows no attention.
  convert: (file, folder) => {
    const size = (side: number): string[] => [
      '-resize',
      `${side}x${side}^`,
      '-gravity',
      'center',
      '-extent',
      `${side}x${side}`,
    ];
    const small = [...size(150), `${folder}/s.jpg`];
    const both = ['-write', `${folder}/m.jpg`, ...small];
    return [['-define', 'jpeg:size=1600x1600', file, ...size(800), '-write', `${folder}/l.jpg`, ...size(400), ...both]];
  },
};

const runProgram = promisify(execFile);

/** The first line of what it says of its version; undefined where it is not installed. */
async function versionOf(program: string): Promise<string | undefined> {
  try {
    return (await runProgram(program, ['--version'])).stdout.split('\n')[0];
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

/** A photograph of some megapixels, beside the programs that are installed: each of them starts a process for it, as it is used. */
async function besidePrograms(context: BenchContext, pool: DecoderPool, megapixels: number): Promise<Measured> {
  const bytes = await photo(megapixels);
  const folder = mkdtempSync(join(tmpdir(), 'rowlock-bench-'));
  const file = join(folder, 'photo.jpg');
  writeFileSync(file, bytes);
  try {
    const there = new Map<string, Turn<number>>();
    for (const [program, calls] of Object.entries(programs)) {
      if ((await versionOf(program)) === undefined) continue;
      const work = async (): Promise<void> => {
        for (const args of calls(file, folder)) await runProgram(program, [...args]);
      };
      there.set(program, timed(context, work));
    }
    const all = await inTurns(context, `thumbnails of ${megapixels} megapixels beside others`, {
      decoder: timed(context, () => pool.render({ size: bytes.length, stream: streamOf(bytes) }, variantPresets)),
      ...Object.fromEntries(there),
    });
    const { decoder = [], ...peers } = all as Readonly<Record<string, readonly number[]>>;
    return {
      id: megapixels === 12 ? 'thumbnails_12_megapixels_beside_ms' : `thumbnails_${megapixels}_megapixels_ms`,
      title: `three thumbnails of a JPEG of ${megapixels} megapixels, by attention`,
      unit: 'ms',
      better: 'lower',
      values: decoder,
      beside: Object.entries(peers).map(([name, values]) => ({ name, kind: 'peer' as const, values })),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The first page of a document of text, which is drawn and not decoded. */
async function page(context: BenchContext, pool: DecoderPool): Promise<Measured> {
  const lines = Array.from(
    { length: 50 },
    (_, i) => `BT /F 10 Tf 40 ${780 - i * 14} Td (${'words and words '.repeat(5)}) Tj ET`,
  );
  const font = '/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>';
  const bytes = pdfOfPage({ width: 595, height: 842, content: lines.join('\n'), page: font });
  const all = await inTurns(context, 'thumbnails of a page', {
    decoder: timed(context, () =>
      pool.render({ size: bytes.length, bytes, stream: Readable.from([]) }, variantPresets),
    ),
  });
  const title = 'three thumbnails of the first page of a PDF';
  return { id: 'thumbnails_pdf_ms', title, unit: 'ms', better: 'lower', values: all.decoder };
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
    node: timed(context, () => runProgram(process.execPath, ['-e', ''])),
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
    for (const kind of ['plain', 'progressive'] as const) {
      if (isWanted(context, 'thumbnails')) figures.push(await twelve(context, pool, kind));
    }
    for (const megapixels of context.short ? [2] : [2, 5, 12, 20]) {
      if (isWanted(context, 'thumbnails')) figures.push(await besidePrograms(context, pool, megapixels));
    }
    if (isWanted(context, 'thumbnails_pdf_ms')) figures.push(await page(context, pool));
    const details = { decoder_resident_mib: residentMiB(pool.pids.filter((pid) => pid !== undefined)) };
    if (isWanted(context, 'decoder_start_ms')) figures.push(await coldStart(context));
    const versions = await Promise.all(
      Object.keys(programs).map(async (name) => [name, await versionOf(name)] as const),
    );
    const found = versions.flatMap(([name, version]) => (version === undefined ? [] : [[name, version]]));
    return { figures, details, programs: Object.fromEntries(found) as Record<string, string> };
  } finally {
    await pool.stop();
  }
}

export const thumbnails: Benchmark = {
  name: 'thumbnails',
  summary: 'three thumbnails of 2 to 20 megapixels by a decoder process, beside libvips alone and other programs',
  needs: [],
  untimed: true,
  run,
};
