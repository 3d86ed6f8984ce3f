/**
 * Reads wanted tags of a TIFF structure, which is what an EXIF block is. It gives raw values and knows no meaning.
 * Invariant: it reads within the block, each directory at most once and of each no more than its first 512 entries, and
 * nothing that is longer than asked for, so its time is bounded whatever counts and offsets say.
 */

/** A value as it lies in the block. */
export interface TiffValue {
  /** TIFF's number of it: 2 is text, 5 a rational. */
  readonly type: number;
  /** At most `valueBytesMax` of it. */
  readonly bytes: Uint8Array;
}

export type TiffTags = ReadonlyMap<number, TiffValue>;

/** Bytes of a value that are looked at. */
const valueBytesMax = 2 ** 14;
const entriesMax = 512;
const littleHeader: readonly number[] = [0x49, 0x49, 0x2a, 0];
const bigHeader: readonly number[] = [0x4d, 0x4d, 0, 0x2a];
/** Within so many bytes the header is looked for: HEIC puts an offset and sometimes a name before it. */
const headerWithin = 64;

const sizeOfType: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  5: 8,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  10: 8,
  13: 4,
  129: 1,
};

/** A TIFF structure whose header was found. */
export class TiffBlock {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #isLittle: boolean;
  readonly #seen: Set<number> = new Set();

  private constructor(bytes: Uint8Array, isLittle: boolean) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#isLittle = isLittle;
  }

  /** Finds the header in a block; undefined where there is none. */
  static find(block: Uint8Array): TiffBlock | undefined {
    const last = Math.min(headerWithin, block.length - 8);
    for (let at = 0; at <= last; at++) {
      const isLittle = isAt(block, at, littleHeader);
      if (isLittle || isAt(block, at, bigHeader)) return new TiffBlock(block.subarray(at), isLittle);
    }
    return undefined;
  }

  /** The tags of the first directory. */
  first(): TiffTags {
    return this.directory(this.#view.getUint32(4, this.#isLittle));
  }

  /** The tags of the directory at an offset; none where there is none, or it was read before. Of twins the first counts. */
  directory(offset: number): TiffTags {
    const tags = new Map<number, TiffValue>();
    if (this.#seen.has(offset) || offset < 8 || offset + 2 > this.#bytes.length) return tags;
    this.#seen.add(offset);
    const count = Math.min(this.#view.getUint16(offset, this.#isLittle), entriesMax);
    for (let i = 0; i < count; i++) {
      const at = offset + 2 + i * 12;
      if (at + 12 > this.#bytes.length) break;
      const tag = this.#view.getUint16(at, this.#isLittle);
      const value = this.#value(at);
      if (value !== undefined && !tags.has(tag)) tags.set(tag, value);
    }
    return tags;
  }

  #value(at: number): TiffValue | undefined {
    const type = this.#view.getUint16(at + 2, this.#isLittle);
    const size = sizeOfType[type];
    if (size === undefined) return undefined;
    const length = this.#view.getUint32(at + 4, this.#isLittle) * size;
    const begin = length <= 4 ? at + 8 : this.#view.getUint32(at + 8, this.#isLittle);
    if (begin + Math.min(length, 1) > this.#bytes.length) return undefined;
    return { type, bytes: this.#bytes.subarray(begin, begin + Math.min(length, valueBytesMax)) };
  }

  /** A tag's value as one whole number; undefined where it is none. There are writers that give offsets a sign. */
  integer(value: TiffValue | undefined): number | undefined {
    if (value === undefined) return undefined;
    const { type, bytes } = value;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (type === 1 && bytes.length >= 1) return bytes[0];
    if ((type === 3 || type === 8) && bytes.length >= 2) return view.getUint16(0, this.#isLittle);
    if ((type === 4 || type === 9 || type === 13) && bytes.length >= 4) return view.getUint32(0, this.#isLittle);
    return undefined;
  }

  /** A tag's value as rationals; undefined where it is none, or has fewer. One with a zero denominator is NaN. */
  rationals(value: TiffValue | undefined, count: number): number[] | undefined {
    if (value?.type !== 5 || value.bytes.length < count * 8) return undefined;
    const view = new DataView(value.bytes.buffer, value.bytes.byteOffset, value.bytes.byteLength);
    return Array.from({ length: count }, (_, i) => {
      const below = view.getUint32(i * 8 + 4, this.#isLittle);
      return below === 0 ? Number.NaN : view.getUint32(i * 8, this.#isLittle) / below;
    });
  }
}

/** Text, also where a writer said it were bytes; undefined where it is none. */
export function textBytes(value: TiffValue | undefined): Uint8Array | undefined {
  return value !== undefined && [1, 2, 7, 129].includes(value.type) ? value.bytes : undefined;
}

function isAt(block: Uint8Array, at: number, header: readonly number[]): boolean {
  return header.every((byte, i) => block[at + i] === byte);
}
