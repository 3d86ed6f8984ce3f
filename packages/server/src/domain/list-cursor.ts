/**
 * Cursors of listings: where the next page begins, as an opaque text that clients hand back. A cursor gives no right:
 * it names a place that its holder was shown, and policies judge what stands behind it. One that was made for another
 * listing, or by hand, is refused.
 */
import { createHash } from 'node:crypto';
import { RowlockError } from '@rowlock/client/contract';
import { assertPartOfNames } from './names.ts';

/** The last entry that was shown. */
export interface CursorPosition {
  readonly name: string;
  readonly folder: boolean;
  readonly at: string | null;
}

/** What a cursor belongs to: it is good for exactly this listing. */
export interface CursorListing {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimited: boolean;
  readonly descending: boolean;
  readonly sort: string;
}

/** A name of 1,024 bytes with every byte escaped still fits. */
const cursorCharactersMax = 12_000;
const timePattern: RegExp = /^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/;

/** Writes a position as a cursor. */
export function encodeCursor(listing: CursorListing, position: CursorPosition): string {
  const fields = [fingerprint(listing), position.name, position.folder ? 1 : 0, position.at];
  return Buffer.from(JSON.stringify(fields)).toString('base64url');
}

/**
 * Reads a cursor of this listing.
 *
 * @throws RowlockError `invalid_request` for everything else
 */
export function decodeCursor(listing: CursorListing, cursor: string): CursorPosition {
  const position = cursor.length > cursorCharactersMax ? undefined : positionOf(listing, cursor);
  if (position === undefined) {
    throw new RowlockError('invalid_request', 'The cursor is not one of this listing; begin again without it');
  }
  return position;
}

function positionOf(listing: CursorListing, cursor: string): CursorPosition | undefined {
  const fields = parsed(cursor);
  if (!Array.isArray(fields) || fields.length !== 4 || fields[0] !== fingerprint(listing)) {
    return undefined;
  }
  const [, name, folder, at] = fields as readonly unknown[];
  const sound = typeof name === 'string' && name.startsWith(listing.prefix) && (folder === 0 || folder === 1);
  if (!sound || (folder === 1) !== (listing.delimited && isFolderBelow(listing.prefix, name))) {
    return undefined;
  }
  const timed = listing.sort !== 'name' && folder === 0;
  if (timed ? typeof at !== 'string' || !timePattern.test(at) || Number.isNaN(Date.parse(at)) : at !== null) {
    return undefined;
  }
  assertPartOfNames(name);
  return { name, folder: folder === 1, at: timed ? (at as string) : null };
}

/** A folder directly below the prefix: what comes behind the prefix has one slash, at its end. */
function isFolderBelow(prefix: string, name: string): boolean {
  return name.length > prefix.length && name.indexOf('/', prefix.length) === name.length - 1;
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined; // no cursor of ours
  }
}

function fingerprint({ bucket, prefix, delimited, descending, sort }: CursorListing): string {
  const text = JSON.stringify([bucket, prefix, delimited, descending, sort]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
