/**
 * Says what an image is from its header alone. It decodes no pixels and reads no EXIF beyond the orientation.
 * Invariant: width and height are what a viewer sees, after the orientation is applied.
 */
import { type ImageFormat, type ImageLimits, type ImageSource, readHeader } from './decoder.ts';

export interface ProbedImage {
  readonly format: ImageFormat;
  /** In pixels, upright. */
  readonly width: number;
  readonly height: number;
  /** EXIF's 1 to 8; 1 where there is none. */
  readonly orientation: number;
  /** Frames or pages; 1 for a still image. */
  readonly pages: number;
  readonly has_alpha: boolean;
}

/**
 * Reads the header of an image.
 *
 * Throws an ImageError: `unsupported`, `corrupt`, or `too_large` above 100 million pixels (or the limit given).
 */
export async function probeImage(source: ImageSource, limits: ImageLimits = {}): Promise<ProbedImage> {
  const { format, metadata } = await readHeader(source, limits);
  return {
    format,
    width: metadata.autoOrient.width,
    height: metadata.autoOrient.height,
    orientation: metadata.orientation ?? 1,
    pages: metadata.pages ?? 1,
    has_alpha: metadata.hasAlpha,
  };
}
