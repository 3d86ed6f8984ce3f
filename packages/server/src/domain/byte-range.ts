/**
 * HTTP byte ranges (RFC 9110 section 14): what a `Range` header asks of a body of known size. One range is served;
 * several are answered with the whole body, which the RFC allows and which no client can turn into work for us.
 */

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
