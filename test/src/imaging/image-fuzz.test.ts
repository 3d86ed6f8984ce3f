/**
 * Sound files of every kind, changed at random, go to decoder processes one after the other. None ends this process, hangs
 * beyond its limit, or makes anything grow; each has its variants or one of the known reasons. The suite sends some dozens.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { type SeededRandom, seededRandom } from '@rowlock/test-harness';
import { ImageError } from '../../../packages/server/dist/imaging/image-error.js';
import { type VariantPreset, variantPresets } from '../../../packages/server/dist/imaging/presets.js';
import { DecoderPool } from '../../../packages/server/dist/imaging/processes/decoder-pool.js';
import { asHeic, drawn, encoded, scene } from '../../../packages/server/dist/imaging/sample-images.js';
import { pdfObjects, pdfOf, svgOf } from '../../../packages/server/dist/imaging/sources/sample-documents.js';

const inputsInSuite = 40;
const inputs =
  process.env['ROWLOCK_ROUNDS'] === undefined ? inputsInSuite : Number(process.env['ROWLOCK_ROUNDS']) * 1000;
const timeoutMs = 5000;
const preset: VariantPreset = { ...(variantPresets[0] as VariantPreset), background: '#fedcba' };

/** Sound files by kind; HEIC of others where it was fetched, else one whose inside is none. */
async function soundFiles(): Promise<Readonly<Record<string, readonly Buffer[]>>> {
  const picture = drawn(scene(80, 60)).withIccProfile('p3');
  const spoken = picture
    .clone()
    .withExif({
      IFD0: { Make: 'Camera', Orientation: '6' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '52/1 30/1 0/1' },
    })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>caption</a></x:xmpmeta>');
  const avif = await encoded.avif(picture.clone()).toBuffer();
  const page = pdfObjects({ width: 100, height: 50, content: 'BT /F 12 Tf (text) Tj ET 1 0 0 rg 0 0 9 9 re f /I Do' });
  return {
    jpeg: [
      await encoded.jpeg(picture.clone()).toBuffer(),
      await picture.clone().jpeg({ progressive: true }).toBuffer(),
    ],
    exif: [await encoded.jpeg(spoken).toBuffer()],
    png: [await encoded.png(picture.clone()).toBuffer(), await picture.clone().png({ palette: true }).toBuffer()],
    webp: [await encoded.webp(picture.clone()).toBuffer(), await picture.clone().webp({ lossless: true }).toBuffer()],
    gif: [await encoded.gif(picture.clone()).toBuffer()],
    tiff: [await encoded.tiff(picture.clone()).toBuffer()],
    avif: [avif],
    heic: [asHeic(avif), ...heicOfOthers()],
    pdf: [pdfOf(page), pdfOf([...page, '<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>'])],
    svg: [svgOf(80, 60, '<path d="M0 0L9 9z" transform="rotate(9)"/><text x="9" y="9">text</text>')],
  };
}

function heicOfOthers(): Buffer[] {
  const folder = process.env['ROWLOCK_CORPORA'] ?? join(homedir(), '.cache', 'rowlock', 'corpora');
  try {
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    return names.filter((name) => /colors-.*\.heic$/.test(name)).map((name) => readFileSync(join(folder, name)));
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'ENOENT');
    return [];
  }
}

/** One to eight changes: bytes, numbers at their limits, pieces that are moved, repeated or cut off. */
function changed(sound: Buffer, random: SeededRandom): Buffer {
  let bytes: Buffer = Buffer.from(sound);
  for (let change = 1 + random.integer(8); change > 0; change -= 1) {
    const at = random.integer(bytes.length);
    const length = 1 + random.integer(Math.min(64, bytes.length - at));
    const extreme = [0, 1, 0x7f, 0x80, 0xff][random.integer(5)] ?? 0;
    switch (random.integer(5)) {
      case 0:
        bytes.fill(random.integer(256), at, at + 1);
        break;
      case 1:
        bytes.fill(extreme, at, at + Math.min(4, length));
        break;
      case 2:
        bytes.copy(bytes, random.integer(bytes.length), at, at + length);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
        break;
      default:
        if (random.integer(4) === 0) bytes = Buffer.from(bytes.subarray(0, Math.max(20, at)));
    }
  }
  return bytes;
}

test('33 42 files that were changed at random cost their job at most, in bounded time and memory', async (t) => {
  const random = seededRandom();
  const kinds = Object.entries(await soundFiles());
  const pool = new DecoderPool({ size: inputs > inputsInSuite ? 2 : 1, timeoutMs, memoryBytesMax: 2 ** 29 });
  t.after(() => pool.stop());
  const outcomes = new Map<string, number>();
  let slowestMs = 0;
  let residentBefore = 0;

  const one = async (input: number): Promise<void> => {
    const [kind, files] = kinds[Math.floor((input * kinds.length) / inputs)] as (typeof kinds)[number];
    const bytes = changed(files[random.integer(files.length)] as Buffer, random);
    const begun = performance.now();
    const outcome = await pool.render({ size: bytes.length, bytes, stream: Readable.from([]) }, [preset]).then(
      () => 'made',
      (error: unknown) => {
        assert.ok(error instanceof ImageError, `${kind}, input ${input}, seed ${random.seed}: ${error}`);
        return error.reason;
      },
    );
    slowestMs = Math.max(slowestMs, performance.now() - begun);
    outcomes.set(`${kind} ${outcome}`, (outcomes.get(`${kind} ${outcome}`) ?? 0) + 1);
  };
  for (let input = 0; input < inputs; input += 2) {
    await Promise.all([one(input), one(input + 1)]);
    if (input === Math.floor(inputs / 20) * 2) residentBefore = process.memoryUsage.rss();
  }

  t.diagnostic(
    `seed ${random.seed}, slowest ${Math.round(slowestMs)} ms: ${JSON.stringify(Object.fromEntries([...outcomes].sort()))}`,
  );
  assert.ok(process.memoryUsage.rss() - residentBefore < 150 * 2 ** 20, 'nothing grows in this process');
  assert.ok([...outcomes.keys()].some((outcome) => outcome.endsWith('made')) && outcomes.has('png corrupt'));
});
