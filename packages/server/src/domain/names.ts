/**
 * The rules for names of buckets and objects, and for which of them are refused. It touches no path and no key:
 * a name is data, and bytes live under keys that the server chooses.
 */
import { RowlockError } from '@rowlock/client/contract';

/** Longest object name, in bytes of UTF-8. */
const objectNameBytesMax = 1024;

/** Words that stand where a bucket could in our routes: a bucket of that name could not be reached. */
const reservedBucketNames: ReadonlySet<string> = new Set([
  'authenticated',
  'copy',
  'info',
  'list',
  'list-v2',
  'move',
  'public',
  'restore',
  'sign',
  'upload',
  'versions',
  'zip',
]);

const bucketName: RegExp = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
const controlCharacter: RegExp = /[\u0000-\u001f\u007f-\u009f]/;
/** Between slashes and ends: nothing, `.` or `..`. */
const emptySegment: RegExp = /(?:^|\/)\.{0,2}(?:\/|$)/;
const loneSurrogate: RegExp = /\p{Surrogate}/u;

/**
 * Checks a bucket's name: 3 to 63 lower-case letters, digits, `.`, `-` and `_`, not an IP address.
 *
 * @throws RowlockError `invalid_bucket_name`
 */
export function assertBucketName(name: string): void {
  const valid =
    bucketName.test(name) && !name.includes('..') && !/^\d+\.\d+\.\d+\.\d+$/.test(name) && !name.startsWith('xn--');
  if (reservedBucketNames.has(name)) {
    throw new RowlockError('invalid_bucket_name', `"${name}" is a word of our routes; choose another name`);
  }
  if (!valid) {
    throw new RowlockError(
      'invalid_bucket_name',
      'A bucket name has 3 to 63 lower-case letters, digits, ".", "-" or "_", and starts and ends with a letter or digit',
    );
  }
}

/**
 * Normalises an object's name to NFC and checks it: 1 to 1024 bytes of UTF-8, no control character, no empty,
 * `.` or `..` segment (so no slash at either end).
 *
 * @throws RowlockError `invalid_name` or `name_too_long`
 */
export function normaliseObjectName(name: string): string {
  if (loneSurrogate.test(name)) {
    throw new RowlockError('invalid_name', 'Invalid key: it is not valid Unicode');
  }
  // Normalising sorts runs of combining characters, so a long name is refused before: composing at best thirds it.
  if (name.length > objectNameBytesMax * 4) {
    throw new RowlockError('name_too_long', `A name has at most ${objectNameBytesMax} bytes`);
  }
  const normal = name.normalize('NFC');
  if (Buffer.byteLength(normal) > objectNameBytesMax) {
    throw new RowlockError('name_too_long', `A name has at most ${objectNameBytesMax} bytes`);
  }
  if (controlCharacter.test(normal)) {
    throw new RowlockError('invalid_name', 'Invalid key: control characters are not allowed');
  }
  if (emptySegment.test(normal)) {
    throw new RowlockError('invalid_name', 'Invalid key: empty, "." and ".." segments are not allowed');
  }
  return normal;
}

/**
 * Checks a text that names are compared with (a folder, a search): it may be any part of a name, and nothing that no
 * name has.
 *
 * @throws RowlockError `invalid_request`
 */
export function assertPartOfNames(text: string): void {
  if (text.length > objectNameBytesMax || Buffer.byteLength(text) > objectNameBytesMax) {
    throw new RowlockError('invalid_request', `A prefix or a search has at most ${objectNameBytesMax} bytes`);
  }
  if (loneSurrogate.test(text) || controlCharacter.test(text)) {
    throw new RowlockError('invalid_request', 'A prefix or a search is valid Unicode without control characters');
  }
}

/** The last segment of a name: what a browser should save the file as. */
export function baseName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/**
 * Decodes the path of a URL into a name, once.
 *
 * @throws RowlockError `invalid_name` where the escapes are not UTF-8
 */
export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new RowlockError('invalid_name', 'Invalid key: the URL is not valid UTF-8', { cause });
  }
}
