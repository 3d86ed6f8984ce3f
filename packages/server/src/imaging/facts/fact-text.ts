/**
 * Makes words of bytes that strangers wrote into image files. It knows no format. Invariant: what it returns is valid
 * Unicode without control characters (PostgreSQL's jsonb takes no NUL), trimmed, of at most as many characters as asked
 * for, and never empty.
 */

/** Words that people write into pictures, by XMP, IPTC or EXIF. */
export interface TextFacts {
  readonly title: string | null;
  readonly caption: string | null;
  readonly creator: string | null;
  readonly copyright: string | null;
  readonly keywords: readonly string[];
}

export const noTexts: TextFacts = { title: null, caption: null, creator: null, copyright: null, keywords: [] };

/** Characters (code points) that are kept. */
export const captionCharsMax = 2000;
export const wordsCharsMax = 200;
export const keywordsMax = 50;

const utf8 = new TextDecoder('utf-8', { fatal: true });
const latin1 = new TextDecoder('windows-1252');

/** Bytes are UTF-8 where they are valid as that, else Windows-1252, which everything is. Bytes that cannot be kept are not read. */
export function wordsOf(bytes: Uint8Array, charsMax: number): string | null {
  const end = bytes.indexOf(0);
  const whole = end === -1 ? bytes : bytes.subarray(0, end);
  // Of UTF-8 a character takes four bytes at most.
  const kept = whole.subarray(0, charsMax * 4 + 4);
  return clean(decoded(kept, kept.length < whole.length), charsMax);
}

function decoded(bytes: Uint8Array, isCut: boolean): string {
  try {
    return utf8.decode(isCut ? bytes.subarray(0, wholeCharacters(bytes)) : bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return latin1.decode(bytes);
  }
}

/** Without the last character, which the cut may have gone through. */
function wholeCharacters(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end -= 1;
  return Math.max(0, end - 1);
}

/** Keeps what can be shown and stored; white space of any kind is one space, but line ends stay. */
export function clean(text: string, charsMax: number): string | null {
  const shown = text
    .slice(0, charsMax * 8)
    .replace(/\r\n?/g, '\n')
    .replace(/[^\S\n]+/g, ' ')
    // Controls but the line feed, what turns the direction of text or is no character, and halves of pairs.
    .replace(/(?!\n)[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '')
    .replace(/ {2,}/g, ' ')
    .trim();
  const cut = shown.length <= charsMax ? shown : [...shown].slice(0, charsMax).join('').trim();
  return cut === '' ? null : cut;
}

/** The first that says something. */
export function firstText(...texts: readonly (string | null)[]): string | null {
  return texts.find((text) => text !== null) ?? null;
}
