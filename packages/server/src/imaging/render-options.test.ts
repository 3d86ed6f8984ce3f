import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import sharp from 'sharp';
import type { VariantPreset, Watermark } from './presets.ts';
import { poolFor } from './processes/faulty-decoder.ts';
import { type RenderedVariant, renderVariants } from './render.ts';
import { plainTiff } from './sources/plain-tiff.ts';

const base: VariantPreset = {
  name: 'a',
  width: 100,
  height: 100,
  fit: 'cover',
  position: 'centre',
  format: 'png',
  quality: 90,
  background: '#ffffff',
};

/** Ten upright stripes, of which each has ten more red than the one before it. */
const stripes = await striped(1000, 500);

async function striped(width: number, height: number): Promise<Buffer> {
  const data = Buffer.alloc(width * height * 3);
  for (let at = 0; at < data.length; at += 3) data[at] = Math.floor((((at / 3) % width) * 10) / width) * 10;
  return await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

async function rendered(source: Buffer, preset: Partial<VariantPreset>, watermark?: Buffer): Promise<RenderedVariant> {
  const { variants } = await renderVariants(source, [{ ...base, ...preset }], { watermark });
  assert.ok(variants[0] !== undefined);
  return variants[0];
}

async function colourAt({ data, width, height }: RenderedVariant, x: number, y: number): Promise<number[]> {
  const place = { left: Math.floor(x * width), top: Math.floor(y * height), width: 1, height: 1 };
  return [...(await sharp(data).extract(place).raw().toBuffer())];
}

for (const [focal_x, red] of [
  [0, 20],
  [0.5, 50],
  [0.7, 70],
  [1, 70],
] as const) {
  test(`what is cut around a focal point at ${focal_x} shows what is there`, async () => {
    const preset = { position: 'focal', focal_x, focal_y: 0.5 } as const;

    const [middle] = await colourAt(await rendered(stripes, preset), 0.5, 0.5);

    // The half of the picture that fits the box has its middle between a quarter and three quarters.
    assert.ok(Math.abs((middle ?? 0) - red) <= 10, `${middle} is not about ${red}`);
  });
}

test('entropy keeps the part where most happens, and fill shows all of it in the box', async () => {
  const busy = await sharp({ create: { width: 100, height: 100, channels: 3, background: '#808080', noise } })
    .png()
    .toBuffer();
  const picture = await sharp({ create: { width: 400, height: 100, channels: 3, background: '#0000ff' } })
    .composite([{ input: busy, left: 300, top: 0 }])
    .png()
    .toBuffer();

  const kept = await rendered(picture, { position: 'entropy' });
  const filled = await rendered(picture, { fit: 'fill' });

  assert.notDeepEqual(await colourAt(kept, 0.2, 0.5), [0, 0, 255]);
  assert.deepEqual([filled.width, filled.height], [100, 100]);
  assert.deepEqual(await colourAt(filled, 0.3, 0.5), [0, 0, 255]);
});
const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;

test('a side that is left out follows from the picture, and AVIF and WebP are made', async () => {
  for (const format of ['avif', 'webp', 'jpeg'] as const) {
    const variant = await rendered(stripes, { width: 50, height: null, format });

    const { compression, format: found, width, height, icc } = await sharp(variant.data).metadata();
    assert.deepEqual([width, height, icc], [50, 25, undefined]);
    assert.deepEqual([found, compression], format === 'avif' ? ['heif', 'av1'] : [format, undefined]);
    assert.equal(variant.content_type, `image/${format}`);
  }
});

test('transparency is kept where it is wanted, and is the background of each variant elsewhere', async () => {
  const clear = await sharp({ create: { width: 60, height: 30, channels: 4, background: '#ff000000' } })
    .png()
    .toBuffer();
  const presets = [
    { ...base, fit: 'contain' as const, background: 'transparent' },
    { ...base, fit: 'contain' as const, background: '#00ff00' },
    { ...base, fit: 'inside' as const, background: '#0000ff', format: 'webp' as const },
  ];

  const { variants } = await renderVariants(clear, presets);
  const [kept, green, blue] = variants as [RenderedVariant, RenderedVariant, RenderedVariant];

  assert.deepEqual([(await colourAt(kept, 0.5, 0.5))[3], (await colourAt(kept, 0.5, 0.05))[3]], [0, 0]);
  assert.deepEqual(
    [await colourAt(green, 0.5, 0.5), await colourAt(green, 0.5, 0.05)],
    [
      [0, 255, 0],
      [0, 255, 0],
    ],
  );
  assert.ok(((await colourAt(blue, 0.5, 0.5))[2] ?? 0) > 240);
});

const mark = await sharp({ create: { width: 40, height: 20, channels: 3, background: '#00ff00' } })
  .png()
  .toBuffer();
const white = await sharp({ create: { width: 300, height: 300, channels: 3, background: '#ffffff' } })
  .png()
  .toBuffer();

test('a watermark is as large, as opaque and where its preset says', async () => {
  const at = (position: Watermark['position'], opacity = 1): Partial<VariantPreset> => ({
    watermark: { position, opacity, scale: 0.4 },
  });

  const corner = await rendered(white, at('southeast'), mark);
  const middle = await rendered(white, at('centre', 0.5), mark);

  // 40 by 20 pixels, three from the edges.
  assert.deepEqual(await Promise.all([colourAt(corner, 0.95, 0.95), colourAt(corner, 0.6, 0.8)]), [
    [0, 255, 0],
    [0, 255, 0],
  ]);
  assert.deepEqual(await Promise.all([colourAt(corner, 0.98, 0.98), colourAt(corner, 0.5, 0.5)]), [
    [255, 255, 255],
    [255, 255, 255],
  ]);
  const [red = 0, green] = await colourAt(middle, 0.5, 0.5);
  assert.ok(Math.abs(red - 127) < 3 && green === 255);
});

test('a watermark travels to the decoder beside the file; one that is no picture is not the fault of the file', async (t) => {
  const { pool } = poolFor(t);
  const preset = { ...base, watermark: { position: 'centre', opacity: 1, scale: 1 } } as const;
  const file = { size: white.length, stream: Readable.from([white]), bytes: white };

  const { variants } = await pool.render(file, [preset], undefined, mark);

  assert.deepEqual(await colourAt(variants[0] as RenderedVariant, 0.5, 0.5), [0, 255, 0]);
  await assert.rejects(pool.render(file, [preset], undefined, Buffer.from('no picture')), {
    name: 'Error',
    message: /watermark/,
  });
  await assert.rejects(renderVariants(white, [preset]), /no watermark is here/);
});

test('an animation moves where it is wanted and bounded, and is still elsewhere', async () => {
  const colours = ['#ff0000', '#00ff00', '#0000ff'];
  const frames = await Promise.all(
    colours.map((background) =>
      sharp({ create: { width: 60, height: 40, channels: 3, background } })
        .png()
        .toBuffer(),
    ),
  );
  const gif = await sharp(frames, { join: { animated: true } })
    .gif({ delay: [100, 200, 300], loop: 2 })
    .toBuffer();
  const moving = { animated: true, format: 'webp', width: 30, height: 30 } as const;

  const variant = await rendered(gif, moving);
  const { pages, delay, loop, width, pageHeight } = await sharp(variant.data, { animated: true }).metadata();

  assert.deepEqual([pages, delay, loop, width, pageHeight], [3, [100, 200, 300], 2, 30, 30]);
  assert.deepEqual([variant.width, variant.height], [30, 30]);
  assert.equal((await sharp((await rendered(gif, { ...moving, format: 'png' })).data).metadata()).pages, undefined);
  const many = await sharp(
    Array.from({ length: 300 }, (_, i) => frames[i % 3] ?? frames[0] ?? Buffer.alloc(0)),
    { join: { animated: true } },
  )
    .gif({ delay: Array.from({ length: 300 }, (_, i) => 20 + i) })
    .toBuffer();
  assert.equal((await sharp(many).metadata()).pages, 300);
  assert.equal((await sharp((await rendered(many, moving)).data).metadata()).pages, undefined);
});

test('pixels with a colour profile go on as a TIFF that has both', async () => {
  const p3 = await sharp({ create: { width: 9, height: 7, channels: 3, background: '#c83232' } })
    .withIccProfile('p3')
    .png()
    .toBuffer();
  const { icc } = await sharp(p3).metadata();
  const data = await sharp(p3, { ignoreIcc: true }).ensureAlpha().raw().toBuffer();

  const tiff = plainTiff({ data, width: 9, height: 7, channels: 4 }, icc);
  const found = await sharp(tiff).metadata();

  assert.deepEqual([found.width, found.height, found.channels, found.hasAlpha], [9, 7, 4, true]);
  assert.ok(icc !== undefined && found.icc?.equals(icc));
  const [red = 0, green = 0] = await sharp(tiff).toColourspace('srgb').raw().toBuffer();
  assert.ok(Math.abs(red - 200) < 3 && Math.abs(green - 50) < 3, `${red} ${green}`);
});

test('a picture without any preset still tells its facts', async () => {
  const { source, facts, variants } = await renderVariants(stripes, []);

  assert.deepEqual([source.width, variants.length], [1000, 0]);
  assert.ok(facts.thumbhash !== null);
});
