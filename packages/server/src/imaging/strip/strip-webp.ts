/**
 * Which chunks of a WebP file stay in a stripped copy: those of pixels, frames, transparency and colours. Invariant: the
 * flags of its header say exactly what is there, and nothing behind the container's end is kept.
 */
import { ImageError } from '../image-error.ts';
import { orientationBlock } from './orientation-block.ts';

const kept: ReadonlySet<string> = new Set(['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF', 'ICCP']);
/** Bits of the first byte of VP8X (WebP container specification, extended file format). */
const exifFlag = 0x08;
const xmpFlag = 0x04;

/** The pieces of the copy, in order. */
export function strippedWebp(file: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let exif: Buffer | undefined;
  let header: Buffer | undefined;
  let at = 12;
  const containerEnd = Math.min(file.length, 8 + file.readUInt32LE(4));
  while (at + 8 <= containerEnd) {
    const type = file.toString('latin1', at, at + 4);
    const length = file.readUInt32LE(at + 4);
    const end = at + 8 + length + (length % 2);
    const data = file.subarray(at + 8, Math.min(at + 8 + length, containerEnd));
    if (type === 'EXIF') exif ??= data;
    if (type === 'VP8X' && header === undefined) header = Buffer.from(file.subarray(at, end));
    if (kept.has(type))
      pieces.push(type === 'VP8X' && header ? header : file.subarray(at, Math.min(end, containerEnd)));
    at = end;
  }
  if (pieces.length === 0) throw new ImageError('corrupt', 'the image is damaged');
  const block = header === undefined ? undefined : orientationBlock(exif);
  if (header !== undefined)
    header[8] = ((header[8] ?? 0) & ~(exifFlag | xmpFlag)) | (block === undefined ? 0 : exifFlag);
  if (block !== undefined) pieces.push(chunk('EXIF', block));
  return [container(pieces), ...pieces];
}

function container(pieces: readonly Buffer[]): Buffer {
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  head.writeUInt32LE(4 + pieces.reduce((sum, piece) => sum + piece.length, 0), 4);
  return head;
}

function chunk(type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat(data.length % 2 === 0 ? [head, data] : [head, data, Buffer.alloc(1)]);
}
