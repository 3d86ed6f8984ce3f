/**
 * Memory for parts that is used again: pages that were touched before cost nothing, and what is not thrown away need not
 * be collected. It knows no uploads. Invariant: a buffer has one owner at a time, who gives it back only when nothing
 * reads from it any more.
 */

/** What a body that fits is sent in at once, the size of most parts; S3's least for a part but the last is 5 MiB. */
export const partBytes: number = 8 * 1024 ** 2;
/** 32 MiB that a process keeps once it has seen a large upload: what one upload has on its way. */
const keptMax = 4;

export class PartBuffers {
  readonly #kept: Buffer[] = [];

  /** Returns memory of this size with anything in it. */
  take(bytes: number): Buffer {
    const kept = bytes === partBytes ? this.#kept.pop() : undefined;
    return kept ?? Buffer.allocUnsafeSlow(bytes);
  }

  /** Takes back what was taken; anything else is left to the collector. */
  give(buffer: Buffer): void {
    if (buffer.byteLength === partBytes && this.#kept.length < keptMax) this.#kept.push(buffer);
  }
}
