import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { civicOsPresets, type VariantPreset, variantPresets } from './presets.ts';
import { type RenderedVariant, renderVariants } from './render.ts';
import { drawn, encoded, noise, scene, turned } from './sample-images.ts';

const large = variantPresets[2] as VariantPreset;
const inside: VariantPreset = { ...large, name: 'inside', fit: 'inside', quality: 95 };

async function pixelsOf(data: Buffer): Promise<Buffer> {
  return await sharp(data).removeAlpha().toColourspace('srgb').raw().toBuffer();
}

/** The mean difference of two pictures' values, 0 to 255. */
async function difference(a: Buffer, b: Buffer): Promise<number> {
  const [first, second] = await Promise.all([pixelsOf(a), pixelsOf(b)]);
  assert.equal(first.length, second.length);
  return first.reduce((sum, value, i) => sum + Math.abs(value - (second[i] ?? 0)), 0) / first.length;
}

async function colourAt({ data }: RenderedVariant, x: number, y: number): Promise<number[]> {
  return [...(await sharp(data).extract({ left: x, top: y, width: 1, height: 1 }).raw().toBuffer())];
}

function assertColour(found: readonly number[], expected: readonly number[], tolerance: number): void {
  const isNear = expected.every((value, i) => Math.abs(value - (found[i] ?? -1000)) <= tolerance);
  assert.ok(isNear && found.length === expected.length, `${found} is not about ${expected}`);
}

async function firstOf(source: Buffer, preset: VariantPreset): Promise<RenderedVariant> {
  const [variant] = (await renderVariants(source, [preset])).variants;
  assert.ok(variant !== undefined);
  return variant;
}

for (const [format, encode] of Object.entries(encoded)) {
  for (const [width, height] of [
    [1200, 900],
    [90, 130],
  ] as const) {
    test(`a ${format} of ${width} by ${height} has three progressive JPEGs of exactly their sizes`, async () => {
      const bytes = await encode(drawn(scene(width, height))).toBuffer();

      const { source, variants } = await renderVariants(bytes, variantPresets);

      assert.deepEqual(source, { width, height, format, damaged: false, pages: 1 });
      assert.deepEqual(
        variants.map((variant) => [variant.preset, variant.width, variant.height, variant.content_type]),
        [
          ['small', 150, 150, 'image/jpeg'],
          ['medium', 400, 400, 'image/jpeg'],
          ['large', 800, 800, 'image/jpeg'],
        ],
      );
      for (const variant of variants) {
        const metadata = await sharp(variant.data).metadata();
        assert.deepEqual(
          [metadata.format, metadata.width, metadata.height, metadata.space],
          ['jpeg', variant.width, variant.height, 'srgb'],
        );
        assert.deepEqual([metadata.isProgressive, metadata.channels, variant.size], [true, 3, variant.data.length]);
      }
    });
  }

  test(`a ${format} keeps its colours`, async () => {
    const original = scene(640, 480);
    const reference = await drawn(original).png().toBuffer();

    const variant = await firstOf(await encode(drawn(original)).toBuffer(), inside);

    // A GIF has 256 colours, which is the only reason for a wide tolerance.
    assert.ok((await difference(variant.data, reference)) < (format === 'gif' ? 6 : 2.5));
  });
}

for (let orientation = 1; orientation <= 8; orientation++) {
  test(`orientation ${orientation} comes out upright in every fit`, async () => {
    const upright = scene(400, 300);
    const presets = [
      ...variantPresets,
      ...civicOsPresets.slice(2).map((preset) => ({ ...preset, name: 'contain' })),
      inside,
    ];
    const reference = await renderVariants(await drawn(upright).jpeg({ quality: 95 }).toBuffer(), presets);
    const stored = await drawn(turned(upright, orientation))
      .withMetadata({ orientation })
      .jpeg({ quality: 95 })
      .toBuffer();

    const { source, variants } = await renderVariants(stored, presets);

    assert.deepEqual([source.width, source.height], [400, 300]);
    for (const [i, variant] of variants.entries()) {
      const expected = reference.variants[i]?.data ?? Buffer.alloc(0);
      assert.ok((await difference(variant.data, expected)) < 2.5, `${variant.preset}`);
      assert.equal((await sharp(variant.data).metadata()).orientation, undefined);
    }
  });
}

test('the comparison of orientations can fail: a picture that stays turned differs', async () => {
  const upright = await drawn(scene(400, 400)).jpeg().toBuffer();
  const sideways = await drawn(turned(scene(400, 400), 6))
    .jpeg()
    .toBuffer();

  assert.ok((await difference(upright, sideways)) > 10);
});

for (const format of ['png', 'webp', 'tiff', 'avif'] as const) {
  test(`a ${format} with an orientation comes out upright`, async () => {
    const upright = scene(400, 300);
    const reference = await drawn(upright).png().toBuffer();
    const stored = await encoded[format](drawn(turned(upright, 6)).withMetadata({ orientation: 6 })).toBuffer();

    const variant = await firstOf(stored, inside);

    assert.ok((await difference(variant.data, reference)) < 2.5);
  });
}

test('transparency becomes white, in the corners and mixed at half', async () => {
  const half = { r: 0, g: 0, b: 0, alpha: 0.5 };
  const bytes = await sharp({
    create: { width: 200, height: 200, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
  })
    .composite([{ input: { create: { width: 100, height: 100, channels: 4, background: half } }, left: 50, top: 50 }])
    .png()
    .toBuffer();

  const variant = await firstOf(bytes, { ...large, position: 'centre' });

  assertColour(await colourAt(variant, 5, 5), [255, 255, 255], 2);
  assertColour(await colourAt(variant, 400, 400), [127, 127, 127], 4);
});

test('a CMYK JPEG has the colours it was made of', async () => {
  const bytes = await sharp({ create: { width: 300, height: 300, channels: 3, background: '#c83232' } })
    .toColourspace('cmyk')
    .jpeg({ quality: 95 })
    .toBuffer();

  const variant = await firstOf(bytes, large);

  assert.equal((await sharp(bytes).metadata()).space, 'cmyk');
  assertColour(await colourAt(variant, 400, 400), [200, 50, 50], 25);
});

test('a 16-bit PNG and a greyscale JPEG become 8-bit RGB of the same colours', async () => {
  const deep = await sharp({ create: { width: 300, height: 300, channels: 3, background: '#4080c0' } })
    .toColourspace('rgb16')
    .png()
    .toBuffer();
  const grey = await sharp({ create: { width: 300, height: 300, channels: 3, background: '#707070' } })
    .toColourspace('b-w')
    .jpeg()
    .toBuffer();

  const [fromDeep, fromGrey] = [await firstOf(deep, large), await firstOf(grey, large)];

  assert.deepEqual([(await sharp(deep).metadata()).depth, (await sharp(grey).metadata()).channels], ['ushort', 1]);
  assertColour(await colourAt(fromDeep, 400, 400), [64, 128, 192], 3);
  assertColour(await colourAt(fromGrey, 400, 400), [112, 112, 112], 3);
});

test("a wide-gamut photograph is converted to sRGB by its profile, also where the profile's conversion is put off", async () => {
  const colour = { create: { width: 300, height: 300, channels: 3 as const, background: '#c83232' } };
  const bytes = await sharp(colour).withIccProfile('p3').jpeg({ quality: 95 }).toBuffer();
  const stored = [...(await sharp(bytes, { ignoreIcc: true }).raw().toBuffer()).subarray(0, 3)];

  const variant = await firstOf(bytes, large);

  // The same colour has other numbers in Display P3: taking them as they are would show.
  assert.ok(Math.abs((stored[0] ?? 0) - 200) > 8, `${stored}`);
  assertColour(await colourAt(variant, 400, 400), [200, 50, 50], 4);
});

test('of animations and documents only the first frame or page is shown', async () => {
  const frames = Buffer.concat([
    Buffer.alloc(300 * 100, Buffer.from([220, 20, 20])),
    Buffer.alloc(300 * 100, Buffer.from([20, 20, 220])),
  ]);
  const animation = (): Sharp => sharp(frames, { raw: { width: 100, height: 200, channels: 3, pageHeight: 100 } });
  const files = [
    await animation()
      .gif({ delay: [50, 50] })
      .toBuffer(),
    await animation()
      .webp({ delay: [50, 50], lossless: true })
      .toBuffer(),
    await animation().tiff({ compression: 'lzw' }).toBuffer(),
  ];

  for (const bytes of files) {
    const { source, variants } = await renderVariants(bytes, variantPresets);

    assert.deepEqual([(await sharp(bytes).metadata()).pages, source.width, source.height], [2, 100, 100]);
    for (const variant of variants) assertColour(await colourAt(variant, 10, variant.height - 10), [220, 20, 20], 4);
  }
});

for (const [width, height] of [
  [1, 1],
  [1, 3000],
  [3000, 1],
  [16, 17_000],
  [9000, 40],
] as const) {
  test(`an image of ${width} by ${height} has its variants without costing more than a photograph`, async () => {
    const bytes = await noise(width, height).png().toBuffer();
    const before = process.memoryUsage.rss();

    const { variants } = await renderVariants(bytes, [...variantPresets, ...civicOsPresets, inside]);

    assert.deepEqual(
      variants.slice(0, 6).map((variant) => variant.width),
      [150, 400, 800, 150, 400, 800],
    );
    assert.deepEqual(
      variants.slice(0, 6).map((variant) => variant.height),
      [150, 400, 800, 150, 400, 800],
    );
    assert.ok((variants[6]?.width ?? 0) <= 800 && (variants[6]?.height ?? 0) <= 800);
    assert.ok(process.memoryUsage.rss() - before < 200e6);
  });
}

test('twenty megapixels are rendered from a path', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'rowlock-render-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'file');
  await writeFile(file, await noise(5472, 3648).jpeg({ quality: 85 }).toBuffer());

  const { source, variants } = await renderVariants(file, variantPresets);

  assert.deepEqual(source, { width: 5472, height: 3648, format: 'jpeg', damaged: false, pages: 1 });
  assert.deepEqual(
    variants.map(({ width, height }) => [width, height]),
    [
      [150, 150],
      [400, 400],
      [800, 800],
    ],
  );
});

test('what is contained is letterboxed on white, and what is inside keeps its shape', async () => {
  const bytes = await sharp({ create: { width: 1000, height: 500, channels: 3, background: '#204060' } })
    .png()
    .toBuffer();

  const { variants } = await renderVariants(bytes, [
    ...civicOsPresets,
    inside,
    { ...inside, name: 'webp', format: 'webp' },
  ]);
  const [, , contained, kept, webp] = variants as [
    RenderedVariant,
    RenderedVariant,
    RenderedVariant,
    RenderedVariant,
    RenderedVariant,
  ];

  assert.deepEqual([contained.width, contained.height, kept.width, kept.height], [800, 800, 800, 400]);
  assertColour(await colourAt(contained, 400, 20), [255, 255, 255], 1);
  assertColour(await colourAt(contained, 400, 780), [255, 255, 255], 1);
  assertColour(await colourAt(contained, 400, 400), [32, 64, 96], 3);
  assert.deepEqual([webp.content_type, (await sharp(webp.data).metadata()).format], ['image/webp', 'webp']);
});

test('all square variants of an image show the same part of it', async () => {
  const bytes = await drawn(scene(1600, 800)).jpeg({ quality: 95 }).toBuffer();

  const { variants } = await renderVariants(bytes, variantPresets);
  const [small, , big] = variants as [RenderedVariant, RenderedVariant, RenderedVariant];
  const shrunk = await sharp(big.data).resize(150, 150).png().toBuffer();

  assert.ok((await difference(small.data, shrunk)) < 2.5);
});
