/**
 * Real images, which strangers made: of each, every variant has exactly its size, is upright, is sRGB and has nothing of the
 * file's metadata; or there is one reason why there is none. The files are fetched by `npm run corpora` and are not here
 * otherwise; the suite takes some of them, more rounds take all.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { ImageError } from '../../../packages/server/dist/imaging/image-error.js';
import { type VariantPreset, variantPresets } from '../../../packages/server/dist/imaging/presets.js';
import { DecoderPool } from '../../../packages/server/dist/imaging/processes/decoder-pool.js';
import type { RenderedImage } from '../../../packages/server/dist/imaging/render.js';

const folder = process.env['ROWLOCK_CORPORA'] ?? join(homedir(), '.cache', 'rowlock', 'corpora');
const images = /\.(jpe?g|png|gif|webp|tiff?|avif|heic|heif|hif|pdf|svg)$/i;
const filesInShort = 60;

const [small, medium] = variantPresets as [VariantPreset, VariantPreset];
const inside: VariantPreset = { ...medium, name: 'inside', fit: 'inside', format: 'png', background: 'transparent' };
const presets = [
  small,
  inside,
  { ...medium, name: 'contain', width: 300, height: 200, fit: 'contain' as const, format: 'webp' as const },
];

const secrets = ['Exif\0', 'ns.adobe.com', 'Photoshop', 'ICC_PROFILE', 'http://', 'GPSLatitude'];

const pool = new DecoderPool({ size: 2 });
after(() => pool.stop());

function filesHere(): string[] {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'ENOENT');
    return [];
  }
  return names.filter((name) => images.test(name)).sort();
}

const all = filesHere();
const everyNth = Number(process.env['ROWLOCK_ROUNDS'] ?? 0) > 0 ? 1 : Math.max(1, Math.ceil(all.length / filesInShort));
const files = all.filter((_, i) => i % everyNth === 0);
const skip = files.length > 0 ? false : `0 images of others are here: npm run corpora`;

const rendered = new Map<string, RenderedImage>();
const refused = new Map<string, string>();

test('every image of others has its variants, or one reason for good why it has none', { skip }, async (t) => {
  for (const name of files) {
    const bytes = readFileSync(join(folder, name));
    try {
      rendered.set(name, await pool.render({ size: bytes.length, bytes, stream: Readable.from([]) }, presets));
    } catch (error) {
      assert.ok(error instanceof ImageError, `${name}: ${error}`);
      refused.set(name, error.reason);
      assert.ok(error.permanent, `${name}: ${error.reason}`);
    }
  }

  t.diagnostic(`${files.length} of ${all.length} files: ${rendered.size} shown, ${refused.size} refused`);
  assert.ok(rendered.size > files.length / 2);
});

test('each of their variants has exactly its size, is sRGB and has no metadata', { skip }, async () => {
  for (const [name, { source, variants }] of rendered) {
    // A page is fitted inside, as documents are.
    const exact = [variants[0], variants[2]].map((each) => (each === undefined ? [] : sizeOf(each)));
    if (source.format !== 'pdf')
      assert.deepEqual(
        exact,
        [
          [150, 150],
          [300, 200],
        ],
        name,
      );
    const [, kept] = variants;
    assert.ok(kept !== undefined && kept.width <= 400 && kept.height <= 400, name);
    for (const { data, width, height, preset } of variants) {
      const metadata = await sharp(data).metadata();
      const { exif, xmp, iptc, icc, orientation } = metadata;
      assert.deepEqual([exif, xmp, iptc, icc, orientation], Array(5).fill(undefined), `${name} ${preset}`);
      assert.deepEqual([metadata.width, metadata.height, metadata.space], [width, height, 'srgb'], `${name} ${preset}`);
      for (const secret of secrets) assert.ok(!data.includes(secret), `${secret} in ${name} ${preset}`);
    }
  }
});

test('each of them is upright and of its own colours, as another decoding of it shows', { skip }, async () => {
  const different: string[] = [];
  let compared = 0;
  for (const [name, { source, variants }] of rendered) {
    const [, kept] = variants;
    if (kept === undefined || source.damaged) continue;
    const reference = await referenceOf(join(folder, name), kept.width, kept.height);
    if (reference === undefined) continue;
    const shown = await sharp(kept.data).flatten({ background: '#ffffff' }).removeAlpha().raw().toBuffer();
    const sum = shown.reduce((total, value, i) => total + Math.abs(value - (reference[i] ?? 0)), 0);
    assert.equal(shown.length, reference.length, name);
    if (sum / shown.length >= 6) different.push(`${name}: ${sum / shown.length}`);
    compared += 1;
  }

  assert.deepEqual(different, []);
  assert.ok(compared > rendered.size / 2, `${compared} compared`);
});

const sizeOf = ({ width, height }: RenderedImage['variants'][number]): number[] => [width, height];

/** The whole picture, decoded without shortcuts; undefined for what this test cannot decode itself. */
async function referenceOf(file: string, width: number, height: number): Promise<Buffer | undefined> {
  try {
    const upright = await sharp(file, { failOn: 'warning' }).autoOrient().toColourspace('srgb').png().toBuffer();
    return await sharp(upright)
      .resize({ width, height, fit: 'fill' })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer();
  } catch {
    return undefined;
  }
}

const photographs = all.filter((name) => name.endsWith('IMG_3578.heic'));

test('a HEIC of a telephone that lacks its end is shown as damaged, and lacking half is corrupt', {
  skip: photographs.length > 0 ? false : skip || 'that one is not here',
}, async () => {
  const bytes = readFileSync(join(folder, photographs[0] ?? ''));
  const render = (length: number): Promise<RenderedImage> =>
    pool.render({ size: length, bytes: bytes.subarray(0, length), stream: Readable.from([]) }, presets);

  const { source } = await render(Math.floor(bytes.length * 0.97));

  assert.deepEqual(source, { width: 4032, height: 3024, format: 'heic', damaged: true, pages: 1 });
  await assert.rejects(render(Math.floor(bytes.length * 0.5)), { reason: 'corrupt' });
});
