/**
 * Which chunks of a PNG file stay in a stripped copy: those of pixels, frames and colours. Invariant: a chunk that is not
 * in its list and may be left out by the specification is left out, and nothing behind IEND is kept.
 */
import { crc32 } from 'node:zlib';
import { ImageError } from '../image-error.ts';
import { orientationBlock } from './orientation-block.ts';

/** Of the ancillary chunks those that change what is seen (PNG, third edition, section 11.3; frames: APNG). */
const kept: ReadonlySet<string> = new Set([
  'tRNS',
  'cHRM',
  'gAMA',
  'iCCP',
  'sBIT',
  'sRGB',
  'cICP',
  'mDCV',
  'cLLI',
  'bKGD',
  'pHYs',
  'acTL',
  'fcTL',
  'fdAT',
]);
const signatureLength = 8;

/** The pieces of the copy, in order. */
export function strippedPng(file: Buffer): Buffer[] {
  const pieces: Buffer[] = [file.subarray(0, signatureLength)];
  let hasExif = false;
  let at = signatureLength;
  let type = '';
  while (type !== 'IEND' && at + 12 <= file.length) {
    const end = at + 12 + file.readUInt32BE(at);
    type = file.toString('latin1', at + 4, at + 8);
    if (!/^[A-Za-z]{4}$/.test(type)) throw new ImageError('corrupt', 'the image is damaged');
    if (type === 'eXIf' && !hasExif) {
      hasExif = true;
      // In its place: there are readers that look for it before the pixels only.
      const block = orientationBlock(file.subarray(at + 8, end - 4));
      if (block !== undefined) pieces.push(chunk('eXIf', block));
    }
    // A capital first letter: the picture cannot be read without it.
    if (kept.has(type) || /^[A-Z]/.test(type)) pieces.push(file.subarray(at, end));
    at = end;
  }
  return pieces;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
