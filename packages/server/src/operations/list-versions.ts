/**
 * List what a name pointed at, and what of a bucket was deleted and can be restored. It lists no objects: that is
 * `list-objects.ts`. What is hidden and what is missing look the same.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { Caller } from '../domain/caller.ts';
import { assertPartOfNames, normaliseObjectName } from '../domain/names.ts';
import { selectDeleted, selectVersions, type VersionEntry } from '../metadata/history.ts';
import type { OperationContext } from './context.ts';
import { missingObject } from './refusals.ts';

export interface VersionPage {
  readonly entries: readonly VersionEntry[];
  /** Asks for the next page; undefined at the end. */
  readonly next: string | undefined;
}

/** Above every sequence: the page that follows the current version. */
const newest = '9223372036854775807';

/**
 * Versions and delete markers of a name, newest first.
 *
 * @throws RowlockError `object_not_found` where the caller sees none, `bucket_not_found`, `auth_required`, `invalid_name`,
 *   `invalid_request` for a cursor that is none of ours
 */
export async function listVersions(
  context: OperationContext,
  caller: Caller,
  request: {
    readonly bucket: string;
    readonly name: string;
    readonly limit: number;
    readonly cursor?: string | undefined;
  },
): Promise<VersionPage> {
  const name = normaliseObjectName(request.name);
  const { bucket, cursor, limit } = request;
  if (cursor !== undefined && (!/^\d{1,19}$/.test(cursor) || BigInt(cursor) > BigInt(newest))) {
    throw new RowlockError('invalid_request', 'The cursor is not one that this server gave');
  }
  const found = await selectVersions(context.db, caller, { bucket, name, before: cursor, limit: limit + 1 });
  if (found.length === 0 && cursor === undefined) {
    throw await missingObject(context, caller, bucket);
  }
  const entries = found.slice(0, limit);
  return { entries, next: found.length > limit ? (entries.at(-1)?.sequence ?? newest) : undefined };
}

/**
 * What was deleted under a prefix and can be restored, in bytewise order of names: for each the version that a restore
 * without a version brings back.
 *
 * @throws RowlockError `bucket_not_found`, `auth_required`, `invalid_request`
 */
export async function listDeleted(
  context: OperationContext,
  caller: Caller,
  request: {
    readonly bucket: string;
    readonly prefix: string;
    readonly limit: number;
    readonly cursor?: string | undefined;
  },
): Promise<VersionPage> {
  assertPartOfNames(request.prefix);
  const after = request.cursor === undefined ? '' : nameOf(request.cursor);
  const { bucket, limit } = request;
  const prefix = request.prefix.normalize('NFC');
  const found = await selectDeleted(context.db, caller, { bucket, prefix, after, limit: limit + 1 });
  if (found.length === 0) {
    const missing = await missingObject(context, caller, bucket);
    if (missing.reason !== 'object_not_found') {
      throw missing;
    }
  }
  const entries = found.slice(0, limit);
  const last = entries.at(-1);
  const next = found.length > limit && last !== undefined ? Buffer.from(last.name).toString('base64url') : undefined;
  return { entries, next };
}

/** The name that a cursor of `listDeleted` is: after it the next page begins. */
function nameOf(cursor: string): string {
  const name = Buffer.from(cursor, 'base64url').toString();
  assertPartOfNames(name);
  return name;
}

export type { VersionEntry } from '../metadata/history.ts';
