/**
 * Pixels between two steps of rendering, and the time that a whole rendering has. It decides nothing about sizes.
 * Invariant: no step begins when no time is left.
 */
import sharp, { type Sharp } from 'sharp';
import type { Size } from './geometry.ts';
import { ImageError } from './image-error.ts';

/** Raw, or a TIFF that still has its colour profile. */
export interface Pixels extends Size {
  readonly data: Buffer;
  /** Undefined for a TIFF. */
  readonly channels: 1 | 2 | 3 | 4 | undefined;
}

/** Goes on from pixels. */
export function fromPixels({ data, width, height, channels }: Pixels, deadline: Deadline): Sharp {
  const image = channels === undefined ? sharp(data) : sharp(data, { raw: { width, height, channels } });
  return image.timeout(deadline.left());
}

/** Runs a pipeline to raw pixels of 8 bits in sRGB. */
export async function rawPixels(image: Sharp): Promise<Pixels> {
  const { data, info } = await image
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}

/** The time that is left, as sharp takes it. */
export class Deadline {
  readonly #at: number;

  constructor(timeoutMs: number) {
    this.#at = performance.now() + timeoutMs;
  }

  /** Whole seconds, at least one; throws an ImageError when none is left. */
  left(): { seconds: number } {
    const ms = this.#at - performance.now();
    if (ms <= 0) throw new ImageError('timeout', 'decoding the image took too long');
    return { seconds: Math.min(3600, Math.ceil(ms / 1000)) };
  }
}

/** RGB of what is RGBA, in the same memory: the colours move together, and what is behind them is cut off. */
export function packedRgb(rgba: Buffer): Buffer {
  const { length } = rgba;
  for (let from = 0, to = 0; from < length; from += 4, to += 3) {
    rgba[to] = rgba[from] ?? 0;
    rgba[to + 1] = rgba[from + 1] ?? 0;
    rgba[to + 2] = rgba[from + 2] ?? 0;
  }
  return rgba.subarray(0, (length / 4) * 3);
}
