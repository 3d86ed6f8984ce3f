/**
 * Image files that are made to harm whoever decodes them, built byte by byte or bent from sound ones. It sends
 * nothing. Invariant: no generator needs more than some megabytes itself, and the same call makes the same file.
 */
import { crc32, deflateSync } from 'node:zlib';
import { drawn, noise, scene } from '../../../packages/server/dist/imaging/sample-images.js';

/** A chunk of a PNG. */
export function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A sound PNG with further chunks behind its header. */
export async function pngWith(...chunks: readonly Buffer[]): Promise<Buffer> {
  const png = await drawn(scene(60, 40)).png().toBuffer();
  return Buffer.concat([png.subarray(0, 33), ...chunks, png.subarray(33)]);
}

/** A text chunk of a PNG that inflates to so many bytes. */
export function inflatingChunk(type: 'zTXt' | 'iTXt' | 'iCCP', bytes: number): Buffer {
  const packed = deflateSync(Buffer.alloc(bytes, 'A'));
  const before = { zTXt: 'Comment\0\0', iTXt: 'Comment\0\u0001\0en\0\0', iCCP: 'icc\0\0' }[type];
  return pngChunk(type, Buffer.concat([Buffer.from(before, 'latin1'), packed]));
}

/** A PNG that says it has so many frames, each of which it has. */
export async function animatedPng(frames: number): Promise<Buffer> {
  const word = (...values: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(values.length * 4);
    for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, i * 4);
    return bytes;
  };
  const control = (sequence: number): Buffer =>
    pngChunk('fcTL', Buffer.concat([word(sequence, 60, 40, 0, 0), Buffer.from([0, 1, 0, 10, 0, 0])]));
  const packed = deflateSync(Buffer.alloc(40 * 181));
  const others = Array.from({ length: frames - 1 }, (_, i) => [
    control(1 + i * 2),
    pngChunk('fdAT', Buffer.concat([word(2 + i * 2), packed])),
  ]);
  const png = await pngWith(pngChunk('acTL', word(frames, 0)), control(0));
  return Buffer.concat([png.subarray(0, -12), ...others.flat(), png.subarray(-12)]);
}

/** A GIF of so many frames of one pixel on a screen of 60 by 40. */
export function animatedGif(frames: number): Buffer {
  const screen = Buffer.from([60, 0, 40, 0, 0x80, 0, 0, 200, 30, 30, 30, 30, 200]);
  const frame = Buffer.from([0x2c, 0, 0, 0, 0, 60, 0, 40, 0, 0, 2, 2, 0x44, 1, 0]);
  return Buffer.concat([
    Buffer.from('GIF89a'),
    screen,
    ...Array.from({ length: frames }, () => frame),
    Buffer.from([0x3b]),
  ]);
}

interface Tag {
  readonly tag: number;
  /** 3 for 16 bits, 4 for 32. */
  readonly type: number;
  readonly count: number;
  readonly value: number;
}

/** The tags of a grey picture of eight bits whose pixels stand at byte 8. */
export function greyTags(width: number, height: number): Tag[] {
  return [
    [256, width],
    [257, height],
    [258, 8],
    [259, 1],
    [262, 1],
    [273, 8],
    [277, 1],
    [278, height],
    [279, width * height],
  ].map(([tag = 0, value = 0]) => ({ tag, type: 4, count: 1, value }));
}

/** A little-endian TIFF of directories, each with the offset that it names as the next one (none: the one behind it). */
export function tiffOf(directories: readonly { readonly tags: readonly Tag[]; readonly next?: number }[]): Buffer {
  const head = Buffer.alloc(8 + 60 * 40, 0x7f);
  head.write('II*\0', 'latin1');
  head.writeUInt32LE(head.length, 4);
  const parts = [head];
  let at = head.length;
  for (const [i, { tags, next }] of directories.entries()) {
    const directory = Buffer.alloc(2 + tags.length * 12 + 4);
    directory.writeUInt16LE(tags.length, 0);
    for (const [j, { tag, type, count, value }] of tags.entries()) {
      const entry = directory.subarray(2 + j * 12);
      entry.writeUInt16LE(tag, 0);
      entry.writeUInt16LE(type, 2);
      entry.writeUInt32LE(count, 4);
      entry.writeUInt32LE(value, 8);
    }
    at += directory.length;
    const isLast = i === directories.length - 1;
    directory.writeUInt32LE(next ?? (isLast ? 0 : at), directory.length - 4);
    parts.push(directory);
  }
  return Buffer.concat(parts);
}

/** Where the first directory of `tiffOf` stands. */
export const firstDirectory: number = 8 + 60 * 40;

/** A JPEG with an EXIF block of the given TIFF structure. */
export async function jpegWithExif(tiff: Buffer): Promise<Buffer> {
  const jpeg = await drawn(scene(60, 40)).jpeg().toBuffer();
  const segment = Buffer.concat([Buffer.from([0xff, 0xe1, 0, 0]), Buffer.from('Exif\0\0', 'latin1'), tiff]);
  segment.writeUInt16BE(segment.length - 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)]);
}

/** A progressive JPEG whose last scan comes again and again. */
export async function jpegOfScans(width: number, height: number, scans: number): Promise<Buffer> {
  const jpeg = await drawn(scene(width, height)).jpeg({ progressive: true }).toBuffer();
  const last = jpeg.lastIndexOf(Buffer.from([0xff, 0xda]));
  const scan = jpeg.subarray(last, -2);
  return Buffer.concat([jpeg.subarray(0, -2), ...Array.from({ length: scans }, () => scan), jpeg.subarray(-2)]);
}

/** A file of noise in a format, with the header's size replaced by another. */
export async function jpegOfSize(width: number, height: number): Promise<Buffer> {
  const jpeg = await noise(64, 64).jpeg().toBuffer();
  const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  jpeg.writeUInt16BE(height, frame + 5);
  jpeg.writeUInt16BE(width, frame + 7);
  return jpeg;
}

/** A lossless WebP of a size by its header, up to 16,384 each way, with next to no pixels. */
export function webpOfSize(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(40);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WEBPVP8L', 8, 'latin1');
  bytes.writeUInt32LE(bytes.length - 20, 16);
  bytes[20] = 0x2f;
  bytes.writeUInt32LE((width - 1) | ((height - 1) << 14), 21);
  return bytes;
}

/** An AVIF whose header promises another size. */
export async function avifOfSize(width: number, height: number): Promise<Buffer> {
  const avif = await drawn(scene(64, 64)).avif({ effort: 0 }).toBuffer();
  const at = avif.indexOf('ispe');
  avif.writeUInt32BE(width, at + 8);
  avif.writeUInt32BE(height, at + 12);
  return avif;
}
