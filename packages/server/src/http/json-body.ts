/**
 * JSON of strangers: UTF-8 without exception, not deep, every key once, every number finite. What two parsers would
 * understand differently is refused, so that whoever checked the text before us read what we read.
 */
import { RowlockError } from '@rowlock/client/contract';

const depthMax = 64;

const refused = (why: string, cause?: unknown): RowlockError =>
  new RowlockError('invalid_request', `The body is no JSON that is accepted: ${why}`, { cause });

/**
 * Parses a body; nothing at all is null. Costs one pass over the text.
 *
 * @throws RowlockError `invalid_request`
 */
export function parseJsonBody(bytes: Uint8Array, contentType: string | undefined): unknown {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(contentType ?? '')?.[1]?.toLowerCase();
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
    throw refused('its charset is not UTF-8');
  }
  if (bytes.byteLength === 0) {
    return null;
  }
  const text = decode(bytes);
  new Scan(text).run();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refused('it cannot be parsed', cause);
  }
}

/** Keeps nothing from one text to the next. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw refused('it is not UTF-8', cause);
  }
}

const quote = 0x22;
const colon = 0x3a;
const backslash = 0x5c;
const opening: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closing: ReadonlySet<number> = new Set([0x5d, 0x7d]);
const objectOpening = 0x7b;
const minus = 0x2d;
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d);
/** Digits, signs, the point and the exponent; NaN at the end of the text is none. */
const isNumberPart = (code: number): boolean =>
  isDigit(code) || code === minus || code === 0x2b || code === 0x2e || code === 0x65 || code === 0x45;

/** Looks for what JSON.parse lets through. Of a text that is no JSON it may think anything. */
class Scan {
  readonly #text: string;
  /** The keys of each open object; undefined for an array. */
  readonly #open: (Set<string> | undefined)[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  run(): void {
    for (let at = 0; at < this.#text.length; ) {
      at = this.#take(at);
    }
  }

  /** Takes what begins at a place; returns where it ends. */
  #take(at: number): number {
    const code = this.#text.charCodeAt(at);
    if (code === quote) return this.#string(at);
    if (isDigit(code) || code === minus) return this.#number(at);
    if (opening.has(code)) {
      this.#open.push(code === objectOpening ? new Set() : undefined);
      if (this.#open.length > depthMax) throw refused(`it is more than ${depthMax} levels deep`);
    } else if (closing.has(code)) {
      this.#open.pop();
    }
    return at + 1;
  }

  #string(at: number): number {
    const end = this.#endOfString(at);
    const keys = this.#open.at(-1);
    if (keys !== undefined) {
      let next = end;
      while (isSpace(this.#text.charCodeAt(next))) next += 1;
      if (this.#text.charCodeAt(next) === colon) this.#key(keys, this.#text.slice(at, end));
    }
    return end;
  }

  /** The place behind the first quote that has an even number of backslashes before it. */
  #endOfString(at: number): number {
    for (let end = this.#text.indexOf('"', at + 1); end !== -1; end = this.#text.indexOf('"', end + 1)) {
      let first = end;
      while (this.#text.charCodeAt(first - 1) === backslash) first -= 1;
      if ((end - first) % 2 === 0) return end + 1;
    }
    return this.#text.length;
  }

  #key(keys: Set<string>, quoted: string): void {
    const key = quoted.includes('\\') ? unescaped(quoted) : quoted.slice(1, -1);
    if (key === '__proto__') throw refused('no key is __proto__');
    if (keys.has(key)) throw refused('a key stands twice in one object');
    keys.add(key);
  }

  #number(at: number): number {
    let end = at + 1;
    while (isNumberPart(this.#text.charCodeAt(end))) end += 1;
    if (!Number.isFinite(Number(this.#text.slice(at, end)))) throw refused('a number is too large');
    return end;
  }
}

function unescaped(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch (cause) {
    throw refused('it cannot be parsed', cause);
  }
}
