/**
 * Which parts of a JPEG file stay in a stripped copy: tables, frames and scans as they are, JFIF without its preview, the
 * colour profile, Adobe's colour transform. It decodes no scan. Invariant: it moves forward with every step, and nothing
 * behind the end of the picture is kept, where telephones put further pictures and films.
 */
import { ImageError } from '../image-error.ts';
import { orientationBlock } from './orientation-block.ts';

const marker = { jfif: 0xe0, exif: 0xe1, icc: 0xe2, adobe: 0xee, scan: 0xda, end: 0xd9, comment: 0xfe } as const;
const exifName = Buffer.from('Exif\0\0', 'latin1');

/** The pieces of the copy, in order; most are parts of the file's own memory. */
export function strippedJpeg(file: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let exif: Buffer | undefined;
  let at = nextMarker(file, 2);
  while (at < file.length) {
    const { code, begin, end } = segmentAt(file, at);
    if (code === marker.end) break;
    const data = file.subarray(begin, end);
    if (code === marker.exif && startsWith(data, exifName)) exif ??= data;
    const kept = keptSegment(code, file.subarray(at, end), data);
    if (kept !== undefined) pieces.push(kept);
    at = nextMarker(file, end);
    // Between other segments there is nothing, or what decoders skip.
    if (code === marker.scan) pieces.push(file.subarray(end, at));
  }
  return [Buffer.from([0xff, 0xd8]), ...withOrientation(pieces, exif), Buffer.from([0xff, marker.end])];
}

interface Segment {
  readonly code: number;
  /** Of its data, behind its length. */
  readonly begin: number;
  readonly end: number;
}

/** The segment whose marker is at a place. */
function segmentAt(file: Buffer, at: number): Segment {
  const code = file[at + 1] ?? marker.end;
  const begin = at + 2;
  if (code === marker.end || code === 1 || code === 0xd8) return { code, begin, end: begin };
  const length = begin + 2 <= file.length ? file.readUInt16BE(begin) : 0;
  if (length < 2 || begin + length > file.length) throw new ImageError('corrupt', 'the image is damaged');
  return { code, begin: begin + 2, end: begin + length };
}

function keptSegment(code: number, whole: Buffer, data: Buffer): Buffer | undefined {
  if (code === marker.jfif) return startsWith(data, Buffer.from('JFIF\0', 'latin1')) ? withoutPreview(data) : undefined;
  if (code === marker.icc) return startsWith(data, Buffer.from('ICC_PROFILE\0', 'latin1')) ? whole : undefined;
  if (code === marker.adobe)
    return startsWith(data, Buffer.from('Adobe', 'latin1')) ? withLength(code, data.subarray(0, 12)) : undefined;
  // SOF, DHT, DAC, DQT, DNL, DRI, DHP, EXP and SOS: 0xc0 to 0xdf without what stands alone. Restarts belong to scans.
  return code >= 0xc0 && code <= 0xdf && !(code >= 0xd0 && code <= 0xd8) ? whole : undefined;
}

/** Version, density, and a preview of no pixels. */
function withoutPreview(data: Buffer): Buffer | undefined {
  if (data.length < 14) return undefined;
  const kept = Buffer.from(data.subarray(0, 14));
  kept.writeUInt16BE(0, 12);
  return withLength(marker.jfif, kept);
}

/** The first marker from a place on that is neither a stuffed byte nor a restart: there entropy-coded data ends. */
function nextMarker(file: Buffer, begin: number): number {
  let at = file.indexOf(0xff, begin);
  while (at !== -1 && at + 1 < file.length) {
    const next = file[at + 1] ?? 0;
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
    at = file.indexOf(0xff, next === 0xff ? at + 1 : at + 2);
  }
  return file.length; // it breaks off, and is shown as far as it goes
}

/** JFIF comes first where there is one; readers look for EXIF right behind it. */
function withOrientation(pieces: readonly Buffer[], exif: Buffer | undefined): Buffer[] {
  const block = orientationBlock(exif);
  if (block === undefined) return [...pieces];
  const isJfif = pieces[0]?.[1] === marker.jfif;
  const segment = withLength(marker.exif, Buffer.concat([exifName, block]));
  return isJfif ? [...pieces.slice(0, 1), segment, ...pieces.slice(1)] : [segment, ...pieces];
}

function withLength(code: number, data: Buffer): Buffer {
  const head = Buffer.from([0xff, code, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

function startsWith(data: Buffer, beginning: Buffer): boolean {
  return data.subarray(0, beginning.length).equals(beginning);
}
