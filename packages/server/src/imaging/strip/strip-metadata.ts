/**
 * Makes a copy of an image file without what it says beside its pixels: EXIF, positions, XMP, IPTC, maker notes, embedded
 * previews, comments, and whatever lies behind its end. Nothing is decoded: the compressed pixels are the same bytes.
 * Invariant: parts are kept because they are known to be needed for showing the picture, never because they are unknown.
 */
import { ImageError } from '../image-error.ts';
import { strippedJpeg } from './strip-jpeg.ts';
import { strippedPng } from './strip-png.ts';
import { strippedWebp } from './strip-webp.ts';

export interface StrippedImage {
  readonly data: Buffer;
  readonly content_type: 'image/jpeg' | 'image/png' | 'image/webp';
}

/** Media types of which a stripped copy can be made. */
export const strippableTypes: readonly string[] = ['image/jpeg', 'image/png', 'image/webp'];

/** The largest file of which one is made, in bytes: it travels to the process that strips it, and back. */
export const strippableBytesMax: number = 2 ** 25;

/**
 * Strips a file. Colour profiles stay, since the same bytes would be other colours without them, and so does an orientation
 * that turns the picture, in an EXIF block of its own that holds nothing else.
 *
 * @throws ImageError `unsupported` for other formats, `corrupt` where the parts of the file cannot be told apart
 */
export function stripMetadata(file: Buffer): StrippedImage {
  if (file.length > 3 && file[0] === 0xff && file[1] === 0xd8 && file[2] === 0xff) {
    return { data: Buffer.concat(strippedJpeg(file)), content_type: 'image/jpeg' };
  }
  if (file.toString('latin1', 0, 8) === '\x89PNG\r\n\x1a\n') {
    return { data: Buffer.concat(strippedPng(file)), content_type: 'image/png' };
  }
  if (file.toString('latin1', 0, 4) === 'RIFF' && file.toString('latin1', 8, 12) === 'WEBP') {
    return { data: Buffer.concat(strippedWebp(file)), content_type: 'image/webp' };
  }
  throw new ImageError('unsupported', 'only JPEG, PNG and WebP can be stripped');
}
