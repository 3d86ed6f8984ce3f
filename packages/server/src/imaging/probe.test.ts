import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { ImageError } from './image-error.ts';
import { probeImage } from './probe.ts';
import { drawn, encoded, pngBomb, scene, turned } from './sample-images.ts';

for (const [format, encode] of Object.entries(encoded)) {
  test(`the header of a ${format} file tells format and size`, async () => {
    const bytes = await encode(drawn(scene(60, 40))).toBuffer();

    const probed = await probeImage(bytes);

    assert.deepEqual(probed, { format, width: 60, height: 40, orientation: 1, pages: 1, has_alpha: false });
  });
}

for (let orientation = 1; orientation <= 8; orientation++) {
  test(`orientation ${orientation} tells the upright size`, async () => {
    const bytes = await drawn(turned(scene(60, 40), orientation))
      .withMetadata({ orientation })
      .jpeg()
      .toBuffer();

    const probed = await probeImage(bytes);

    assert.deepEqual([probed.width, probed.height, probed.orientation], [60, 40, orientation]);
  });
}

test('an animation tells its frames and the size of one', async () => {
  const { data } = scene(20, 30);
  const frames = sharp(data, { raw: { width: 20, height: 30, channels: 3, pageHeight: 10 } });

  const probed = await probeImage(await frames.gif({ delay: [10, 10, 10] }).toBuffer());

  assert.deepEqual([probed.format, probed.width, probed.height, probed.pages], ['gif', 20, 10, 3]);
});

test('transparency is told', async () => {
  const bytes = await drawn(scene(20, 30)).ensureAlpha(0.5).png().toBuffer();

  assert.equal((await probeImage(bytes)).has_alpha, true);
});

test('a file is probed by its path, whatever its name', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'rowlock-probe-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'photo.svg');
  await writeFile(file, await drawn(scene(60, 40)).webp().toBuffer());

  assert.equal((await probeImage(file)).format, 'webp');
  await assert.rejects(probeImage(path.join(folder, 'missing.jpg')), (error) => !(error instanceof ImageError));
});

test('too many pixels are refused by the header, at the limit given', async () => {
  const bytes = await drawn(scene(60, 40)).png().toBuffer();

  await assert.rejects(probeImage(pngBomb(65_535, 65_535)), { reason: 'too_large', permanent: true });
  await assert.rejects(probeImage(bytes, { pixelsMax: 2399 }), { reason: 'too_large' });
  assert.equal((await probeImage(bytes, { pixelsMax: 2400 })).width, 60);
});
