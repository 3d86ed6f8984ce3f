/**
 * Read an object or one of its variants: by a caller whose policies say yes, or by a verified signed URL. It finds
 * and opens bytes; how they are sent is for HTTP.
 */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { RowlockError } from '@rowlock/client/contract';
import type { OpenedGrant } from '../auth/signed-url.ts';
import type { ByteRange } from '../backend/backend.ts';
import type { Caller } from '../domain/caller.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { selectInline } from '../metadata/buckets.ts';
import type { StatementRunner } from '../metadata/database.ts';
import { selectVersion } from '../metadata/history.ts';
import { type ObjectInfoRow, type ReadableObject, selectInfo, selectObject } from '../metadata/objects.ts';
import { selectVariantError } from '../metadata/renders.ts';
import { openSignedObject, type UrlUse } from '../metadata/signed-urls.ts';
import type { OperationContext } from './context.ts';
import { missingObject, unreadObject } from './refusals.ts';

/** Bytes that were found and may be read. */
export interface OpenedObject {
  readonly name: string;
  readonly size: number;
  readonly content_type: string;
  readonly detected_type: string | undefined;
  /** Strong validator without quotes. */
  readonly etag: string;
  readonly last_modified: Date;
  readonly cache_control: string | undefined;
  /** Whether anybody may read it, so that shared caches may keep it. */
  readonly public: boolean;
  /** Whether its bucket has what a browser would run shown, instead of saved as a file. Asks the database. */
  showsInline(): Promise<boolean>;
  /** Opens the bytes, or a part of them. @throws RowlockError `object_not_found` where they went meanwhile */
  open(range?: ByteRange): Promise<Readable | Buffer>;
  /** Looks again, where bytes went between looking and opening: what the name has now, or undefined if that is the same. */
  again(): Promise<OpenedObject | undefined>;
}

export interface ReadRequest {
  readonly bucket: string;
  readonly name: string;
  readonly preset?: string | undefined;
  /** A version of the name, current or not; what the name has now when undefined. */
  readonly version?: string | undefined;
  /** What policies see in `storage.operation()`. */
  readonly operation?: string;
  /** Serve only from a public bucket: the answer then is the same for everybody. */
  readonly publicOnly?: boolean;
}

/**
 * Finds an object as the caller sees it.
 *
 * @throws RowlockError `object_not_found`, `bucket_not_found`, `auth_required`, `invalid_name`, `render_failed`, and
 *   `variant_not_found`, which says when to come again where the variant is being made
 */
export async function readObject(
  context: OperationContext,
  caller: Caller,
  request: ReadRequest,
): Promise<OpenedObject> {
  const name = normaliseObjectName(request.name);
  const { bucket, preset, version, operation = 'storage.object.get' } = request;
  const look = async (from: StatementRunner): Promise<Found | undefined> => {
    const row =
      version === undefined
        ? await selectObject(from, caller, { bucket, name, preset }, operation)
        : await selectVersion(context.db, caller, { bucket, name, version }, operation);
    const isShown = row !== undefined && (!request.publicOnly || row.public);
    return isShown ? { bucket, name, row, public: row.public } : undefined;
  };
  const found = async (from: StatementRunner): Promise<Found> => {
    const seen = (await look(from)) ?? (from.mayLag ? await look(context.db) : undefined);
    if (seen === undefined) {
      throw await unreadObject(context, caller, { bucket, name, version });
    }
    return seen;
  };
  const first = await found(context.reads);
  if (preset !== undefined) await assertMade(context, first, preset);
  // What is looked for again has changed a moment ago, which the primary knows.
  return opened(context, first, () => found(context.db));
}

/** @throws RowlockError why a variant that was asked for cannot be read, where it cannot */
async function assertMade(
  context: OperationContext,
  { bucket, name, row }: Found,
  preset: string,
  version?: string,
): Promise<void> {
  if (row.key !== null) return;
  if (row.variant_status === 'failed') {
    const error = await selectVariantError(context.db, { bucket, name, version }, preset);
    throw new RowlockError('render_failed', `The variant could not be made: ${error ?? 'it is made again'}`);
  }
  if (row.variant_status === 'pending' || row.variant_status === 'processing') {
    throw new RowlockError('variant_not_found', 'The variant is being made; ask again', { retryAfterSeconds: 1 });
  }
}

/** What is known of an object, for `info`. @throws RowlockError as `readObject` */
export async function findObject(
  context: OperationContext,
  caller: Caller,
  request: ReadRequest,
): Promise<ObjectInfoRow> {
  const { bucket, name, publicOnly = false, operation = 'storage.object.info' } = request;
  const at = { bucket, name, onlyPublic: publicOnly };
  const { reads, db } = context;
  const seen = await selectInfo(reads, caller, at, operation);
  const row = seen === undefined && reads.mayLag ? await selectInfo(db, caller, at, operation) : seen;
  if (row === undefined) {
    throw await missingObject(context, caller, bucket);
  }
  return row;
}

/** What came with a request by a signed URL. */
export interface SignedRead {
  readonly token: string;
  readonly bucket: string;
  readonly name: string;
  readonly method: 'GET' | 'HEAD';
  /** The client's address. */
  readonly address: string;
  /** Whether a variant is asked for; a URL opens the object or one variant, never both. */
  readonly variant: boolean;
}

/**
 * What a request by a signed URL may read. Asks no database, so that what is forged or expired costs nearly nothing.
 *
 * @throws RowlockError `invalid_signature`, `url_expired`, `not_allowed`
 */
export function verifySignedUrl(context: OperationContext, request: SignedRead): OpenedGrant {
  const { token, bucket, method, address } = request;
  const grant = context.urls.open(token, { bucket, name: normaliseObjectName(request.name), method, address });
  if ((grant.preset !== undefined || grant.transform !== undefined) !== request.variant) {
    throw new RowlockError('invalid_signature', 'The URL is signed for something else');
  }
  return grant;
}

/**
 * Finds what a signed URL names; the same statement asks whether the URL was revoked and counts its use, where that is
 * asked for. Every GET counts, whatever becomes of it: of a range, of what is cached already, broken off. HEAD is answered
 * while a use is left, and takes none.
 *
 * @throws RowlockError `url_revoked`, `url_used_up`, `precondition_failed`, `object_not_found`, and as `readObject`
 */
export async function readSignedObject(
  context: OperationContext,
  grant: OpenedGrant,
  method: 'GET' | 'HEAD',
): Promise<OpenedObject> {
  const look = async (use: UrlUse): Promise<Found> => {
    const row = await openSignedObject(context.db, grant, use);
    if (row === undefined) {
      throw new RowlockError('object_not_found', 'Object not found');
    }
    return { bucket: grant.bucket, name: grant.name, row, public: false };
  };
  const first = grant.counted ? (method === 'GET' ? 'take' : 'look') : null;
  const found = await look(first);
  if (grant.preset !== undefined) await assertMade(context, found, grant.preset, grant.version_id);
  return opened(context, found, () => look(null));
}

/** What was found for a reader, and may be opened. */
export interface Found {
  readonly bucket: string;
  readonly name: string;
  readonly row: ReadableObject;
  readonly public: boolean;
}

/** Makes what was found readable; `look` finds it again. @throws RowlockError `variant_not_found` */
export function opened(context: OperationContext, found: Found, look: () => Promise<Found>): OpenedObject {
  const { name, row } = found;
  const { key, backend, size } = row;
  if (key === null || backend === null || size === null) {
    throw new RowlockError('variant_not_found', `There is no such variant (${row.variant_status ?? 'none was made'})`);
  }
  return {
    name,
    size: Number(size),
    content_type: row.content_type ?? 'application/octet-stream',
    detected_type: row.detected_type ?? undefined,
    etag: row.sha256?.toString('hex') ?? createHash('sha256').update(key).digest('hex'),
    last_modified: row.updated_at,
    cache_control: row.cache_control ?? undefined,
    public: found.public,
    showsInline: () => selectInline(context.db, found.bucket),
    open: async (range) => {
      const got = await context.backends.of(backend).get(key, range);
      return got.bytes ?? got.stream;
    },
    again: async () => {
      const now = await look();
      return now.row.key === key && now.row.backend === backend ? undefined : opened(context, now, look);
    },
  };
}

export type { ObjectInfoRow } from '../metadata/objects.ts';
