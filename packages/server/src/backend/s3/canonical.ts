/**
 * Spells requests the way Signature Version 4 hashes them, by S3's rules: the path is encoded once and never
 * normalised, names and values are encoded with RFC 3986's unreserved characters, then sorted by bytes.
 * It neither signs nor judges. Invariant: what a client encoded differently but means the same (`%7E` and `~`,
 * `+` and `%20` in a query) comes out the same.
 */
import { hash } from 'node:crypto';

/** The payload hash of every presigned URL: the body is not part of the signature. */
export const unsignedPayload = 'UNSIGNED-PAYLOAD';

/** A decoded name and value of a query; names may repeat. */
export type QueryPair = readonly [name: string, value: string];

const plainText = /^[A-Za-z0-9._~-]*$/;
const plainPath = /^[A-Za-z0-9._~/-]*$/;

/**
 * Percent-encodes everything but RFC 3986's unreserved characters, in UTF-8 with upper-case hex.
 *
 * Throws a URIError for lone surrogates, which have no UTF-8.
 */
export function uriEncode(text: string): string {
  if (plainText.test(text)) return text;
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Encodes a decoded path, leaving its slashes (and `//`, `.` and `..`) as they are. */
export function uriEncodePath(path: string): string {
  return plainPath.test(path) ? path : path.split('/').map(uriEncode).join('/');
}

/** Encodes and sorts a query; equal names keep an order by their values. */
export function canonicalQuery(pairs: readonly QueryPair[]): string {
  const encoded = pairs.map(([name, value]) => [uriEncode(name), uriEncode(value)] as const);
  encoded.sort(([nameA, valueA], [nameB, valueB]) => compareBytes(nameA, nameB) || compareBytes(valueA, valueB));
  return encoded.map(([name, value]) => `${name}=${value}`).join('&');
}

/** Trims a header's value and makes its runs of white space one space. */
function canonicalHeaderValue(value: string): string {
  return value.trim().replace(/\s+/g, ' ');
}

export interface CanonicalRequest {
  /** Upper case. */
  readonly method: string;
  /** Encoded, as `uriEncodePath` returns it. */
  readonly path: string;
  /** As `canonicalQuery` returns it, without `X-Amz-Signature`. */
  readonly query: string;
  /** Lower-case names, sorted. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Hex SHA-256 of the body, or `UNSIGNED-PAYLOAD`. */
  readonly payloadHash: string;
}

/** Hashes a request as the string to sign wants it: SHA-256 in hex. */
export function canonicalRequestHash(request: CanonicalRequest): string {
  let lines = '';
  let names = '';
  for (const [name, value] of request.headers) {
    lines += `${name}:${canonicalHeaderValue(value)}\n`;
    names += names === '' ? name : `;${name}`;
  }
  const { method, path, query, payloadHash } = request;
  return hash('sha256', `${method}\n${path}\n${query}\n${lines}\n${names}\n${payloadHash}`, 'hex');
}

/** Orders what is already ASCII by its bytes, as the specification asks (not by locale). */
export function compareBytes(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
