/**
 * Why no picture can be made of some bytes: a closed union that decides whether trying again makes sense. It
 * carries words that the file's owner may read, never libvips' own. Invariant: what is not the file's fault
 * (a missing file, a lack of memory) is no ImageError and stays what it is.
 */

/**
 * - `unsupported`: not one of the formats that are decoded
 * - `corrupt`: one of them, and too damaged to show
 * - `encrypted`: a document that opens with a password only
 * - `empty`: a document without pages
 * - `unsafe`: a drawing that asks for more than it brings along
 * - `too_large`: more pixels or bytes than the limit, by its header
 * - `timeout`: took longer than it was given
 * - `memory`: took more memory than it was given
 * - `crashed`: the process that decoded it ended
 */
export type ImageErrorReason =
  | 'unsupported'
  | 'corrupt'
  | 'encrypted'
  | 'empty'
  | 'unsafe'
  | 'too_large'
  | 'timeout'
  | 'memory'
  | 'crashed';

/** What depends on the machine and the moment. */
const passing: readonly ImageErrorReason[] = ['timeout', 'memory', 'crashed'];

export interface ImageErrorOptions extends ErrorOptions {
  /** Said where more is known than the reason tells. */
  readonly permanent?: boolean;
}

/** A picture that cannot be made, and whether that will ever change. */
export class ImageError extends Error {
  readonly reason: ImageErrorReason;
  /** True when another attempt with the same bytes would end the same; what is not may depend on the machine. */
  readonly permanent: boolean;

  constructor(reason: ImageErrorReason, message: string, options: ImageErrorOptions = {}) {
    super(message, options);
    this.name = 'ImageError';
    this.reason = reason;
    this.permanent = options.permanent ?? !passing.includes(reason);
  }
}

/** A decoder in WebAssembly that the file's bytes brought to a trap: nobody knows what they left in its memory. */
export class BrokenEngine extends Error {}

/** A watermark that cannot be laid over: it was chosen by who made the preset, and no file is to blame. */
export class WatermarkError extends Error {}

/** Returns the BrokenEngine of a trap, or of an exception of C++, which arrives as a number; anything else unchanged. */
export function engineError(error: unknown): unknown {
  const isTrap = !(error instanceof Error) || error.name === 'RuntimeError';
  return isTrap ? new BrokenEngine(`the decoder threw ${String(error)}`, { cause: error }) : error;
}

/** What is said of every file that is of no known format. */
export const strangeFile = 'the file is not a JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC, SVG or PDF file';

/**
 * Returns the ImageError of what libvips threw; everything that is not about the image's bytes comes back
 * unchanged.
 */
export function imageError(error: unknown): unknown {
  if (error instanceof ImageError || !(error instanceof Error)) return error;
  if (error instanceof BrokenEngine || error instanceof WatermarkError) return error;
  const text = error.message;
  const options = { cause: error };
  if (/^Input file is missing|out of memory|unable to (allocate|create thread)/i.test(text)) return error;
  if (text.startsWith('timeout')) return new ImageError('timeout', 'decoding the image took too long', options);
  if (/exceeds .* limit/.test(text)) return new ImageError('too_large', 'the image has too many pixels', options);
  if (/\bunsupported\b|is empty/i.test(text)) return new ImageError('unsupported', strangeFile, options);
  return new ImageError('corrupt', 'the image is damaged', options);
}
