import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { renderVariants } from '../render.ts';
import { drawn, scene } from '../sample-images.ts';
import { stripMetadata } from '../strip/strip-metadata.ts';
import { readExif } from './exif.ts';
import { exifOfPngText } from './png-profile.ts';
import { exifOf, trafalgarSquare } from './sample-exif.ts';

const block = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exifOf(trafalgarSquare)]);
const hex = (block.toString('hex').match(/.{1,72}/g) ?? []).join('\n');
const text = (length: number = block.length): Buffer => Buffer.from(`\nexif\n${String(length).padStart(8)}\n${hex}\n`);
const png = await drawn(scene(64, 48)).png().toBuffer();

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** The picture with a chunk behind its header. */
function pngWith(type: string, data: Buffer): Buffer {
  return Buffer.concat([png.subarray(0, 33), chunk(type, data), png.subarray(33)]);
}

const packed = (keyword: string, data: Buffer): Buffer => Buffer.concat([Buffer.from(`${keyword}\0\0`), data]);

test('EXIF that ImageMagick put into a PNG as text is read, and its stripped copy has none', async () => {
  const files = [
    pngWith('zTXt', packed('Raw profile type exif', deflateSync(text()))),
    pngWith('zTXt', packed('Raw profile type APP1', deflateSync(text()))),
    pngWith('tEXt', Buffer.concat([Buffer.from('Raw profile type exif\0'), text()])),
  ];

  for (const file of files) {
    const { facts } = await renderVariants(file, []);
    assert.deepEqual(exifOfPngText(file), block);
    assert.deepEqual([facts.camera_model, facts.taken_at], ['Acme One', '2024-05-17T10:11:12.345+01:00']);
    assert.equal(facts.location.latitude, 51.508);
    assert.equal(exifOfPngText(stripMetadata(file).data), undefined);
  }
});

test('other texts, broken ones and bombs say nothing', () => {
  const bomb = deflateSync(Buffer.alloc(2 ** 24, 0x30));
  for (const file of [
    Buffer.alloc(0),
    png,
    pngWith('zTXt', packed('Comment', deflateSync(text()))),
    pngWith('zTXt', packed('Raw profile type exif', bomb)),
    pngWith('zTXt', packed('Raw profile type exif', deflateSync(text()).subarray(0, 50))),
    pngWith('tEXt', Buffer.from('Raw profile type exif')),
    pngWith('tEXt', Buffer.concat([Buffer.from('Raw profile type exif\0'), text(block.length + 1)])),
    pngWith('zTXt', packed('Raw profile type exif', deflateSync(text()))).subarray(0, 60),
  ]) {
    assert.equal(exifOfPngText(file), undefined);
  }
});

/** The TIFF with a directory behind its end, which has a text besides. */
function tiffWith(tiff: Buffer, tag: number, words: string): Buffer {
  const at = tiff.readUInt32LE(4);
  const count = tiff.readUInt16LE(at);
  const entries = tiff.subarray(at + 2, at + 2 + count * 12);
  const before = Array.from({ length: count }, (_, i) => entries.readUInt16LE(i * 12)).filter((each) => each < tag);
  const entry = Buffer.alloc(12);
  const end = tiff.length + 2 + (count + 1) * 12 + 4;
  entry.writeUInt16LE(tag, 0);
  entry.writeUInt16LE(2, 2);
  entry.writeUInt32LE(words.length + 1, 4);
  entry.writeUInt32LE(end, 8);
  const [head, size] = [Buffer.from(tiff), Buffer.alloc(2)];
  head.writeUInt32LE(tiff.length, 4);
  size.writeUInt16LE(count + 1);
  const [low, high] = [entries.subarray(0, before.length * 12), entries.subarray(before.length * 12)];
  return Buffer.concat([head, size, low, entry, high, Buffer.alloc(4), Buffer.from(`${words}\0`)]);
}

test('a TIFF says of itself what the EXIF of other files says', async () => {
  const tiff = tiffWith(await drawn(scene(64, 48)).tiff().toBuffer(), 272, 'Acme Scan');
  const { source, facts } = await renderVariants(tiff, []);

  assert.deepEqual([source.format, source.width, facts.camera_model], ['tiff', 64, 'Acme Scan']);
  assert.equal((await sharp(tiff).metadata()).exif, undefined, 'the decoder does not say it');
});

test('a directory is found where its place was written as a number with a sign', () => {
  const signed = Buffer.from(exifOf(trafalgarSquare));
  for (const pointer of [0x8825, 0x8769]) {
    const entry = signed.indexOf(Buffer.from([pointer & 0xff, pointer >> 8, 4, 0]));
    signed.writeUInt16LE(9, entry + 2);
  }

  assert.deepEqual(readExif(signed), readExif(exifOf(trafalgarSquare)));
  assert.equal(readExif(signed).location.state, 'found');
});
