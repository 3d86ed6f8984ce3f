/**
 * Writes values as Go's encoding/json writes them, to the byte: two clients that hash what they encoded must hash the
 * same. It does not sort; what Go sorts, the caller sorts. What JSON cannot say is refused, as Go refuses it, and not
 * replaced.
 */
import { Buffer } from 'node:buffer';
import { QueueError } from '../queue-error.ts';

/** Deeper than any argument, and far from the end of the stack. */
const depthMax = 500;

/** Text that Go writes as it is: no quotes, backslashes, controls, markup, line separators or halves of pairs. */
const plain = /^[ !#-%'-;=?-[\]-\u2027\u202a-\ud7ff\ue000-\uffff]*$/;
/** An escape of JSON.stringify's, which are Go's but for halves of surrogate pairs, and what it does not escape. */
const escapeOrMarkup = /\\(?:ud[89a-f][0-9a-f]{2}|.)|[<>&\u2028\u2029]/g;

/** An object's keys and values, in the order in which Go would meet them. */
export type Entries = Iterable<readonly [string, unknown]>;

/**
 * Encodes a value.
 *
 * Objects keep the order of their keys, as a struct of Go does; a Map has any order that its owner gave it, which an
 * object with keys such as `10` has not. A bigint is an integer of 64 bits, a Date is a time in UTC, bytes are base64.
 * What JSON.stringify leaves out is left out.
 *
 * @throws QueueError `invalid_job` for NaN, infinities, invalid dates and what contains itself
 */
export function goJson(value: unknown): string {
  return encode(value, 0) ?? 'null';
}

/** Encodes a text. */
export function goJsonText(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(escapeOrMarkup, asGo);
}

/** Returns the entries of what is encoded as an object, as it stands; undefined for everything else. */
export function entriesOf(value: unknown): Entries | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (value instanceof Map) return entriesOfMap(value);
  if (Array.isArray(value) || isScalar(value)) return undefined;
  if (hasToJson(value)) return entriesOf(value.toJSON());
  return Object.entries(value);
}

function encode(value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case 'string':
      return goJsonText(value);
    case 'number':
      return numberText(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? 'null' : encodeObject(value, depth);
    default:
      return undefined;
  }
}

function encodeObject(value: object, depth: number): string | undefined {
  if (depth > depthMax) throw new QueueError('invalid_job', `A value is nested more than ${depthMax} times`);
  if (value instanceof Date) return `"${timeText(value)}"`;
  if (value instanceof Uint8Array) return `"${bytesText(value)}"`;
  if (value instanceof String || value instanceof Number || value instanceof Boolean) {
    return encode(value.valueOf(), depth);
  }
  if (Array.isArray(value)) return `[${value.map((each) => encode(each, depth + 1) ?? 'null').join(',')}]`;
  if (!(value instanceof Map) && hasToJson(value)) return encode(value.toJSON(), depth + 1);
  const members: string[] = [];
  for (const [key, member] of value instanceof Map ? entriesOfMap(value) : Object.entries(value)) {
    const text = encode(member, depth + 1);
    if (text !== undefined) members.push(`${goJsonText(key)}:${text}`);
  }
  return `{${members.join(',')}}`;
}

/** Both write the shortest digits, and an exponent below 1e-6 and from 1e21; JSON.stringify would lose minus zero. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new QueueError('invalid_job', `JSON cannot say ${value}`);
  return Object.is(value, -0) ? '-0' : String(value);
}

/** RFC 3339 with as many decimals as it takes. */
function timeText(time: Date): string {
  if (Number.isNaN(time.getTime())) throw new QueueError('invalid_job', 'JSON cannot say an invalid date');
  return time.toISOString().replace(/\.?0*Z$/, 'Z');
}

function bytesText({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

function entriesOfMap(map: ReadonlyMap<unknown, unknown>): readonly (readonly [string, unknown])[] {
  return [...map].map(([key, value]) => [String(key), value]);
}

function isScalar(value: object): boolean {
  return [Date, Uint8Array, String, Number, Boolean].some((scalar) => value instanceof scalar);
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

/** Half of a pair is not UTF-8, for which Go writes the replacement character. */
function asGo(found: string): string {
  if (found.startsWith('\\')) return found.length > 2 ? '\\ufffd' : found;
  return `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
