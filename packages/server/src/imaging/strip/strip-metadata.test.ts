import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { requires, temporaryFolder, toolPath } from '@rowlock/test-harness';
import sharp, { type Sharp } from 'sharp';
import { exifOf, trafalgarSquare } from '../facts/sample-exif.ts';
import { type AskedPreset, variantPresets } from '../presets.ts';
import { readReply } from '../processes/decoder-messages.ts';
import { renderAsked } from '../render-asked.ts';
import { drawn, scene, turned } from '../sample-images.ts';
import { stripMetadata } from './strip-metadata.ts';

const secret = 'Trafalgar-Square-51.508';
const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
  xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="${secret}"/></rdf:RDF></x:xmpmeta>`;

/** A picture that was turned by its camera, with all that a file can say. */
const telling = (): Sharp =>
  drawn(turned(scene(300, 200), 6))
    .withExif({
      IFD0: { Copyright: secret, Artist: secret },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 2880/100' },
    })
    .withMetadata({ orientation: 6 })
    .withIccProfile('p3')
    .withXmp(xmp);

/** A segment of a JPEG file. */
function segment(code: number, data: Buffer): Buffer {
  const head = Buffer.from([0xff, code, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

async function pixelsOf(file: Buffer): Promise<Buffer> {
  return await sharp(file).autoOrient().keepIccProfile().raw().toBuffer();
}

function assertSaysNothing(file: Buffer): void {
  const text = file.toString('latin1');
  for (const sign of [secret, 'GPS', 'xmpmeta', 'ns.adobe.com', 'Photoshop', '8BIM', 'MPF', 'Artist', 'hidden']) {
    assert.ok(!text.includes(sign), `it still says ${sign}`);
  }
}

for (const [type, file] of [
  ['image/jpeg', () => telling().jpeg({ progressive: false }).toBuffer()],
  ['image/jpeg', () => telling().jpeg({ progressive: true }).toBuffer()],
  ['image/png', () => telling().png().toBuffer()],
  ['image/webp', () => telling().webp().toBuffer()],
  ['image/webp', () => telling().webp({ lossless: true }).toBuffer()],
] as const) {
  test(`a stripped ${type} says nothing, and has the same pixels, colours and orientation`, async () => {
    const original = await file();

    const { data, content_type } = stripMetadata(original);

    assert.equal(content_type, type);
    assertSaysNothing(data);
    assert.ok((await pixelsOf(data)).equals(await pixelsOf(original)));
    const [before, after] = [await sharp(original).metadata(), await sharp(data).metadata()];
    assert.deepEqual([after.orientation, after.width, after.xmp, after.iptc], [6, before.width, undefined, undefined]);
    assert.ok(after.icc !== undefined && before.icc !== undefined && after.icc.equals(before.icc));
    assert.ok((after.exif?.length ?? 0) <= 32, 'an orientation, and nothing else');
    assert.deepEqual(stripMetadata(data).data, data, 'there is nothing left to strip');
    if (type === 'image/webp') assert.equal((data[data.indexOf('VP8X') + 8] ?? 0) & 0x0c, 0x08, 'EXIF, and no XMP');
  });
}

test('a JPEG loses comments, previews, further pictures behind its end, and what is between its scans', async () => {
  const plain = await drawn(scene(64, 48)).jpeg({ progressive: true }).toBuffer();
  const secondScan = plain.indexOf(Buffer.from([0xff, 0xda]), plain.indexOf(Buffer.from([0xff, 0xda])) + 2);
  const tables = plain.lastIndexOf(Buffer.from([0xff, 0xc4]), secondScan);
  const at = tables === -1 ? secondScan : tables;
  const jfif = Buffer.concat([Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\x01\x01', 'latin1'), Buffer.from('hid')]);
  const original = Buffer.concat([
    plain.subarray(0, 2),
    segment(0xe0, jfif),
    segment(0xe0, Buffer.from('JFXX\0hidden')),
    segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), exifOf({ ...trafalgarSquare, image: { 274: [1] } })])),
    segment(0xe2, Buffer.from('MPF\0hidden')),
    segment(0xed, Buffer.from('Photoshop 3.0\0hidden')),
    segment(0xfe, Buffer.from('hidden')),
    plain.subarray(2, at),
    segment(0xfe, Buffer.from('hidden')),
    plain.subarray(at),
    plain.subarray(0, 2),
    segment(0xe2, Buffer.from('ICC_PROFILE\0hidden')),
  ]);

  const { data } = stripMetadata(original);

  assertSaysNothing(data);
  assert.ok((await pixelsOf(data)).equals(await pixelsOf(plain)));
  assert.equal((await sharp(data).metadata()).exif, undefined, 'upright already: no block at all');
  assert.deepEqual([...data.subarray(18, 20)], [0, 0], 'a preview of no pixels');
});

test('PNG and WebP lose what their lists do not name, and what is behind their end', async () => {
  const png = await drawn(scene(64, 48)).png().toBuffer();
  const hidden = Buffer.concat([Buffer.from([0, 0, 0, 6]), Buffer.from('teXthidden'), Buffer.alloc(4)]);
  const webp = await drawn(scene(64, 48)).webp().toBuffer();
  const strange = Buffer.concat([webp, Buffer.from('XTRA\x06\0\0\0hidden', 'latin1')]);
  strange.writeUInt32LE(strange.length - 8, 4);

  const cleanPng = stripMetadata(
    Buffer.concat([png.subarray(0, 33), hidden, png.subarray(33), Buffer.from('hidden')]),
  ).data;
  const cleanWebp = stripMetadata(Buffer.concat([strange, Buffer.from('hidden')])).data;

  assert.deepEqual(cleanPng.toString('latin1').match(/hidden/g), null);
  assert.ok((await pixelsOf(cleanPng)).equals(await pixelsOf(png)));
  assert.deepEqual(cleanWebp, webp);
});

test('a file that breaks off is stripped as far as it goes, and what is no such file is refused', async () => {
  const jpeg = await telling().jpeg().toBuffer();
  const half = jpeg.subarray(0, Math.floor(jpeg.length * 0.8));

  assertSaysNothing(stripMetadata(half).data);
  assert.throws(() => stripMetadata(jpeg.subarray(0, 40)), { reason: 'corrupt' });
  for (const other of [Buffer.alloc(0), Buffer.from('GIF89a'), await drawn(scene(9, 9)).tiff().toBuffer()]) {
    assert.throws(() => stripMetadata(other), { reason: 'unsupported' });
  }
});

test('a copy comes beside what is drawn, in the order that was asked for, and is believed in the format of its file only', async () => {
  const [small] = variantPresets;
  assert.ok(small);
  const presets: readonly AskedPreset[] = [{ ...small, name: 'public', format: 'stripped' }, small];
  const file = await telling().jpeg().toBuffer();

  const image = await renderAsked(file, presets, {});

  const { source, facts } = image;
  const variants = image.variants.map(({ data: _, ...variant }) => variant);
  const bytes = Buffer.concat(image.variants.map(({ data }) => data));
  const reply = JSON.parse(JSON.stringify({ source, facts, variants }));
  assert.deepEqual(
    variants.map(({ preset, width }) => [preset, width]),
    [
      ['public', 300],
      ['small', 150],
    ],
  );
  assert.ok(image.variants[0]?.data.equals(stripMetadata(file).data));
  assert.deepEqual(readReply({ head: reply, data: bytes }, presets), image);
  for (const format of ['png', 'gif']) {
    const lie = { ...reply, source: { ...source, format } };
    assert.throws(() => readReply({ head: lie, data: bytes }, presets), TypeError, format);
  }
});

test('ExifTool finds no position and no name in a stripped copy', {
  skip: requires('exiftool'),
}, async () => {
  const path = join(temporaryFolder(), 'stripped.jpg');
  writeFileSync(path, stripMetadata(await telling().jpeg().toBuffer()).data);

  const said = execFileSync(toolPath('exiftool'), ['-a', '-G1', '-s', path], { encoding: 'utf8' });

  assert.doesNotMatch(said, /GPS|XMP|IPTC|Artist|Copyright\s*: Trafalgar/);
  assert.match(said, /Orientation/);
});
