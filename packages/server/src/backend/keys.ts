/**
 * The one rule for keys, and the makers of every key that Rowlock writes. Keys are chosen by the server and
 * are not object names: nothing a caller typed reaches a key except the parts of the `civic-os` layout, which
 * are refused unless they are harmless. Invariant: every key that leaves this file satisfies `assertKey`, and
 * a derived key never equals its source.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { RowlockError } from '@rowlock/client/contract';

/** S3's limit on keys. */
const keyBytesMax = 1024;
/** What file systems allow in one name. */
const segmentBytesMax = 255;

const keyPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const partPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
const extensionPattern = /\.([a-z0-9]{1,10})$/;

/**
 * Throws unless the value is a key: segments `[A-Za-z0-9_][A-Za-z0-9._-]*` joined by `/`.
 *
 * That leaves out empty segments, `.`, `..`, a leading or trailing slash, escapes, backslashes, colons,
 * control characters and everything outside ASCII, so a key means the same on every file system and in
 * every URL. Errors: `name_too_long` above 1,024 bytes or 255 bytes a segment, else `invalid_name`.
 */
export function assertKey(key: string): void {
  if (typeof key !== 'string') throw new RowlockError('invalid_name', 'The key is not a string.');
  if (key.length > keyBytesMax) throw new RowlockError('name_too_long', `The key is longer than ${keyBytesMax} bytes.`);
  if (!keyPattern.test(key)) throw new RowlockError('invalid_name', 'The key has characters that keys never have.');
  if (key.length > segmentBytesMax && key.split('/').some((segment) => segment.length > segmentBytesMax)) {
    throw new RowlockError('name_too_long', `A part of the key is longer than ${segmentBytesMax} bytes.`);
  }
}

/** Tells whether `assertKey` accepts the value. */
export function isKey(key: string): boolean {
  return key.length <= keyBytesMax && keyPattern.test(key) && key.split('/').every((s) => s.length <= segmentBytesMax);
}

/**
 * Makes the key of a version: `objects/<2 hex>/<uuid>`.
 *
 * The two digits are the last of the id, since the first ones of a UUIDv7 are its time and would put all
 * writes of a day into one folder.
 */
export function versionKey(versionId: string): string {
  return fannedOut('objects', versionId);
}

export interface FileKeyParts {
  /** The entity's type, a table's name as a rule. */
  readonly entity_type: string;
  readonly entity_id: string;
  readonly file_id: string;
  /** As the caller chose it; only its extension is used. */
  readonly file_name: string;
}

/**
 * Makes the key of a file attached to an entity: `{entity_type}/{entity_id}/{file_id}/original{.ext}`.
 *
 * The extension is that of the file name in lower case when it is 1 to 10 of `[a-z0-9]`, else `.bin`.
 * A part with other characters than `[A-Za-z0-9._-]`, or with a first one of `.` or `-`, is `invalid_name`.
 */
export function fileKey(parts: FileKeyParts): string {
  const folders = [parts.entity_type, parts.entity_id, parts.file_id];
  for (const folder of folders) {
    if (typeof folder !== 'string' || !partPattern.test(folder)) {
      throw new RowlockError('invalid_name', 'Entity type, entity id and file id may have only A-Z a-z 0-9 . _ and -.');
    }
  }
  const extension = extensionPattern.exec(parts.file_name.toLowerCase())?.[1] ?? 'bin';
  return checked([...folders, `original.${extension}`].join('/'));
}

/**
 * Makes the key of a variant of the bytes under `sourceKey`.
 *
 * Beside an original of the `civic-os` layout (`…/original.jpg`) it is `…/thumb-{preset}.{extension}`, the
 * same on every call; everywhere else it is a new `variants/<2 hex>/<uuid>`. Throws an assertion error where
 * the result would be the source, which would overwrite the original (requirements D1).
 */
export function variantKey(sourceKey: string, preset: string, extension: string): string {
  assertKey(sourceKey);
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(preset) || !/^[a-z0-9]{1,10}$/.test(extension)) {
    throw new RowlockError('invalid_name', 'A preset is named in [a-z0-9_-] and an extension in [a-z0-9].');
  }
  const slash = sourceKey.lastIndexOf('/');
  const isOriginal = /^original\.[a-z0-9]{1,10}$/.test(sourceKey.slice(slash + 1)) && slash > 0;
  const key = isOriginal
    ? checked(`${sourceKey.slice(0, slash)}/thumb-${preset}.${extension}`)
    : fannedOut('variants', randomUUID());
  assert.notEqual(key, sourceKey, 'a derived key equals its source');
  return key;
}

/** Files of one folder are spread over 256; the row holds the key, so the rule may change without a migration. */
function fannedOut(folder: string, id: string): string {
  if (!uuidPattern.test(id)) throw new RowlockError('invalid_name', 'The id is not a UUID.');
  const uuid = id.toLowerCase();
  return `${folder}/${uuid.slice(-2)}/${uuid}`;
}

function checked(key: string): string {
  assertKey(key);
  return key;
}
