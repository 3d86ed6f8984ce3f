/**
 * HTTP byte ranges (RFC 9110 section 14): what a `Range` header asks of a body of known size. It decides nothing about
 * how they are sent. Invariant: what is answered is in order or as asked for, never twice, and never more than a few.
 */

/** Most ranges of one answer; who asks for more gets the whole body, which the RFC allows. */
export const rangesMax = 16;

/** Sixteen ranges of the longest numbers that mean anything fit. */
const headerCharactersMax = 700;

export interface ByteRange {
  /** First byte, from 0. */
  readonly start: number;
  /** Last byte, inclusive. */
  readonly end: number;
}

/**
 * Reads a `Range` header against a size in bytes: a range, `undefined` for "the whole body" (no header, another
 * unit, several ranges, or nonsense, which the RFC says to ignore), or `unsatisfiable` for 416.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = header === undefined || header.length > 100 ? null : /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) {
    return undefined;
  }
  if (first === '') {
    const suffix = Number(last);
    return suffix === 0 || size === 0 ? 'unsatisfiable' : { start: Math.max(0, size - suffix), end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) {
    return undefined;
  }
  return start >= size ? 'unsatisfiable' : { start, end };
}

/**
 * Reads a `Range` header that may ask for several ranges. What overlaps or touches is merged, and the ranges are then in
 * the order of the body; otherwise they are in the order in which they were asked for. Ranges beyond the end are left
 * out. `undefined` is "the whole body": no header, another unit, nonsense, or too many.
 */
export function parseRanges(
  header: string | undefined,
  size: number,
): readonly ByteRange[] | 'unsatisfiable' | undefined {
  const set = header === undefined || header.length > headerCharactersMax ? null : /^bytes=(.*)$/.exec(header.trim());
  const parts = (set?.[1] ?? '').split(',').map((part) => part.trim());
  if (set === null || parts.length > rangesMax) {
    return undefined;
  }
  const read = parts.filter((part) => part !== '').map((part) => parseRange(`bytes=${part}`, size));
  if (read.length === 0 || read.includes(undefined)) {
    return undefined;
  }
  const ranges = read.filter((range) => typeof range === 'object');
  return ranges.length === 0 ? 'unsatisfiable' : merged(ranges);
}

function merged(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const sorted = ranges.toSorted((a, b) => a.start - b.start);
  const apart: ByteRange[] = [];
  for (const range of sorted) {
    const last = apart.at(-1);
    if (last !== undefined && range.start <= last.end + 1) {
      apart[apart.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
    } else {
      apart.push(range);
    }
  }
  return apart.length === ranges.length ? ranges : apart;
}
