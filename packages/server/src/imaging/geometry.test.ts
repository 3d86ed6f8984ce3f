import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodedSize, intermediatePixelsMax, keptSize, pictureSize, type Size } from './geometry.ts';
import { civicOsPresets, type VariantPreset, variantPresets } from './presets.ts';

const inside: VariantPreset = { ...(variantPresets[2] as VariantPreset), name: 'inside', fit: 'inside' };
const source = fc.record({ width: fc.integer({ min: 1, max: 65_535 }), height: fc.integer({ min: 1, max: 65_535 }) });

const sizes = (width: number, height: number): string[] => {
  const decoded = decodedSize({ width, height }, variantPresets);
  const kept = variantPresets.map((preset) => keptSize(decoded, preset));
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
  assert.deepEqual(pictureSize({ width: 100, height: 50 }, civicOsPresets[2] as VariantPreset), {
    width: 800,
    height: 400,
  });
  assert.deepEqual(pictureSize({ width: 1, height: 65_535 }, inside), { width: 1, height: 800 });
});

test('no step of any image holds too many pixels, is empty or larger than the one before', () => {
  const pixels = (size: Size): number => size.width * size.height;
  const fits = (inner: Size, outer: Size): boolean => inner.width <= outer.width && inner.height <= outer.height;

  fc.assert(
    fc.property(source, fc.constantFrom(...variantPresets, ...civicOsPresets, inside), (image, preset) => {
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
