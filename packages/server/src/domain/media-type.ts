/**
 * Media types: how a declared one is normalised, what bytes really are, and which types a browser might run.
 * Detection looks at the first 64 KiB only and has a deadline; it never reads a whole body.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { Detector } from 'file-type';
import { type Pace, paceReading } from './paced-reading.ts';

/** How many bytes of a body detection looks at. */
export const sniffBytes = 65536;

/**
 * An honest file takes one or two milliseconds, an archive of a thousand entries fifteen. The time is so long that what
 * is detected does not depend on how busy the machine is.
 */
const sniffPace: Pace = { sliceMs: 5, timeoutMs: 2000 };
const mediaType: RegExp = /^[a-z0-9!#$&^_.+-]{1,127}\/[a-z0-9!#$&^_.+-]{1,127}$/;

/**
 * Normalises a declared media type: parameters stripped, lower case. Nothing or an empty one is `undefined`.
 *
 * @throws RowlockError `media_type_not_allowed` for what is not a media type
 */
export function normaliseMediaType(declared: string | undefined): string | undefined {
  const bare = declared?.split(';', 1)[0]?.trim().toLowerCase();
  if (bare === undefined || bare === '') {
    return undefined;
  }
  if (!mediaType.test(bare)) {
    throw new RowlockError('media_type_not_allowed', 'Content-Type is not a media type such as image/jpeg');
  }
  return bare;
}

/** Types outside image, audio, video and font that a browser shows as they are, or only ever saves. */
const inertTypes: ReadonlySet<string> = new Set([
  'application/json',
  'application/octet-stream',
  'application/ogg',
  'text/csv',
  'text/plain',
]);

/**
 * Whether a browser might run, or render as a document, bytes of this type: whatever is not known to be harmless. SVG
 * is an image that runs scripts, and a PDF's viewer runs them too.
 */
export function isActiveType(type: string | null | undefined): boolean {
  if (type == null || inertTypes.has(type)) {
    return false;
  }
  return !/^(?:image|audio|video|font)\//.test(type) || /svg|xml|html|script/.test(type);
}

/** The elements that a browser's sniffing looks for (WHATWG mimesniff, section 7.1), and more of the kind. */
const htmlElements: ReadonlySet<string> = new Set(
  'html head script iframe body style title meta link base table form img a b h1 div font br p object embed math template'.split(
    ' ',
  ),
);

/** How much of markup is looked at, from its first character that is no space. */
const markupChars = 4096;

interface Prolog {
  /** Where what follows the prolog begins. */
  readonly end: number;
  readonly xml: boolean;
  readonly comment: boolean;
  /** The name in the document type declaration. */
  readonly doctype: string | undefined;
}

/** Reads over what may stand before the first element. One pass: no expression here can be made to go back. */
function readProlog(text: string): Prolog {
  const found: { xml: boolean; comment: boolean; doctype: string | undefined } = {
    xml: false,
    comment: false,
    doctype: undefined,
  };
  const after = (mark: string, from: number): number => {
    const at = text.indexOf(mark, from);
    return at < 0 ? text.length : at + mark.length;
  };
  let end = 0;
  for (;;) {
    end += text.length - end - text.slice(end).trimStart().length;
    if (text.startsWith('<?', end)) {
      found.xml ||= text.slice(end, end + 5).toLowerCase() === '<?xml';
      end = after('?>', end + 2);
    } else if (text.startsWith('<!--', end)) {
      found.comment = true;
      end = after('-->', end + 2);
    } else if (text.slice(end, end + 9).toLowerCase() === '<!doctype') {
      const declaration = text.slice(end + 9, after('>', end));
      found.doctype = declaration
        .trimStart()
        .split(/[\s>[]/, 1)[0]
        ?.toLowerCase();
      end = declaration.includes('[') ? after('>', after(']', end)) : end + 9 + declaration.length;
    } else {
      return { ...found, end };
    }
  }
}

/** The beginning of text in the encodings that a browser recognises without being told, from its first visible character. */
function beginningOfText(head: Uint8Array): string {
  const utf16 =
    head[0] === 0xff && head[1] === 0xfe ? 'utf-16le' : head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : '';
  if (utf16 !== '') {
    return new TextDecoder(utf16).decode(head).trimStart().slice(0, markupChars);
  }
  const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
  const start = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
  const first = head.subarray(start).findIndex((byte) => !isSpace(byte));
  return first < 0
    ? ''
    : new TextDecoder().decode(head.subarray(start + first, start + first + markupChars)).trimStart();
}

/** What text that begins like markup is. */
function detectMarkup(head: Uint8Array): string | undefined {
  const text = beginningOfText(head);
  if (!text.startsWith('<')) {
    return undefined;
  }
  const { end, xml, comment, doctype } = readProlog(text);
  const root = /^<([a-z][^\s/>]{0,99})/i.exec(text.slice(end, end + 101))?.[1]?.toLowerCase() ?? '';
  if (root === 'svg' || root.endsWith(':svg') || (doctype === 'svg' && root === '')) {
    return 'image/svg+xml';
  }
  if (xml) {
    return 'text/xml';
  }
  if (comment || doctype === 'html' || htmlElements.has(root)) {
    return 'text/html';
  }
  return doctype === undefined ? undefined : 'text/xml';
}

/**
 * Loads what looks into bytes, which many processes never do. Those that do load it when they start: later there may be no
 * file descriptor left for it.
 */
export async function loadDetection(): Promise<typeof import('file-type')> {
  return await import('file-type');
}

/**
 * Says what bytes are by their beginning, or `undefined` where that is not certain (plain text, unknown formats). A parser
 * that fails or takes too long has not detected anything, and is no error.
 *
 * @throws Error where the parsers cannot be loaded: bytes that nobody looked at are not of an unknown type
 */
export async function detectMediaType(head: Uint8Array, pace: Pace = sniffPace): Promise<string | undefined> {
  const asMarkup = detectMarkup(head);
  if (asMarkup !== undefined) {
    return asMarkup;
  }
  const { fileTypeFromBuffer } = await loadDetection();
  let isPaced = false; // detection begins anew behind each ID3 header
  const first: Detector = {
    id: 'pace',
    detect: async (tokenizer) => {
      if (!isPaced) paceReading(tokenizer, pace);
      isPaced = true;
      return undefined;
    },
  };
  try {
    const found = await fileTypeFromBuffer(head.subarray(0, sniffBytes), { customDetectors: [first] });
    if (found?.mime === 'image/apng') return 'image/png'; // it is one, with more behind it that viewers may leave out
    return found === undefined || found.mime === 'application/xml' ? undefined : found.mime;
  } catch (error) {
    if (error instanceof Error) {
      return undefined; // a hostile or cut file is of no known type, which is an answer
    }
    throw error;
  }
}
