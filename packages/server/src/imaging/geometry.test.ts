import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Box,
  boxOf,
  decodedSize,
  focalCut,
  intermediatePixelsMax,
  keptSize,
  pictureSize,
  type Size,
} from './geometry.ts';
import { civicOsPresets, presetDigest, type VariantPreset, variantPresets } from './presets.ts';

const inside: Box = { width: 800, height: 800, fit: 'inside' };
const boxes = (presets: readonly VariantPreset[]): Box[] => presets.map((each) => boxOf(each as Size, each, each.fit));
const [, , civicOs] = boxes(civicOsPresets) as [Box, Box, Box];
const source = fc.record({ width: fc.integer({ min: 1, max: 65_535 }), height: fc.integer({ min: 1, max: 65_535 }) });

const sizes = (width: number, height: number): string[] => {
  const decoded = decodedSize({ width, height }, boxes(variantPresets));
  const kept = boxes(variantPresets).map((box) => keptSize(decoded, box));
  return [decoded, ...kept].map((size) => `${size.width}x${size.height}`);
};

test('a photograph is decoded to the shorter side of the largest box and cut square', () => {
  assert.deepEqual(sizes(4000, 3000), ['1067x800', '150x150', '400x400', '800x800']);
  assert.deepEqual(sizes(3000, 4000), ['800x1067', '150x150', '400x400', '800x800']);
  assert.deepEqual(sizes(800, 800), ['800x800', '150x150', '400x400', '800x800']);
});

test('a small image is not enlarged before it has been cut', () => {
  assert.deepEqual(sizes(300, 200), ['300x200', '150x150', '200x200', '200x200']);
  assert.deepEqual(sizes(1, 1), ['1x1', '1x1', '1x1', '1x1']);
  assert.deepEqual(sizes(16, 17_000), ['16x17000', '16x16', '16x16', '16x16']);
});

test('what is kept inside a box is as large as its preset says', () => {
  assert.deepEqual(pictureSize({ width: 4000, height: 3000 }, inside), { width: 800, height: 600 });
  assert.deepEqual(pictureSize({ width: 100, height: 50 }, inside), { width: 100, height: 50 });
  assert.deepEqual(pictureSize({ width: 100, height: 50 }, civicOs), {
    width: 800,
    height: 400,
  });
  assert.deepEqual(pictureSize({ width: 1, height: 65_535 }, inside), { width: 1, height: 800 });
});

test('no step of any image holds too many pixels, is empty or larger than the one before', () => {
  const pixels = (size: Size): number => size.width * size.height;
  const filled: Box = { width: 300, height: 20, fit: 'fill' };
  const fits = (inner: Size, outer: Size): boolean => inner.width <= outer.width && inner.height <= outer.height;

  fc.assert(
    fc.property(source, fc.constantFrom(...boxes(variantPresets), civicOs, inside, filled), (image, preset) => {
      const decoded = decodedSize(image, [preset]);
      const kept = keptSize(decoded, preset);
      const picture = pictureSize(image, preset);

      assert.ok(fits(decoded, image));
      // Rounding one pixel up on a side of 65,535 is the most that it can exceed.
      assert.ok(pixels(decoded) <= intermediatePixelsMax + 65_535);
      assert.ok(fits(kept, decoded) && pixels(kept) >= 1);
      assert.ok(fits(picture, preset) && pixels(picture) >= 1);
      if (preset.fit === 'cover') assert.deepEqual(picture, { width: preset.width, height: preset.height });
      if (preset.fit === 'contain') assert.ok(picture.width === preset.width || picture.height === preset.height);
    }),
    { numRuns: 3000, seed: 55 },
  );
});

test('presets have names of their own that may stand in keys', () => {
  for (const presets of [variantPresets, civicOsPresets]) {
    assert.equal(new Set(presets.map(({ name }) => name)).size, presets.length);
    for (const { name } of presets) assert.match(name, /^[a-z0-9][a-z0-9_-]*$/);
  }
});

const preset = variantPresets[0] as VariantPreset;

test('a side that is not given follows from the image, or is not bounded where the picture is fitted inside', () => {
  const photo = { width: 4000, height: 3000 };
  const box = (changes: Partial<VariantPreset>, fit = preset.fit): Box => boxOf(photo, { ...preset, ...changes }, fit);

  assert.deepEqual(box({ height: null, width: 400 }), { width: 400, height: 300, fit: 'cover' });
  assert.deepEqual(box({ height: 300, width: null }, 'fill'), { width: 400, height: 300, fit: 'fill' });
  assert.deepEqual(pictureSize(photo, box({ height: null, width: 400 }, 'inside')), { width: 400, height: 300 });
  assert.deepEqual(pictureSize(photo, box({ height: null, width: null })), photo);
  assert.deepEqual(boxOf({ width: 1, height: 65_535 }, { ...preset, width: 100, height: null }, 'cover').height, 4096);
});

test('what is cut around a focal point has it in the middle where the edges allow', () => {
  const decoded = { width: 1000, height: 500 };
  const kept = { width: 400, height: 400 };

  assert.deepEqual(focalCut(decoded, kept, { x: 0.5, y: 0.5 }), {
    resized: { width: 800, height: 400 },
    left: 200,
    top: 0,
  });
  assert.deepEqual(focalCut(decoded, kept, { x: 0, y: 1 }).left, 0);
  assert.deepEqual(focalCut(decoded, kept, { x: 1, y: 1 }).left, 400);
  assert.deepEqual(focalCut(decoded, kept, { x: 0.3, y: 0 }).left, 40);
});

test('two presets have one digest only when they make the same bytes', () => {
  const of = (changes: Partial<VariantPreset>, watermark?: string): string =>
    presetDigest({ ...preset, ...changes }, watermark);
  const watermark = { position: 'centre', opacity: 0.5, scale: 0.2 } as const;
  const different = [
    of({}),
    of({ width: 151 }),
    of({ height: null }),
    of({ fit: 'inside' }),
    of({ position: 'entropy' }),
    of({ position: 'focal' }),
    of({ position: 'focal', focal_x: 0.1, focal_y: 0.5 }),
    of({ format: 'webp' }),
    of({ format: 'webp', animated: true }),
    of({ quality: 76 }),
    of({ background: '#000000' }),
    of({ document_fit: 'cover' }),
    of({ watermark }),
    of({ watermark }, 'one'),
    of({ watermark: { ...watermark, scale: 0.3 } }, 'one'),
  ];

  assert.match(of({}), /^[0-9a-f]{64}$/);
  assert.equal(new Set(different).size, different.length);
  assert.equal(of({ name: 'other', animated: false }), of({}));
  assert.equal(of({ format: 'png', quality: 1 }), of({ format: 'png', quality: 99 }));
  assert.equal(of({ fit: 'contain', position: 'centre' }), of({ fit: 'contain', position: 'entropy' }));
});
