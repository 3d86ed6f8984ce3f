/**
 * Cuts a stream of chunks of any size into parts for a multipart upload, and gathers a small body into one. It sends
 * nothing. Invariant: at most one part is in memory here, and whoever got a part is told whether it was the last.
 */
import { abortable } from '../abortable.ts';
import type { PartBuffers } from './s3-part-buffers.ts';

export interface Part {
  /** From 1. */
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
  /** The memory behind the bytes, where it was taken from the buffers and may be given back. */
  readonly buffer: Buffer | undefined;
}

export interface PartOptions {
  readonly signal?: AbortSignal | undefined;
  /** Size of a part in bytes, by its number. */
  readonly sizeOf: (number: number) => number;
  readonly buffers: PartBuffers;
}

const firstBytes = 64 * 1024;
/** A body that may be small grows in steps, so that it is copied a few times and never much too large. */
const growth = 4;

/** Yields the source's bytes in parts, at least one, of which the last may be shorter, and empty if it is the only one. */
export async function* inParts(source: AsyncIterable<Uint8Array>, options: PartOptions): AsyncGenerator<Part, void> {
  const { sizeOf, signal, buffers } = options;
  let number = 1;
  let gathered = new Gathering(sizeOf(1), buffers);
  for await (const chunk of abortable(source, signal)) {
    let rest = chunk;
    while (rest.byteLength > 0) {
      if (gathered.isFull) {
        yield { number, isLast: false, ...gathered.taken() };
        number += 1;
        gathered = new Gathering(sizeOf(number), buffers, sizeOf(number));
      }
      rest = gathered.add(rest);
    }
  }
  yield { number, isLast: true, ...gathered.taken() };
}

/** The bytes of one part so far. */
class Gathering {
  readonly #size: number;
  readonly #buffers: PartBuffers;
  readonly #bytesLikely: number;
  /** A part that is one chunk is not copied. */
  #only: Uint8Array | undefined;
  #buffer: Buffer | undefined;
  #filled = 0;

  /** `bytesLikely` is what it will have, where that is known. */
  constructor(size: number, buffers: PartBuffers, bytesLikely: number = firstBytes) {
    this.#size = size;
    this.#buffers = buffers;
    this.#bytesLikely = bytesLikely;
  }

  get isFull(): boolean {
    return this.#filled === this.#size;
  }

  /** Takes what fits and returns the rest. */
  add(chunk: Uint8Array): Uint8Array {
    const taken = chunk.subarray(0, this.#size - this.#filled);
    if (this.#filled === 0) this.#only = taken;
    else this.#copy(taken);
    this.#filled += taken.byteLength;
    return chunk.subarray(taken.byteLength);
  }

  taken(): Pick<Part, 'bytes' | 'buffer'> {
    return { bytes: this.#bytes(), buffer: this.#buffer };
  }

  #bytes(): Uint8Array {
    return this.#only ?? this.#buffer?.subarray(0, this.#filled) ?? new Uint8Array();
  }

  /** Chunks are copied, since a part of single bytes would else be eight million objects. */
  #copy(chunk: Uint8Array): void {
    const needed = this.#filled + chunk.byteLength;
    if (this.#buffer === undefined || this.#buffer.byteLength < needed) {
      const grown = Math.max(this.#bytesLikely, needed, growth * (this.#buffer?.byteLength ?? 0));
      const larger = this.#buffers.take(Math.min(this.#size, grown));
      larger.set(this.#bytes());
      this.#buffer = larger;
      this.#only = undefined;
    }
    this.#buffer.set(chunk, this.#filled);
  }
}
