/**
 * Images that libvips decodes, as the renderer sees them: strictly first, and leniently what only that shows. It cuts and
 * encodes nothing. Invariant: a damaged file is shown only when three quarters of it could be read.
 */
import type { Metadata, Sharp } from 'sharp';
import { type ImageFormat, type ImageLimits, type ImageSource, openImage, readHeader } from '../decoder.ts';
import { exifOfPngText } from '../facts/png-profile.ts';
import type { Size } from '../geometry.ts';
import { ImageError, imageError } from '../image-error.ts';
import { type Deadline, type Pixels, rawPixels } from '../pixels.ts';
import { missingShare } from './damage.ts';
import type { OpenedSource } from './opened-source.ts';

/** A file may lack this share of its picture and still be shown: an upload that broke off near its end. */
export const missingShareMax = 0.25;

interface Decoding {
  readonly source: ImageSource;
  readonly limits: ImageLimits;
  readonly metadata: Metadata;
  readonly background: string | undefined;
  readonly deadline: Deadline;
}

/** Reads the header of an image; throws an ImageError. */
export async function openPicture(source: ImageSource, limits: ImageLimits): Promise<OpenedSource> {
  const { format, metadata } = await readHeader(source, limits);
  return pictureSource(source, limits, format, metadata);
}

/** An image whose header was read. */
export function pictureSource(
  source: ImageSource,
  limits: ImageLimits,
  format: ImageFormat,
  metadata: Metadata,
): OpenedSource {
  const { width, height } = metadata.autoOrient;
  return {
    format,
    told: { width, height },
    size: { width, height },
    pages: metadata.pages ?? 1,
    bytesNeeded: (size) => bytesNeeded(format, metadata, size),
    blocks: {
      exif: metadata.exif ?? exifWithin(source, format),
      xmp: metadata.xmp,
      iptc: metadata.iptc,
      orientation: metadata.orientation,
    },
    decode: (size, background, deadline) => decode({ source, limits, metadata, background, deadline }, size),
  };
}

/** What libvips does not call EXIF: the tags of a TIFF, which is what such a block is, and an old way of PNG. */
function exifWithin(source: ImageSource, format: ImageFormat): Buffer | undefined {
  if (typeof source === 'string') return undefined;
  if (format === 'tiff') return source;
  return format === 'png' ? exifOfPngText(source) : undefined;
}

/** Bytes a pixel of the whole image that stay while it is decoded, where decoding is no stream of lines. */
function bytesNeeded(format: ImageFormat, metadata: Metadata, size: Size): number {
  const { width, height, channels, depth } = metadata;
  const sample = depth === 'uchar' ? 1 : 2;
  const whole: Partial<Record<ImageFormat, number>> = {
    // Coefficients of all blocks are kept until the last scan.
    jpeg: metadata.isProgressive === true ? channels * 2 : 0,
    png: metadata.isProgressive === true ? channels * sample : 0,
    webp: 4,
    gif: 8,
    tiff: channels * sample,
    avif: 8,
  };
  return width * height * (whole[format] ?? 4) + size.width * size.height * 12;
}

/** Decodes strictly first, since almost all files are sound, and leniently only what failed so. */
async function decode(decoding: Decoding, size: Size): Promise<{ pixels: Pixels; damaged: boolean }> {
  try {
    return { pixels: await decodeStrictly(decoding, size), damaged: false };
  } catch (error) {
    const failure = imageError(error);
    if (!(failure instanceof ImageError) || failure.reason !== 'corrupt') throw failure;
  }
  const pixels = await rawPixels(reduced(decoding, size, 'none'));
  if (missingShare(pixels) > missingShareMax) throw new ImageError('corrupt', 'most of the image is missing');
  return { pixels, damaged: true };
}

async function decodeStrictly(decoding: Decoding, size: Size): Promise<Pixels> {
  const image = reduced(decoding, size, 'warning');
  const { hasProfile, space, depth } = decoding.metadata;
  // Converting colours costs 30 to 45 ms for what libjpeg gives of 12 megapixels and a third of that for what is
  // left of it, so the profile travels along. Only RGB of 8 bits can be scaled before it is converted.
  if (hasProfile && space === 'srgb' && depth === 'uchar') {
    return {
      data: await image.keepIccProfile().tiff({ compression: 'none' }).toBuffer(),
      ...size,
      channels: undefined,
    };
  }
  return await rawPixels(image);
}

/** Upright, and scaled down while it is decoded (libvips lets libjpeg and libwebp shrink). */
function reduced({ source, limits, background, deadline }: Decoding, size: Size, failOn: 'warning' | 'none'): Sharp {
  const image = openImage(source, limits, { failOn, autoOrient: true })
    .timeout(deadline.left())
    .resize({ ...size, fit: 'fill' });
  return background === undefined ? image : image.flatten({ background });
}
