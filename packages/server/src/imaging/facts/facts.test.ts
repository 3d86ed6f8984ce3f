import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@rowlock/test-harness';
import fc from 'fast-check';
import { drawn, scene } from '../sample-images.ts';
import { clean, wordsOf } from './fact-text.ts';
import { type FactSources, type ImageFacts, readFacts } from './facts.ts';
import { readFactsReply } from './facts-reply.ts';
import { exifOf, type SampleValue, trafalgarSquare } from './sample-exif.ts';
import { takenAt, takenAtIso } from './taken-at.ts';

const text = (value: string): Buffer => Buffer.from(value);
const locationOf = (gps: Readonly<Record<number, SampleValue>>): ImageFacts['location'] =>
  readFacts({ exif: exifOf({ gps: { ...trafalgarSquare.gps, ...gps } }) }).location;
const xmpOf = (inside: string): Buffer =>
  text(`<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>${inside}</rdf:RDF></x:xmpmeta>`);

/** An IPTC dataset of the application record. */
function dataset(number: number, value: string): Buffer {
  const bytes = text(value);
  return Buffer.concat([Buffer.from([0x1c, 2, number, bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

async function pixelsOf(width: number, height: number): Promise<NonNullable<FactSources['pixels']>> {
  const { data, info } = await drawn(scene(1200, 900))
    .resize(width, height, { fit: 'fill' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: 3 };
}

test('a photograph says when, where, with what and by whom it was taken', () => {
  const facts = readFacts({ exif: exifOf(trafalgarSquare) });

  assert.deepEqual(facts.location, {
    state: 'found',
    latitude: 51.508,
    longitude: -0.128333333,
    altitude: 18.5,
    accuracy: 5,
  });
  assert.equal(facts.taken_at, '2024-05-17T10:11:12.345+01:00');
  assert.equal(facts.taken_at_local, '2024-05-17T10:11:12.345');
  assert.deepEqual(
    [facts.camera_make, facts.camera_model, facts.lens_model, facts.creator, facts.copyright, facts.orientation],
    ['Acme', 'Acme One', 'Acme 35mm', 'A. Photographer', 'Acme Press', 6],
  );
});

test('the block of HEIC, which begins with an offset and a name, is read like any other', () => {
  const exif = Buffer.concat([Buffer.from('\0\0\0\x06Exif\0\0', 'latin1'), exifOf(trafalgarSquare)]);

  assert.deepEqual(readFacts({ exif }), readFacts({ exif: exifOf(trafalgarSquare) }));
});

test('without any block there is nothing to know, and that is said', () => {
  const { location, taken_at, keywords, orientation, thumbhash } = readFacts({});

  assert.deepEqual([location.state, taken_at, keywords, orientation, thumbhash], ['none', null, [], 1, null]);
});

test('south and west are negative, and below the sea too', () => {
  const { latitude, longitude, altitude } = locationOf({ 1: 'S', 3: 'W', 5: [1] });

  assert.ok(latitude !== null && latitude < 0 && longitude !== null && longitude < 0);
  assert.equal(altitude, -18.5);
});

const impossible: Readonly<Record<string, Readonly<Record<number, SampleValue>>>> = {
  'a zero denominator': {
    2: [
      [51, 0],
      [30, 1],
      [0, 1],
    ],
  },
  'nothing divided by nothing': {
    4: [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
  },
  '91 degrees north': {
    2: [
      [91, 1],
      [0, 1],
      [0, 1],
    ],
  },
  '181 degrees east': {
    4: [
      [181, 1],
      [0, 1],
      [0, 1],
    ],
  },
  '90 degrees and a minute': {
    2: [
      [90, 1],
      [1, 1],
      [0, 1],
    ],
  },
  'seventy minutes': {
    2: [
      [51, 1],
      [70, 1],
      [0, 1],
    ],
  },
  'no letter': { 1: '' },
  'letters of the other axis': { 1: 'W', 3: 'N' },
  'two numbers instead of three': {
    2: [
      [51, 1],
      [30, 1],
    ],
  },
  'numbers that are no rationals': { 2: [51, 30, 0] },
  'null island': {
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
  'a receiver without satellites': { 9: 'V' },
};
for (const [what, gps] of Object.entries(impossible)) {
  test(`a position of ${what} is invalid, and no number of it is kept`, () => {
    assert.deepEqual(locationOf(gps), {
      state: 'invalid',
      latitude: null,
      longitude: null,
      altitude: null,
      accuracy: null,
    });
  });
}

test('tags out of order count, and a directory without a position is none', () => {
  const { 1: north, 2: latitude, 3: west, 4: longitude } = trafalgarSquare.gps ?? {};
  assert.ok(north && latitude && west && longitude);
  // Numeric keys of an object are sorted, so a map of another order is written by hand: twins, of which the first counts.
  const block = exifOf({ gps: { 0: [2], 1: north, 2: latitude, 3: west, 4: longitude } });

  assert.equal(readFacts({ exif: block }).location.state, 'found');
  assert.equal(readFacts({ exif: exifOf({ gps: { 0: [2], 29: '2024:05:17' } }) }).location.state, 'none');
});

test('a time that does not exist is no time, and an offset that nobody wrote is not assumed', () => {
  for (const time of [
    '0000:00:00 00:00:00',
    '2023:02:29 10:00:00',
    '9999:12:31 23:59:59',
    '2016:12:31 23:59:60',
    'now',
    '',
  ]) {
    assert.deepEqual(takenAt(time, null, '+01:00'), { taken_at: null, taken_at_local: null }, time);
  }
  for (const offset of [null, '', '+25:00', '01:00', '+1', '+01:60']) {
    const taken = takenAt('2024:02:29 10:00:00', 'x', offset);
    assert.deepEqual(taken, { taken_at: null, taken_at_local: '2024-02-29T10:00:00' }, String(offset));
  }
  assert.equal(takenAtIso('2024-02-29T10:00:00.25Z').taken_at, '2024-02-29T10:00:00.25+00:00');
});

test('captions come from XMP, then IPTC, then EXIF', () => {
  const xmp =
    xmpOf(`<rdf:Description xmp:CreateDate="2020-01-02T03:04:05" exif:GPSLatitude="51,30.48N" exif:GPSLongitude="0,7,42W">
    <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Tom &amp; Jerry &#x263A;</rdf:li></rdf:Alt></dc:title>
    <dc:subject><rdf:Bag><rdf:li>cat</rdf:li><rdf:li> mouse </rdf:li></rdf:Bag></dc:subject></rdf:Description>`);
  const iptc = Buffer.concat([
    Buffer.from('Photoshop 3.0\0' + '8BIM\x04\x04\0\0\0\0', 'latin1'),
    Buffer.from([0, 100]),
    dataset(5, 'not shown'),
    dataset(80, 'Ann'),
    Buffer.concat([Buffer.from([0x1c, 2, 120, 0, 4]), Buffer.from([0x63, 0x61, 0x66, 0xe9])]),
  ]);

  const facts = readFacts({ xmp, iptc, exif: exifOf({ image: { 270: 'of EXIF', 33432: 'mine' } }) });

  assert.deepEqual([facts.title, facts.keywords], ['Tom & Jerry ☺', ['cat', 'mouse']]);
  assert.deepEqual([facts.creator, facts.caption, facts.copyright], ['Ann', 'café', 'mine']);
  assert.deepEqual([facts.taken_at, facts.taken_at_local], [null, '2020-01-02T03:04:05']);
  assert.deepEqual([facts.location.latitude, facts.location.longitude], [51.508, -0.128333333]);
  const old = readFacts({ xmp: xmpOf('<rdf:Description xap:CreateDate="2009-06-03T17:02:22+02:00"/>') });
  assert.equal(old.taken_at, '2009-06-03T17:02:22+02:00', 'the prefix of the first version');
  const copied = readFacts({ xmp: xmpOf('<rdf:Description exif:DateTimeOriginal="2021:08:19 18:48:53"/>') });
  assert.equal(copied.taken_at_local, '2021-08-19T18:48:53', 'as darktable writes it');
});

test('text loses NUL, controls, halves of pairs and what turns its direction, and is cut', () => {
  assert.equal(clean("a\u0000b \u0000 c\t\td\ud800</script>\u202e'; --\r\n", 100), "ab c d</script>'; --");
  assert.equal(clean(' \u0000\u0007 ', 100), null);
  assert.equal(wordsOf(Buffer.alloc(1_000_000, 'é'), 200)?.length, 200);
  assert.equal(wordsOf(Buffer.from([0x41, 0xff, 0x42]), 10), 'AÿB');
  assert.equal(clean('😀'.repeat(300), 200), '😀'.repeat(200));
});

test('directories that loop, count without end or point outside cost nothing', () => {
  const loop = exifOf({ image: { 34665: [8], 34853: [8] } });
  const endless = Buffer.alloc(65_000, 1);
  endless.write('II*\0\x08\0\0\0', 'latin1');
  endless.writeUInt16LE(65_535, 8);
  // 5,400 tags, each of four thousand million bytes that begin within the block.
  for (let at = 10; at + 12 <= endless.length; at += 12) {
    endless.writeUInt32LE(0xffffffff, at + 4);
    endless.writeUInt32LE(8, at + 8);
  }
  const outside = exifOf({ image: { 34665: [0xffffffff], 34853: [0x80000000] } });

  for (const exif of [
    loop,
    endless,
    outside,
    Buffer.from('II*\0', 'latin1'),
    Buffer.alloc(0),
    Buffer.from('II*\0\xff\xff\xff\xff', 'latin1'),
  ]) {
    assert.equal(readFacts({ exif }).location.state, 'none');
  }
});

test('the same picture in other sizes has nearly the same hash, and another picture has not', async () => {
  const [large, small] = [
    readFacts({ pixels: await pixelsOf(1000, 750) }),
    readFacts({ pixels: await pixelsOf(120, 90) }),
  ];
  const other = readFacts({ pixels: { ...scene(300, 300), channels: 3, data: scene(300, 300).data.reverse() } });

  assert.ok(bitsBetween(large.dhash, small.dhash) <= 3);
  assert.ok(bitsBetween(large.dhash, other.dhash) > 12);
  assert.match(large.dominant_colour ?? '', /^#[0-9a-f]{6}$/);
  assert.ok(Buffer.from(large.thumbhash ?? '', 'base64').length >= 15);
});

test('a blurred picture is less sharp, a dark one less bright, and a flat one has no hash', async () => {
  const picture = drawn(scene(400, 300));
  const looks = async (image: typeof picture) =>
    readFacts({ pixels: { data: await image.raw().toBuffer(), width: 400, height: 300, channels: 3 } });

  const [sharp, blurred, dark] = [
    await looks(picture.clone()),
    await looks(picture.clone().blur(8)),
    await looks(picture.clone().linear(0.1, 0)),
  ];
  const flat = readFacts({ pixels: { data: new Uint8Array(300).fill(200), width: 10, height: 10, channels: 3 } });

  assert.ok((blurred.sharpness ?? 1) < (sharp.sharpness ?? 0) / 4);
  assert.ok((dark.brightness ?? 1) < (sharp.brightness ?? 0) / 5);
  assert.deepEqual([flat.dhash, flat.dominant_colour, flat.sharpness], [null, '#c8c8c8', 0]);
});

test('what is transparent is no colour, and one pixel is a picture', () => {
  const clear = readFacts({ pixels: { data: new Uint8Array(64), width: 4, height: 4, channels: 4 } });
  const single = readFacts({ pixels: { data: Uint8Array.of(9), width: 1, height: 1, channels: 1 } });

  assert.deepEqual([clear.dominant_colour, clear.brightness], [null, 1]);
  assert.deepEqual([single.dominant_colour, single.dhash, single.shadows], ['#090909', null, 0]);
});

test('any bytes are read without an error, and whatever is read passes the check of a reply', () => {
  const { seed } = seededRandom();
  const bent = fc
    .tuple(
      fc.constantFrom(exifOf(trafalgarSquare), xmpOf('<dc:title>x</dc:title>'), dataset(5, 'x')),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 }),
    )
    .map(([bytes, changes]) => {
      const changed = Buffer.from(bytes);
      for (const [at, value] of changes) changed[at % changed.length] = value;
      return changed;
    });
  const bytes = fc.oneof(bent, fc.uint8Array({ maxLength: 300 }));
  const runs = Number(process.env['ROWLOCK_ROUNDS'] ?? 400);

  fc.assert(
    fc.property(bytes, bytes, bytes, (exif, xmp, iptc) => {
      const facts = readFacts({ exif, xmp, iptc });

      const json = JSON.stringify(facts);
      assert.deepEqual(readFactsReply(JSON.parse(json)), facts);
      assert.doesNotMatch(json, /\\u00(0|1[^a])/, 'no control character but the line feed, which is \\n');
      assert.equal(Buffer.from(json).toString(), json, 'valid Unicode');
    }),
    { seed: Number(seed) | 0, numRuns: runs },
  );
});

test('a reply that says what no reader says is refused', () => {
  const facts = readFacts({ exif: exifOf(trafalgarSquare) });
  const lies: readonly object[] = [
    { title: 'a\u0000b' },
    { title: 'x'.repeat(201) },
    { keywords: Array(51).fill('x') },
    { taken_at: "2024-05-17T10:11:12'; --" },
    { thumbhash: '<script>' },
    { dhash: '0' },
    { sharpness: 2 },
    { orientation: 9 },
    { location: { ...facts.location, latitude: 91 } },
    { location: { ...facts.location, longitude: Number.NaN } },
    { location: null },
  ];

  assert.deepEqual(readFactsReply({ ...facts, more: 1 }), facts);
  for (const lie of lies) assert.throws(() => readFactsReply({ ...facts, ...lie }), TypeError, JSON.stringify(lie));
});

function bitsBetween(one: string | null, other: string | null): number {
  const different = BigInt(`0x${one ?? ''}`) ^ BigInt(`0x${other ?? ''}`);
  return [...different.toString(2)].filter((bit) => bit === '1').length;
}
