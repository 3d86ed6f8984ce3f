/**
 * Media types: how a declared one is normalised, what bytes really are, and which types a browser would run.
 * Detection looks at the first 64 KiB only and has a deadline; it never reads a whole body.
 */
import { RowlockError } from '@rowlock/client/contract';
import { fileTypeFromBuffer } from 'file-type';

/** How many bytes of a body detection looks at. */
export const sniffBytes = 65536;

const sniffTimeoutMs = 500;
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

const activeTypes: ReadonlySet<string> = new Set([
  'text/html',
  'text/xml',
  'text/javascript',
  'text/ecmascript',
  'text/css',
  'text/x-component',
  'text/calendar',
  'text/vtt',
  'text/cache-manifest',
  'multipart/related',
  'multipart/x-mixed-replace',
  'message/rfc822',
  'application/xml',
  'application/xslt+xml',
  'application/javascript',
  'application/ecmascript',
  'application/x-javascript',
  'application/wasm',
  'application/pdf',
  'application/x-shockwave-flash',
  'application/hta',
  'application/x-httpd-php',
  'image/svg+xml',
]);

/** Whether a browser would run, or render as a document, bytes of this type. PDF counts: its viewer runs scripts. */
export function isActiveType(type: string | null | undefined): boolean {
  return type != null && (activeTypes.has(type) || type.endsWith('+xml') || type.endsWith('/xml'));
}

const markup: readonly (readonly [RegExp, string])[] = [
  [/^<\?xml[^>]*>\s*(?:<!--[\s\S]*?-->\s*|<!doctype[^>]*>\s*)*<svg[\s>]/i, 'image/svg+xml'],
  [/^(?:<!--[\s\S]*?-->\s*|<!doctype svg[^>]*>\s*)*<svg[\s>]/i, 'image/svg+xml'],
  [/^<\?xml/i, 'text/xml'],
  [
    /^<(?:!doctype html|html|head|script|iframe|body|style|title|meta|link|base|table|form|img|a|b|h1|div|font|br|p|object|embed|math|template|!--)[\s>/]/i,
    'text/html',
  ],
];

/** What text that looks like markup is, by the tags that a browser's sniffing looks for (WHATWG mimesniff, section 7.1). */
function detectMarkup(head: Uint8Array): string | undefined {
  const utf16 = (head[0] === 0xfe && head[1] === 0xff) || (head[0] === 0xff && head[1] === 0xfe);
  const text = new TextDecoder(utf16 && head[0] === 0xff ? 'utf-16le' : utf16 ? 'utf-16be' : 'utf-8')
    .decode(head.subarray(0, 4096))
    .replace(/^[\ufeff\s]+/, '');
  return markup.find(([pattern]) => pattern.test(text))?.[1];
}

/**
 * Says what bytes are by their beginning, or `undefined` where that is not certain (plain text, unknown formats).
 * Never throws: a parser that fails or takes too long has not detected anything.
 */
export async function detectMediaType(head: Uint8Array): Promise<string | undefined> {
  const asMarkup = detectMarkup(head);
  if (asMarkup !== undefined) {
    return asMarkup;
  }
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, sniffTimeoutMs, undefined);
  });
  try {
    const found = await Promise.race([fileTypeFromBuffer(head.subarray(0, sniffBytes)), deadline]);
    return found === undefined || found.mime === 'application/xml' ? undefined : found.mime;
  } catch (error) {
    if (error instanceof Error) {
      return undefined; // a hostile or cut file is of no known type, which is an answer
    }
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
