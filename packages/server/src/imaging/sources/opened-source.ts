/**
 * What every format looks like to the renderer: a size, what it says beside its pixels, and pixels at any size. It decodes
 * nothing itself. Invariant: until `decode` is called no pixel was decoded.
 */
import type { ImageFormat } from '../decoder.ts';
import type { Size } from '../geometry.ts';
import type { Deadline, Pixels } from '../pixels.ts';

export interface OpenedSource {
  readonly format: ImageFormat;
  /** What is told of it: upright pixels, of a document its page's points. */
  readonly told: Size;
  /** What variants are measured by; larger than what is told for what has no pixels of its own. */
  readonly size: Size;
  /** Pixels of a variant that is as large as the source, where that has no pixels of its own. */
  readonly natural?: Size;
  /** Frames or pages; 1 for a still image. */
  readonly pages: number;
  /** Bytes that decoding to that size takes beside the file, about. */
  bytesNeeded(size: Size): number;
  /** What stands beside the pixels. */
  readonly blocks: {
    readonly exif?: Buffer | undefined;
    readonly xmp?: Buffer | undefined;
    readonly iptc?: Buffer | undefined;
    readonly orientation?: number | undefined;
  };
  /**
   * Decodes to that size: upright, on the background where one is given, else with its transparency.
   *
   * @throws ImageError
   */
  decode(
    size: Size,
    background: string | undefined,
    deadline: Deadline,
  ): Promise<{ readonly pixels: Pixels; readonly damaged: boolean }>;
  /** Frees what was opened. */
  close?(): void;
}
