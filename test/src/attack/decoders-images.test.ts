/** Rows 33 to 43, 47, 49 and 50 of the list of attacks: files that are made to harm whoever decodes them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { seededRandom } from '@rowlock/test-harness';
import sharp from 'sharp';
import { exifOf, type SampleBlock, trafalgarSquare } from '../../../packages/server/dist/imaging/facts/sample-exif.js';
import { drawn, encoded, noise, pngBomb, scene, turned } from '../../../packages/server/dist/imaging/sample-images.js';
import {
  animatedGif,
  animatedPng,
  avifOfSize,
  firstDirectory,
  greyTags,
  inflatingChunk,
  jpegOfScans,
  jpegOfSize,
  jpegWithExif,
  pngChunk,
  pngWith,
  tiffOf,
  webpOfSize,
} from './hostile-images.ts';
import { type Attacked, assertRefused, attacked } from './standing.ts';
import { outcomeOf, photoPath } from './thumbnail-outcome.ts';

let attack: Attacked;

before(async () => {
  attack = await attacked();
  await attack.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('photos', 'olivia')");
  await attack.remember();
});
afterEach(async () => {
  await attack.remember();
  await attack.assertUnharmed();
});
after(() => attack.stop());

const tooLarge = 'the image has too many pixels';
const damaged = 'the image is damaged';
const strange = 'the file is not a JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC, SVG or PDF file';

/** Uploads files and asserts what becomes of each: thumbnails or a reason, the first time, as the same job. */
async function assertOutcomes(files: Readonly<Record<string, Buffer>>, expected: string | RegExp): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    const { thumbnails, job, attempts } = await outcomeOf(attack, name, bytes);
    if (typeof expected === 'string') assert.equal(thumbnails, expected, name);
    else assert.match(thumbnails, expected, name);
    assert.ok(job === undefined || (job === 'completed' && attempts === 1), `${name}: ${job} after ${attempts}`);
  }
}

test('33 a picture of more pixels than are decoded is refused by its header', async () => {
  const gif = Buffer.concat([
    Buffer.from('GIF89a'),
    Buffer.from([0x50, 0xc3, 0x50, 0xc3, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]),
    Buffer.from([0x2c, 0, 0, 0, 0, 0x50, 0xc3, 0x50, 0xc3, 0, 2, 2, 0x44, 1, 0, 0x3b]),
  ]);

  await assertOutcomes(
    {
      'bomb.png': pngBomb(65_535, 65_535),
      'bomb.gif': gif,
      'bomb.jpg': await jpegOfSize(65_500, 65_500),
      'bomb.tif': tiffOf([{ tags: greyTags(50_000, 50_000) }]),
    },
    tooLarge,
  );
  await assertOutcomes(
    { 'bomb.avif': await avifOfSize(60_000, 60_000), 'bomb.webp': webpOfSize(16_384, 8192) },
    /too many pixels|damaged/,
  );
});

test('33 a small file of few pixels that takes much memory ends with a reason or its thumbnails', async () => {
  const avif = await sharp({ create: { width: 3000, height: 3000, channels: 3, background: 'teal' } })
    .avif({ effort: 0, quality: 40 })
    .toBuffer();

  assert.ok(avif.length < 2000);
  await assertOutcomes({ 'dense.avif': avif }, 'made');
});

test('34 of ten thousand frames and a thousand pages the first is shown', async () => {
  const frame = scene(20, 15);
  const webp = await sharp(Buffer.concat(Array.from({ length: 1000 }, () => frame.data)), {
    raw: { width: 20, height: 15_000, channels: 3, pageHeight: 15 },
  })
    .webp({ effort: 0, delay: Array(1000).fill(10) })
    .toBuffer();
  const pages = Array.from({ length: 1000 }, () => ({ tags: greyTags(60, 40) }));

  await assertOutcomes(
    {
      'frames.gif': animatedGif(10_000),
      'frames.png': await animatedPng(2000),
      'frames.webp': webp,
      'pages.tif': tiffOf(pages),
    },
    'made',
  );
});

test('34 a strip of 16 by 17,000 pixels costs no more than a photograph', async () => {
  const png = await noise(16, 17_000).png().toBuffer();

  assert.deepEqual((await outcomeOf(attack, 'strip.png', png)).size, [16, 17_000]);
  await assertOutcomes({ 'strip.avif': await avifOfSize(16, 17_000) }, /^made$|damaged|is missing/);
});

test('35 a progressive JPEG of ten thousand scans ends before its time is up', async () => {
  const jpeg = await jpegOfScans(800, 600, 10_000);

  await assertOutcomes({ 'scans.jpg': jpeg }, damaged);
});

test('35 arithmetic coding, CMYK and sixteen bits are shown or refused with a reason', async () => {
  const arithmetic = await noise(64, 64).jpeg().toBuffer();
  arithmetic[arithmetic.indexOf(Buffer.from([0xff, 0xc0])) + 1] = 0xc9;
  const flat = sharp({ create: { width: 300, height: 300, channels: 3, background: '#c83232' } });

  await assertOutcomes(
    {
      'cmyk.jpg': await flat.clone().toColourspace('cmyk').jpeg().toBuffer(),
      'deep.png': await flat.clone().toColourspace('rgb16').png().toBuffer(),
    },
    'made',
  );
  await assertOutcomes({ 'arithmetic.jpg': arithmetic }, /^made$|damaged|not a JPEG/);
});

test('36 what inflates to a hundred megabytes beside the pixels is not held', async () => {
  const bytes = 100 * 2 ** 20;

  for (const type of ['zTXt', 'iTXt', 'iCCP'] as const) {
    await assertOutcomes({ [`${type}.png`]: await pngWith(inflatingChunk(type, bytes)) }, /^made$|damaged/);
  }
});

test('36 a broken colour profile costs the colours, not the picture', async () => {
  const jpeg = await drawn(scene(400, 300)).withIccProfile('p3').jpeg().toBuffer();
  seededRandom()
    .bytes(200)
    .copy(jpeg, jpeg.indexOf('ICC_PROFILE') + 14 + 128);

  await assertOutcomes({ 'profile.jpg': jpeg }, 'made');
});

const tags = greyTags(60, 40);

test('37 directories that loop, count without end or point outside end with thumbnails or a reason', async () => {
  const without = (tag: number) => tags.filter((entry) => entry.tag !== tag);
  const files = {
    'loop.tif': tiffOf([{ tags, next: firstDirectory }]),
    'count.tif': tiffOf([{ tags: [...tags, { tag: 305, type: 2, count: 2 ** 32 - 1, value: 8 }] }]),
    'strips.tif': tiffOf([{ tags: [...without(273), { tag: 273, type: 4, count: 2 ** 32 - 1, value: 8 }] }]),
    'outside.tif': tiffOf([{ tags: [...without(273), { tag: 273, type: 4, count: 1, value: 2 ** 32 - 9 }] }]),
    'type.tif': tiffOf([{ tags: [...without(256), { tag: 256, type: 2, count: 4, value: 0xffffffff }] }]),
    'far.tif': tiffOf([{ tags, next: 2 ** 31 }]),
    'sub.tif': tiffOf([{ tags: [...tags, { tag: 34_665, type: 4, count: 1, value: firstDirectory }] }]),
  };

  await assertOutcomes(files, /^made$|^the (image|file) is (damaged|not a)|^most of the image is missing$/);
});

test('37 EXIF that loops, counts without end or points outside costs nothing but itself', async () => {
  const pointer = (tag: number, value: number) => ({ tag, type: 4, count: 1, value });
  const blocks = {
    loop: tiffOf([{ tags: [pointer(34_665, firstDirectory)], next: firstDirectory }]),
    outside: tiffOf([{ tags: [pointer(34_665, 2 ** 32 - 1), pointer(34_853, 2 ** 31)], next: 2 ** 31 }]),
    count: tiffOf([{ tags: [{ tag: 271, type: 2, count: 2 ** 32 - 1, value: 8 }] }]),
    type: tiffOf([{ tags: [{ tag: 274, type: 12, count: 1, value: 6 }] }]),
    orientation: tiffOf([{ tags: [{ tag: 274, type: 3, count: 1, value: 65_535 }] }]),
    empty: Buffer.alloc(0),
    cut: tiffOf([{ tags }]).subarray(0, 12),
  };

  for (const [name, block] of Object.entries(blocks)) {
    await assertOutcomes({ [`exif-${name}.jpg`]: await jpegWithExif(block) }, 'made');
  }
});

test('38 a position that cannot be is invalid, and never null island', async () => {
  const files: Record<string, Buffer> = {};
  for (const [name, gps] of Object.entries({
    'denominator.jpg': {
      2: [
        [51, 0],
        [30, 0],
        [0, 0],
      ],
    },
    'north.jpg': {
      2: [
        [91, 1],
        [0, 1],
        [0, 1],
      ],
    },
    'letterless.jpg': { 1: '' },
    'swapped.jpg': { 1: 'W', 3: 'N' },
    'island.jpg': {
      2: [
        [0, 1],
        [0, 1],
        [0, 1],
      ],
      4: [
        [0, 1],
        [0, 1],
        [0, 1],
      ],
    },
  } satisfies Record<string, SampleBlock['gps']>)) {
    files[name] = await jpegWithExif(exifOf({ gps: { ...trafalgarSquare.gps, ...gps } }));
  }

  await assertOutcomes(files, 'made');
  const states = await attack.database.query<{ state: string; latitude: number | null }>(
    'SELECT state, latitude FROM storage.image_locations JOIN storage.objects USING (version_id) WHERE name = ANY ($1)',
    [Object.keys(files)],
  );
  assert.deepEqual(states, Array(5).fill({ state: 'invalid', latitude: null }));
});

test('39 EXIF text of NUL, invalid UTF-8, markup and a megabyte stops no job and goes nowhere', async () => {
  const base = () => drawn(scene(60, 40));
  const files = {
    'text.jpg': await base()
      .withExif({ IFD0: { ImageDescription: "</script>\u0000'; DROP TABLE x; --", Copyright: '\ud800' } })
      .jpeg()
      .toBuffer(),
    'comment.png': await pngWith(pngChunk('tEXt', Buffer.concat([Buffer.from('Comment\0'), Buffer.alloc(1e6, 0xff)]))),
  };

  await assertOutcomes(files, 'made');
  const [row] = await attack.database.query<{ caption: string; keywords: string[] }>(
    "SELECT caption, keywords FROM storage.image_metadata JOIN storage.objects USING (version_id) WHERE name = 'text.jpg'",
  );
  // It is data now, as it was; what shows it escapes it.
  assert.ok(row?.caption.startsWith('</script>'));
});

test('40 a date that does not exist is no date, and stops no job', async () => {
  const files: Record<string, Buffer> = {};
  for (const [name, original] of Object.entries({
    'zero.jpg': '0000:00:00 00:00:00',
    'february.jpg': '2023:02:30 10:00:00',
    'far.jpg': '9999:12:31 23:59:59',
    'leap.jpg': '2016:12:31 23:59:60',
  })) {
    files[name] = await jpegWithExif(exifOf({ photo: { 36867: original, 36881: '+99:99' } }));
  }

  await assertOutcomes(files, 'made');
  const dated = await attack.database.query(
    'SELECT FROM storage.image_metadata JOIN storage.objects USING (version_id) WHERE name = ANY ($1) AND read_at IS NOT NULL AND num_nonnulls(taken_at, taken_at_local) = 0',
    [Object.keys(files)],
  );
  assert.equal(dated.length, 4);
});

test('41 every orientation is recorded upright, and EXIF decides where XMP says otherwise', async () => {
  const xmp = `<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
    xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
    xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="3"/></rdf:RDF></x:xmpmeta>`;

  for (let orientation = 1; orientation <= 8; orientation += 1) {
    const jpeg = await drawn(turned(scene(60, 40), orientation))
      .withMetadata({ orientation })
      .withXmp(xmp)
      .jpeg();

    const outcome = await outcomeOf(attack, `turned-${orientation}.jpg`, await jpeg.toBuffer());

    assert.deepEqual([outcome.thumbnails, outcome.size], ['made', [60, 40]], `orientation ${orientation}`);
  }
});

test('42 random changes to an AVIF end with its thumbnails or a reason', async () => {
  const random = seededRandom();
  const avif = await encoded.avif(drawn(scene(60, 40))).toBuffer();
  const rounds = Number(process.env['ROWLOCK_ROUNDS'] ?? 12);

  for (let round = 0; round < rounds; round += 1) {
    const bent = Buffer.from(avif);
    for (let change = 0; change < 4; change += 1) bent[12 + random.integer(bent.length - 12)] = random.integer(256);
    const { thumbnails, job } = await outcomeOf(attack, 'bent.avif', bent, 'image/avif');

    assert.match(thumbnails, /^(made|none)$|^the (image|file) |is missing$/, `seed ${random.seed}, round ${round}`);
    assert.ok(job !== 'discarded', `seed ${random.seed}, round ${round}`);
  }
});

test('43 formats that are not decoded have no thumbnails and no job that tries for ever', async () => {
  const formats: Readonly<Record<string, Buffer>> = {
    'a.bmp': Buffer.concat([Buffer.from('BM'), Buffer.alloc(200)]),
    'a.ico': Buffer.from([0, 0, 1, 0, 1, 0, 16, 16, 0, 0, 1, 0, 32, 0, 40, 1, 0, 0, 22, 0, 0, 0]),
    'a.psd': Buffer.concat([Buffer.from('8BPS'), Buffer.from([0, 1]), Buffer.alloc(100)]),
    'a.exr': Buffer.from([0x76, 0x2f, 0x31, 0x01, 2, 0, 0, 0, 0]),
    'a.jp2': Buffer.concat([Buffer.from('0000000c6a5020200d0a870a', 'hex'), Buffer.alloc(100)]),
  };

  await assertOutcomes(formats, /^none$|not a JPEG/);
  await assertOutcomes({ 'a.bin': seededRandom().bytes(10_000), 'empty.jpg': Buffer.alloc(0) }, strange);
});

test('47 names that mean something to a command line are names', async () => {
  const photo = await drawn(scene(60, 40)).jpeg().toBuffer();

  await assertOutcomes(
    {
      '-rf': photo,
      '@/etc/passwd': photo,
      '--help': photo,
      'a;reboot|cat $(id) `id` && x.jpg': photo,
      '%s%n.jpg[n=99999]': photo,
    },
    'made',
  );
});

test('49 a PNG that names a local file gets nothing of it into a thumbnail', async () => {
  const secret = readFileSync(new URL(import.meta.url)).subarray(0, 60);
  const png = await pngWith(
    pngChunk('tEXt', Buffer.from('profile\0/etc/passwd', 'latin1')),
    pngChunk('tEXt', Buffer.from(`Raw profile type exif\0${new URL(import.meta.url).pathname}`, 'latin1')),
  );

  await assertOutcomes({ 'profile.png': png }, 'made');
  const [variant] = await attack.database.query<{ key: string }>(
    `SELECT v.key FROM storage.objects AS o JOIN storage.variants AS d ON d.source_version_id = o.version_id
     JOIN storage.versions AS v ON v.id = d.version_id WHERE o.name = 'profile.png' AND d.preset = 'small'`,
  );
  const bytes = readFileSync(`${attack.service.root}/${variant?.key}`);

  assert.ok(!bytes.includes(secret) && !bytes.includes('root:') && !bytes.includes('profile'));
});

test('50 a preview of what is no image is not found, and nothing is decoded for it', async () => {
  const zip = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), Buffer.alloc(2 ** 20)]);
  assert.equal((await outcomeOf(attack, 'big.zip', zip, 'application/zip')).job, undefined);

  const path = photoPath('big.zip').replace('/object/', '/render/image/authenticated/');
  const preset = await attack.service.fetch(`${path}?preset=small`, { as: 'olivia' });
  const size = await attack.service.fetch(`${path}?width=64`, { as: 'olivia' });

  await assertRefused(preset, 404, 'variant_not_found');
  await assertRefused(size, 415, 'media_type_not_allowed');
});
