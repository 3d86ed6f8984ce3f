/**
 * Read an object or one of its variants: by a caller whose policies say yes, or by a verified signed URL. It finds
 * and opens bytes; how they are sent is for HTTP.
 */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { RowlockError } from '@rowlock/client/contract';
import type { ByteRange } from '../backend/backend.ts';
import type { Caller } from '../domain/caller.ts';
import { normaliseObjectName } from '../domain/names.ts';
import { type CallersObject, type ReadableObject, selectObject, selectSignedObject } from '../metadata/objects.ts';
import type { OperationContext } from './context.ts';
import { missingObject } from './refusals.ts';

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
  /** Opens the bytes, or a part of them. @throws RowlockError `object_not_found` where they went meanwhile */
  open(range?: ByteRange): Promise<Readable | Buffer>;
  /** Looks again, where bytes went between looking and opening: what the name has now, or undefined if that is the same. */
  again(): Promise<OpenedObject | undefined>;
}

export interface ReadRequest {
  readonly bucket: string;
  readonly name: string;
  readonly preset?: string | undefined;
  /** What policies see in `storage.operation()`. */
  readonly operation?: string;
  /** Serve only from a public bucket: the answer then is the same for everybody. */
  readonly publicOnly?: boolean;
}

/**
 * Finds an object as the caller sees it.
 *
 * @throws RowlockError `object_not_found`, `bucket_not_found`, `auth_required`, `variant_not_found`, `invalid_name`
 */
export async function readObject(
  context: OperationContext,
  caller: Caller,
  request: ReadRequest,
): Promise<OpenedObject> {
  const name = normaliseObjectName(request.name);
  const look = async (): Promise<Found> => {
    const row = await findObject(context, caller, { ...request, name });
    return { name, row, public: row.public };
  };
  return opened(context, await look(), look);
}

/** The row itself, for `info` and for signing. */
export async function findObject(
  context: OperationContext,
  caller: Caller,
  request: ReadRequest,
): Promise<CallersObject> {
  const row = await selectObject(context.db, caller, request, request.operation ?? 'storage.object.get');
  if (row === undefined || (request.publicOnly && !row.public)) {
    throw await missingObject(context, caller, request.bucket);
  }
  return row;
}

/** Finds the object of a signed URL. @throws RowlockError `invalid_signature`, `url_expired`, `object_not_found`, `variant_not_found` */
export async function readSignedObject(
  context: OperationContext,
  token: string,
  bucket: string,
  rawName: string,
): Promise<OpenedObject & { readonly expires_at: Date; readonly preset: string | undefined }> {
  const name = normaliseObjectName(rawName);
  const grant = await context.urls.verify(token, bucket, name);
  const look = async (): Promise<Found> => {
    const row = await selectSignedObject(context.db, grant);
    if (row === undefined) {
      throw new RowlockError('object_not_found', 'Object not found');
    }
    return { name, row, public: false };
  };
  return { ...opened(context, await look(), look), expires_at: grant.expires_at, preset: grant.preset };
}

interface Found {
  readonly name: string;
  readonly row: ReadableObject;
  readonly public: boolean;
}

function opened(context: OperationContext, found: Found, look: () => Promise<Found>): OpenedObject {
  const { name, row } = found;
  const { key, size } = row;
  if (key === null || size === null) {
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
    open: async (range) => {
      const got = await context.backend.get(key, range);
      return got.bytes ?? got.stream;
    },
    again: async () => {
      const now = await look();
      return now.row.key === key ? undefined : opened(context, now, look);
    },
  };
}
