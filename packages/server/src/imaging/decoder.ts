/**
 * The one way into libvips: sets it up for hostile input, opens files with limits and reads their headers.
 * Whoever decodes runs in a process that can be killed; the limits here only keep that rare. Invariant: bytes
 * reach a decoder only when libvips itself found an accepted format in them, whatever their name.
 */
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { ImageError, imageError, strangeFile } from './image-error.ts';

/** The bytes of a file, or its path. */
export type ImageSource = Buffer | string;

export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif' | 'heic' | 'svg' | 'pdf';

export interface ImageLimits {
  /** Width times height of what is decoded, by the header. 100 million unless given. */
  readonly pixelsMax?: number;
}

export const pixelsMaxDefault = 100_000_000;

// For the whole process: every loader that is not needed is a parser less for hostile bytes (HDR gain maps,
// whatever a later libvips brings). Raw pixels are not loaded but handed over and stay possible.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadJpeg',
    'VipsForeignLoadPng',
    'VipsForeignLoadWebp',
    'VipsForeignLoadNsgif',
    'VipsForeignLoadTiff',
    'VipsForeignLoadHeif',
  ],
});
// No picture comes twice, so a cache would only hold memory and open files. One thread a picture: two gain
// nothing on one thumbnail job (measured), while jobs side by side use all cores.
sharp.cache(false);
sharp.concurrency(1);

/** Lets this process load SVG, which one that decodes photographs never does. */
export function allowDrawings(): void {
  sharp.unblock({ operation: ['VipsForeignLoadSvg'] });
}

/** Opens an image; nothing is read yet. `failOn` is libvips' sensitivity to damage. */
export function openImage(source: ImageSource, limits: ImageLimits, options: SharpOptions = {}): Sharp {
  return sharp(source, { ...options, limitInputPixels: limits.pixelsMax ?? pixelsMaxDefault });
}

/** Reads the header of an image; throws an ImageError (`unsupported`, `too_large`, `corrupt`). */
export async function readMetadata(source: ImageSource, limits: ImageLimits): Promise<Metadata> {
  try {
    return await openImage(source, limits).metadata();
  } catch (error) {
    throw imageError(error);
  }
}

export interface ImageHeader {
  readonly format: ImageFormat;
  readonly metadata: Metadata;
}

/** Reads the header of an image that libvips decodes; throws an ImageError (`unsupported`, `too_large`, `corrupt`). */
export async function readHeader(source: ImageSource, limits: ImageLimits): Promise<ImageHeader> {
  const metadata = await readMetadata(source, limits);
  const format = formatOf(metadata);
  if (format === 'heic') throw new ImageError('unsupported', 'HEIC is decoded by another process');
  return { format, metadata };
}

/** The format of what libvips opened, or an ImageError. */
export function formatOf({ format, compression }: Metadata): ImageFormat {
  if (format === 'heif') return compression === 'av1' ? 'avif' : 'heic';
  const accepted: readonly string[] = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] satisfies ImageFormat[];
  if (accepted.includes(format)) return format as ImageFormat;
  throw new ImageError('unsupported', strangeFile);
}
