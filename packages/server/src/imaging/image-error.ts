/**
 * Why no picture can be made of some bytes: a closed union that decides whether trying again makes sense. It
 * carries words that the file's owner may read, never libvips' own. Invariant: what is not the file's fault
 * (a missing file, a lack of memory) is no ImageError and stays what it is.
 */

/**
 * - `unsupported`: not one of the formats that are decoded
 * - `corrupt`: one of them, and too damaged to show
 * - `too_large`: more pixels than the limit, by its header
 * - `timeout`: took longer than it was given
 * - `memory`: took more memory than it was given
 * - `crashed`: the process that decoded it ended
 */
export type ImageErrorReason = 'unsupported' | 'corrupt' | 'too_large' | 'timeout' | 'memory' | 'crashed';

/** A picture that cannot be made, and whether that will ever change. */
export class ImageError extends Error {
  readonly reason: ImageErrorReason;
  /** True when another attempt with the same bytes would end the same; what is not may depend on the machine. */
  readonly permanent: boolean;

  constructor(reason: ImageErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ImageError';
    this.reason = reason;
    this.permanent = reason === 'unsupported' || reason === 'corrupt' || reason === 'too_large';
  }
}

/**
 * Returns the ImageError of what libvips threw; everything that is not about the image's bytes comes back
 * unchanged.
 */
export function imageError(error: unknown): unknown {
  if (error instanceof ImageError || !(error instanceof Error)) return error;
  const text = error.message;
  const options = { cause: error };
  if (/^Input file is missing|out of memory|unable to (allocate|create thread)/i.test(text)) return error;
  if (text.startsWith('timeout')) return new ImageError('timeout', 'decoding the image took too long', options);
  if (/exceeds .* limit/.test(text)) return new ImageError('too_large', 'the image has too many pixels', options);
  if (/\bunsupported\b|is empty/i.test(text)) {
    return new ImageError('unsupported', 'the file is not a JPEG, PNG, WebP, GIF, TIFF or AVIF image', options);
  }
  return new ImageError('corrupt', 'the image is damaged', options);
}
