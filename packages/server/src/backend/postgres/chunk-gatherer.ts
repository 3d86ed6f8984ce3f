/**
 * Makes chunks of one size of bytes that come in any pieces. It copies each byte about twice, however small the pieces are,
 * and holds one chunk. Invariant: a chunk is handed out only when there is a byte behind it, so the rest is never empty
 * unless all is.
 */

const smallestBytes = 4096;

/** Gathers bytes; used once. */
export class ChunkGatherer {
  readonly #chunkBytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  #filled = 0;

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
  }

  /** Takes bytes, and yields the chunks that are full. Each belongs to whoever gets it. */
  *add(bytes: Uint8Array): Generator<Buffer, void> {
    for (let at = 0; at < bytes.byteLength; ) {
      if (this.#filled === this.#chunkBytes) {
        const full = this.#buffer;
        this.#buffer = Buffer.alloc(0);
        this.#filled = 0;
        yield full;
      }
      const part = bytes.subarray(at, at + this.#chunkBytes - this.#filled);
      this.#reserve(this.#filled + part.byteLength);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.byteLength;
      at += part.byteLength;
    }
  }

  /** What is left. */
  rest(): Buffer {
    return this.#buffer.subarray(0, this.#filled);
  }

  #reserve(needed: number): void {
    if (this.#buffer.byteLength >= needed) return;
    const bytes = Math.min(Math.max(needed, this.#buffer.byteLength * 2, smallestBytes), this.#chunkBytes);
    const larger = Buffer.allocUnsafe(bytes);
    this.#buffer.copy(larger, 0, 0, this.#filled);
    this.#buffer = larger;
  }
}
