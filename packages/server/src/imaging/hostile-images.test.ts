import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import sharp from 'sharp';
import { ImageError, imageError } from './image-error.ts';
import { type VariantPreset, variantPresets } from './presets.ts';
import { renderVariants } from './render.ts';
import { asHeic, drawn, encoded, noise, pngBomb, scene, turned } from './sample-images.ts';
import { pdfOfPage, svgOf } from './sources/sample-documents.ts';

async function reasonOf(source: Buffer, presets: readonly VariantPreset[] = variantPresets): Promise<string> {
  try {
    const { source: found } = await renderVariants(source, presets);
    return found.damaged ? 'shown, damaged' : 'shown';
  } catch (error) {
    return error instanceof ImageError
      ? `${error.reason}${error.permanent ? '' : ', may pass'}`
      : `unexpected: ${error}`;
  }
}

/** The names of a JPEG's segments before its pixels, with the beginning of what applications wrote. */
function segmentsOf(jpeg: Buffer): string[] {
  const found: string[] = [];
  for (let at = 2; at < jpeg.length && jpeg[at] === 0xff; ) {
    const marker = jpeg[at + 1] ?? 0;
    const isApplication = marker >= 0xe0 && marker <= 0xfe;
    found.push(marker.toString(16) + (isApplication ? ` ${jpeg.subarray(at + 4, at + 8).toString('latin1')}` : ''));
    if (marker === 0xda) break;
    at += 2 + jpeg.readUInt16BE(at + 2);
  }
  return found;
}

const secrets = [
  'Exif',
  'GPS',
  'ns.adobe.com',
  'xpacket',
  'Photoshop',
  'ICC_PROFILE',
  'Secret Owner',
  'eXIf',
  'iTXt',
  'tEXt',
  'iCCP',
  'XMP ',
  'EXIF',
];

for (const format of ['jpeg', 'png', 'webp', 'tiff', 'avif'] as const) {
  test(`nothing of the metadata of a ${format} is in any variant`, async () => {
    const image = encoded[format](drawn(scene(500, 400)))
      .withIccProfile('p3')
      .withExif({
        IFD0: { Copyright: 'Secret Owner', Make: 'Camera', Orientation: '6' },
        IFD3: {
          GPSLatitudeRef: 'N',
          GPSLatitude: '52/1 30/1 0/1',
          GPSLongitudeRef: 'E',
          GPSLongitude: '13/1 24/1 0/1',
        },
      })
      .withXmp('<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><a>Secret Owner</a></x:xmpmeta>');
    const bytes = await image.toBuffer();
    const before = await sharp(bytes).metadata();
    const presets = variantPresets.flatMap((preset) =>
      (['jpeg', 'png', 'webp'] as const).map(
        (output): VariantPreset => ({ ...preset, name: `${preset.name}-${output}`, format: output }),
      ),
    );

    const { variants } = await renderVariants(bytes, presets);

    assert.ok(before.xmp?.includes('Secret Owner') && before.icc !== undefined);
    // libtiff keeps EXIF in tags of its own.
    assert.ok(format === 'tiff' || before.exif?.includes('Secret Owner'));
    assert.equal(variants.length, 9);
    for (const { data, preset } of variants) {
      const { exif, xmp, iptc, icc, orientation, comments, tifftagPhotoshop } = await sharp(data).metadata();
      assert.deepEqual(
        [exif, xmp, iptc, icc, orientation, comments, tifftagPhotoshop],
        Array(7).fill(undefined),
        preset,
      );
      for (const secret of secrets) assert.equal(data.includes(secret), false, `${secret} in ${preset}`);
      if (preset.endsWith('jpeg')) {
        const segments = segmentsOf(data);
        assert.deepEqual(
          segments.filter((name) => name.startsWith('e') || name.startsWith('f')),
          [],
        );
        assert.deepEqual([segments.includes('c2'), segments.at(-1)], [true, 'da']);
      }
    }
  });
}

test('the byte test of metadata can fail: it finds them in a file that has them', async () => {
  const bytes = await drawn(scene(50, 40))
    .withMetadata({ exif: { IFD0: { Copyright: 'Secret Owner' } } })
    .jpeg()
    .toBuffer();

  const found = secrets.filter((secret) => bytes.includes(secret));

  assert.ok(found.includes('Exif') && found.includes('Secret Owner') && found.includes('ICC_PROFILE'));
  assert.ok(segmentsOf(bytes).includes('e1 Exif'));
});

test('pixel bombs are refused by their headers', async () => {
  const gif = Buffer.concat([
    Buffer.from('GIF89a'),
    Buffer.from([0x50, 0xc3, 0x50, 0xc3, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]),
    Buffer.from([0x2c, 0, 0, 0, 0, 0x50, 0xc3, 0x50, 0xc3, 0, 2, 2, 0x44, 1, 0, 0x3b]),
  ]);
  const jpeg = await drawn(scene(64, 64)).jpeg().toBuffer();
  const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  jpeg.writeUInt16BE(65_500, frame + 5);
  jpeg.writeUInt16BE(65_500, frame + 7);

  assert.deepEqual(await Promise.all([pngBomb(65_535, 65_535), gif, jpeg].map((bytes) => reasonOf(bytes))), [
    'too_large',
    'too_large',
    'too_large',
  ]);
});

test('what is not one of the formats is unsupported, by its bytes and for good', async () => {
  const inputs: Record<string, Buffer> = {
    nothing: Buffer.alloc(0),
    text: Buffer.from('hello'),
    noise: randomBytes(100_000),
    html: Buffer.from('<!doctype html><svg></svg><script>alert(1)</script>'),
    bmp: Buffer.concat([Buffer.from('BM'), Buffer.alloc(200)]),
    exr: Buffer.from([0x76, 0x2f, 0x31, 0x01, 2, 0, 0, 0, 0]),
    hdr: Buffer.from('#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 2 +X 2\n'),
    ppm: Buffer.from('P6 2 2 255\n123456789012'),
    csv: Buffer.from('1,2\n3,4\n'),
    psd: Buffer.concat([Buffer.from('8BPS'), Buffer.alloc(100)]),
    zip: Buffer.from('PK\x03\x04'),
    vips: Buffer.concat([Buffer.from([0x08, 0xf2, 0xa6, 0xb6]), Buffer.alloc(100)]),
  };

  for (const [what, bytes] of Object.entries(inputs)) assert.equal(await reasonOf(bytes), 'unsupported', what);
});

test('42 a HEIC file whose pixels are no HEVC is corrupt, for good, and a process for photographs refuses it', async () => {
  const heic = asHeic(await encoded.avif(drawn(scene(64, 64))).toBuffer());

  assert.equal(await reasonOf(heic), 'corrupt');
  await assert.rejects(renderVariants(heic, variantPresets, { kind: 'picture' }), { reason: 'unsupported' });
});

test('bytes are opened as the kind that was asked for, whatever else could be seen in them', async () => {
  const kinds = {
    picture: svgOf(16, 8),
    svg: pdfOfPage({ width: 9, height: 9 }),
    pdf: await encoded.png(drawn(scene(9, 9))).toBuffer(),
  } as const;

  for (const kind of ['picture', 'svg', 'pdf'] as const) {
    await assert.rejects(renderVariants(kinds[kind], variantPresets, { kind }), { name: 'ImageError' }, kind);
  }
});

for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const) {
  test(`a ${format} that breaks off early or turns to noise is not shown as sound`, async () => {
    const bytes = await encoded[format](noise(300, 200)).toBuffer();
    const early = bytes.subarray(0, Math.floor(bytes.length * 0.3));
    const garbled = Buffer.concat([bytes.subarray(0, 700), randomBytes(bytes.length - 700)]);

    // A TIFF's directory stands at its end: without it there is no telling what the file was.
    assert.equal(await reasonOf(early), format === 'tiff' ? 'unsupported' : 'corrupt');
    // VP8 decodes any bits to some picture, so noise in a WebP can only be seen.
    assert.match(
      await reasonOf(garbled),
      format === 'webp' ? /^shown|^corrupt/ : /^shown, damaged|^corrupt|^unsupported/,
    );
  });
}

test('a JPEG header followed by noise is corrupt', async () => {
  const bytes = await noise(600, 400).jpeg().toBuffer();
  const scan = bytes.indexOf(Buffer.from([0xff, 0xda]));

  const garbled = Buffer.concat([bytes.subarray(0, scan + 14), randomBytes(100_000)]);

  assert.equal(await reasonOf(garbled), 'corrupt');
});

for (const orientation of [1, 3, 6]) {
  test(`a camera's JPEG of orientation ${orientation} that lacks its end is shown, and lacking half is corrupt`, async () => {
    const bytes = await drawn(turned(scene(800, 600), orientation))
      .withMetadata({ orientation })
      .jpeg({ quality: 90 })
      .toBuffer();

    assert.equal(await reasonOf(bytes.subarray(0, bytes.length - 2)), 'shown, damaged');
    assert.equal(await reasonOf(bytes.subarray(0, Math.floor(bytes.length * 0.9))), 'shown, damaged');
    assert.equal(await reasonOf(bytes.subarray(0, Math.floor(bytes.length * 0.5))), 'corrupt');
  });
}

test('a JPEG with stray bytes between its segments is shown', async () => {
  const bytes = await drawn(scene(400, 300)).jpeg().toBuffer();
  const tables = bytes.indexOf(Buffer.from([0xff, 0xc4]));

  const stray = Buffer.concat([bytes.subarray(0, tables), Buffer.from([0, 1, 2]), bytes.subarray(tables)]);

  assert.equal(await reasonOf(stray), 'shown, damaged');
});

test('a broken colour profile costs the colours, not the picture', async () => {
  const bytes = await drawn(scene(400, 300)).withIccProfile('p3').jpeg().toBuffer();
  const profile = bytes.indexOf('ICC_PROFILE');

  randomBytes(200).copy(bytes, profile + 14 + 128);

  assert.match(await reasonOf(bytes), /^shown/);
});

test('time that has run out is a timeout, which may pass', async () => {
  const bytes = await drawn(scene(400, 300)).jpeg().toBuffer();

  const failing = renderVariants(bytes, variantPresets, { timeoutMs: 0 });

  await assert.rejects(failing, { name: 'ImageError', reason: 'timeout', permanent: false });
});

test("libvips' own timeout is told as one", async () => {
  const slow = noise(4000, 4000).blur(200).timeout({ seconds: 1 }).raw().toBuffer();

  await assert.rejects(slow, (error) => {
    const told = imageError(error);
    return told instanceof ImageError && told.reason === 'timeout' && !told.permanent;
  });
});

test('what is not about the bytes of the image is no ImageError', async () => {
  const missing = renderVariants('/nonexistent/image.jpg', variantPresets);

  await assert.rejects(missing, (error) => error instanceof Error && !(error instanceof ImageError));
  assert.ok(!(imageError(new Error('out of memory --- size == 3GB')) instanceof ImageError));
});

test('hundreds of random changes to small files never crash, hang or give anything but an ImageError', async () => {
  const files = await Promise.all(Object.values(encoded).map((encode) => encode(drawn(scene(40, 30))).toBuffer()));
  const seed = 33;
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const seen = new Map<string, number>();

  const changed = 300 * Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
  for (let i = 0; i < changed; i++) {
    const bytes = Buffer.from(files[i % files.length] ?? Buffer.alloc(0));
    for (let change = 0; change < 3; change++) bytes[random(bytes.length)] = random(256);
    const reason = await reasonOf(bytes, variantPresets.slice(0, 1));
    seen.set(reason, (seen.get(reason) ?? 0) + 1);
  }

  const allowed = new Set(['shown', 'shown, damaged', 'corrupt', 'unsupported', 'too_large']);
  assert.deepEqual(
    [...seen.keys()].filter((reason) => !allowed.has(reason)),
    [],
    `seed ${seed}`,
  );
  assert.ok((seen.get('corrupt') ?? 0) > 0 && (seen.get('shown') ?? 0) > 0);
});
