/**
 * What is told of images beside what other programs tell: ExifTool of real images that strangers made, pdfinfo of pages,
 * vipsthumbnail of pixels. Each is asked of many files at once. The files are those of `npm run corpora`; the suite takes some of
 * them, more rounds take all.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { requires, temporaryFolder, toolPath } from '@rowlock/test-harness';
import sharp from 'sharp';
import { ImageError } from '../../../packages/server/dist/imaging/image-error.js';
import { type VariantPreset, variantPresets } from '../../../packages/server/dist/imaging/presets.js';
import { DecoderPool } from '../../../packages/server/dist/imaging/processes/decoder-pool.js';
import type { RenderedImage } from '../../../packages/server/dist/imaging/render.js';
import { drawn, encoded, scene, turned } from '../../../packages/server/dist/imaging/sample-images.js';
import { pdfOfPage } from '../../../packages/server/dist/imaging/sources/sample-documents.js';

const run = promisify(execFile);
const folder = process.env['ROWLOCK_CORPORA'] ?? join(homedir(), '.cache', 'rowlock', 'corpora');
/** Of formats whose EXIF both find; of HEIC the other tests are. */
const photographs = /\.(jpe?g|png|webp|tiff?)$/i;
const filesInShort = 30;
const outputBytesMax = 2 ** 26;

const pool = new DecoderPool({ size: 2 });
after(() => pool.stop());

const [, medium] = variantPresets as [VariantPreset, VariantPreset];
const inside: VariantPreset = { ...medium, fit: 'inside', format: 'png' };

function filesHere(): string[] {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'ENOENT');
    return [];
  }
  const all = names.filter((name) => photographs.test(name)).sort();
  const isLong = Number(process.env['ROWLOCK_ROUNDS'] ?? 0) > 0;
  const every = isLong ? 1 : Math.max(1, Math.ceil(all.length / filesInShort));
  return all.filter((_, i) => i % every === 0);
}

const files = filesHere();
const noFiles = files.length > 0 ? false : 'images of others are not here: npm run corpora';

/** What is told of a file; undefined where it is refused. */
async function told(bytes: Buffer, presets: readonly VariantPreset[] = []): Promise<RenderedImage | undefined> {
  try {
    return await pool.render({ size: bytes.length, bytes, stream: Readable.from([]) }, presets);
  } catch (error) {
    assert.ok(error instanceof ImageError, String(error));
    return undefined;
  }
}

type Said = Readonly<Record<string, unknown>>;

/** What ExifTool says of files, by their names, with the groups that it found it in. */
async function saidByExiftool(names: readonly string[]): Promise<ReadonlyMap<string, Said>> {
  const tags = ['Orientation', 'DateTimeOriginal', 'CreateDate', 'Make', 'Model', 'GPSLatitude', 'GPSLongitude'];
  const wanted = [...tags, 'ImageWidth', 'ImageHeight', 'GPSLatitudeRef', 'GPSLongitudeRef'].map((tag) => `-${tag}`);
  const list = join(mkdtempSync(join(temporaryFolder(), 'names-')), 'names.txt');
  writeFileSync(list, names.join('\n'));
  const args = ['-j', '-n', '-a', '-G1', '-q', '-q', ...wanted, '-@', list];
  const options = { cwd: folder, maxBuffer: outputBytesMax, encoding: 'utf8' } as const;
  // It ends with 1 where it has found something strange in one of them.
  const text = await run(toolPath('exiftool'), args, options).then(
    ({ stdout }) => stdout,
    (error: { stdout?: string }) => error.stdout ?? '',
  );
  return new Map((JSON.parse(text) as Said[]).map((said) => [String(said['SourceFile']), said]));
}

const first = (said: Said, ...tags: readonly string[]): unknown =>
  tags.map((tag) => said[tag]).find((value) => value !== undefined);

/** Sizes by its own look at the format, which for TIFF are tags. */
function sizeSaid(said: Said): readonly unknown[] {
  return ['Width', 'Height'].map((side) =>
    first(said, ...['File', 'PNG', 'RIFF', 'IFD0'].map((group) => `${group}:Image${side}`)),
  );
}

/** Seconds and zone may be missing; behind them there is nothing. */
const timeSaid = /^([12]\d{3}):(\d\d):(\d\d) (\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?$/;

/** To the minute, of EXIF, else of XMP. */
function takenSaid(said: Said): string | null {
  const time = first(
    said,
    ...['ExifIFD', 'XMP-exif', 'XMP-photoshop', 'XMP-xmp'].flatMap((group) => [
      `${group}:DateTimeOriginal`,
      `${group}:DateCreated`,
      `${group}:CreateDate`,
    ]),
  );
  const match = timeSaid.exec(String(time ?? ''));
  return match === null || match[2] === '00' ? null : `${match[1]}-${match[2]}-${match[3]}T${match[4]}`;
}

/** Degrees to a metre; of EXIF, where its letters say the signs, else of XMP. */
function positionSaid(said: Said): readonly number[] | null {
  const [up, across] = [said['GPS:GPSLatitude'], said['GPS:GPSLongitude']];
  const [south, west] = [said['GPS:GPSLatitudeRef'], said['GPS:GPSLongitudeRef']];
  if (typeof up === 'number' && typeof across === 'number' && south !== undefined && west !== undefined) {
    return up === 0 && across === 0 ? null : [south === 'S' ? -up : up, west === 'W' ? -across : across].map(rounded);
  }
  const [latitude, longitude] = [said['XMP-exif:GPSLatitude'], said['XMP-exif:GPSLongitude']];
  return typeof latitude === 'number' && typeof longitude === 'number' ? [latitude, longitude].map(rounded) : null;
}

const rounded = (degrees: number): number => Math.round(degrees * 1e5) / 1e5;

/** ExifTool's words; what looks like a number it tells as one, and `1.0` as 1. */
function sameWords(ours: string | null, theirs: unknown): string | null {
  if (typeof theirs === 'number' && ours !== null && Number(ours) === theirs) return ours;
  const text = String(theirs ?? '');
  return text.replace(/\s+/g, ' ').trim() || null;
}

/** What both say of one file, in the same words. */
function bothOf({ source, facts }: RenderedImage, said: Said): readonly [ours: unknown, theirs: unknown] {
  const orientation = Number(said['IFD0:Orientation'] ?? 1);
  const size = sizeSaid(said);
  const { state, latitude, longitude } = facts.location;
  return [
    {
      size: [source.width, source.height],
      orientation: facts.orientation,
      taken: facts.taken_at_local?.slice(0, 16) ?? null,
      camera: [facts.camera_make, facts.camera_model],
      position: state === 'found' ? [latitude ?? 0, longitude ?? 0].map(rounded) : null,
    },
    {
      size: facts.orientation > 4 ? [...size].reverse() : size,
      orientation: orientation >= 1 && orientation <= 8 ? orientation : 1,
      taken: takenSaid(said),
      camera: [sameWords(facts.camera_make, said['IFD0:Make']), sameWords(facts.camera_model, said['IFD0:Model'])],
      position: positionSaid(said),
    },
  ];
}

/** EXIF behind the pixels of a PNG, which readers need not look for. */
const known: readonly string[] = ['pngtest.png'];

test('ExifTool says the same of real images: size, orientation, time, camera, position', {
  skip: requires('exiftool') || noFiles,
}, async (t) => {
  const said = await saidByExiftool(files);

  const different: unknown[] = [];
  let compared = 0;
  for (const name of files) {
    const [image, theirs] = [await told(readFileSync(join(folder, name))), said.get(name)];
    if (image === undefined || theirs === undefined || known.some((each) => name.endsWith(each))) continue;
    const [ours, others] = bothOf(image, theirs);
    if (JSON.stringify(ours) !== JSON.stringify(others)) different.push({ name, ours, others });
    compared += 1;
  }

  t.diagnostic(`${compared} of ${files.length} files compared`);
  assert.deepEqual(different, []);
  assert.ok(compared > files.length / 2);
});

test('vipsthumbnail makes the same pixels of real images, and of each orientation', {
  skip: requires('vipsthumbnail'),
}, async (t) => {
  const own = await Promise.all(
    [1, 2, 3, 4, 5, 6, 7, 8].map(async (orientation) => {
      const file = drawn(turned(scene(1200, 800), orientation)).withMetadata({ orientation });
      return { name: `orientation ${orientation}`, bytes: await encoded.jpeg(file).toBuffer() };
    }),
  );
  const others = files.map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));

  const different: string[] = [];
  let compared = 0;
  for (const { name, bytes } of [...own, ...others]) {
    const image = await told(bytes, [inside]);
    if (image === undefined || image.source.damaged) continue;
    const difference = await differenceFromVips(bytes, image);
    if (difference === undefined) continue;
    if (difference > 6) different.push(`${name}: ${difference}`);
    compared += 1;
  }

  t.diagnostic(`${compared} compared`);
  assert.deepEqual(different, []);
  assert.ok(compared >= own.length + others.length / 3);
});

/** The mean difference of all values, 0 to 255; undefined where that program shows nothing. */
async function differenceFromVips(bytes: Buffer, { variants }: RenderedImage): Promise<number | undefined> {
  const [variant] = variants;
  assert.ok(variant !== undefined);
  const work = mkdtempSync(join(temporaryFolder(), 'vips-'));
  writeFileSync(join(work, 'file'), bytes);
  const size = `${variant.width}x${variant.height}!`;
  try {
    const colours = (await sharp(bytes).metadata()).hasProfile ? ['--export-profile', 'srgb'] : [];
    const args = ['file', '-s', size, ...colours, '-o', 'out.png'];
    await run(toolPath('vipsthumbnail'), args, { cwd: work });
    const flat = async (picture: Buffer): Promise<Buffer> =>
      await sharp(picture).flatten({ background: '#ffffff' }).toColourspace('srgb').removeAlpha().raw().toBuffer();
    const [ours, theirs] = await Promise.all([flat(variant.data), flat(readFileSync(join(work, 'out.png')))]);
    assert.equal(ours.length, theirs.length);
    return ours.reduce((sum, value, i) => sum + Math.abs(value - (theirs[i] ?? 0)), 0) / ours.length;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return undefined;
  }
}

test('pdfinfo says the same of pages: their boxes, turned or cropped, and how many there are', {
  skip: requires('pdfinfo'),
}, async () => {
  const pages = [
    pdfOfPage({ width: 595, height: 842 }),
    pdfOfPage({ width: 842, height: 595, page: '/Rotate 90' }),
    pdfOfPage({ width: 600, height: 400, page: '/Rotate 270' }),
    pdfOfPage({ width: 600, height: 400, page: '/CropBox[100 50 400 350]' }),
    pdfOfPage({ width: 600, height: 400, page: '/CropBox[100 50 400 300]/Rotate 90' }),
  ];

  for (const bytes of pages) {
    const file = join(mkdtempSync(join(temporaryFolder(), 'pdf-')), 'file.pdf');
    writeFileSync(file, bytes);
    const { stdout } = await run(toolPath('pdfinfo'), [file]);
    const field = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1]);
    const [width, height] = [field(/^Page size:\s+([\d.]+) x/m), field(/^Page size:.* x ([\d.]+)/m)];
    const isTurned = field(/^Page rot:\s+(\d+)/m) % 180 === 90;

    const source = (await told(bytes))?.source;

    assert.deepEqual([source?.width, source?.height], isTurned ? [height, width] : [width, height], stdout);
    assert.equal(source?.pages, field(/^Pages:\s+(\d+)/m));
  }
});
