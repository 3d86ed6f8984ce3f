/**
 * Sends the bytes of an object: conditions, ranges, and the headers that keep a browser from running what somebody
 * uploaded. It decides nothing about who may read: it is given an object that was opened for the caller.
 */
import type { Readable } from 'node:stream';
import { errorBody, isRowlockError, RowlockError } from '@rowlock/client/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ByteRange, parseRanges } from '../domain/byte-range.ts';
import { isActiveType } from '../domain/media-type.ts';
import { baseName } from '../domain/names.ts';
import type { OpenedObject } from '../operations/read-object.ts';
import { byteranges } from './byteranges.ts';

export interface SendOptions {
  /** Save as a file; a text is the file's name. */
  readonly download?: string | boolean | undefined;
  /** Until when the answer may be used: of a signed URL. */
  readonly expiresAt?: Date | undefined;
  /** No cache may keep the answer: the next request must be judged anew. */
  readonly noStore?: boolean | undefined;
  /** Unless it is public, a cache asks each time, whatever was stored with it. */
  readonly revalidate?: boolean | undefined;
  /** Whose pages may embed the answer; anybody's unless given. */
  readonly embeddable?: 'same-site' | undefined;
}

/** Answers 200, 206, 304, 412 or 416 with the headers of the object, and its bytes unless the method is HEAD. */
export async function sendObject(
  request: FastifyRequest,
  reply: FastifyReply,
  object: OpenedObject,
  options: SendOptions = {},
): Promise<FastifyReply> {
  const etag = `"${object.etag}"`;
  setHeaders(reply, object, etag, options);
  await setDisposition(reply, object, options);
  if (isNotModified(request, object, etag)) {
    return reply.code(304).send();
  }
  const ifMatch = request.headers['if-match'];
  if (ifMatch !== undefined && !matches(ifMatch, etag)) {
    throw new RowlockError('precondition_failed', 'The object is not the one that If-Match names');
  }
  const ranges = rangeApplies(request, object, etag) ? parseRanges(request.headers.range, object.size) : undefined;
  if (ranges === 'unsatisfiable') {
    reply.header('content-range', `bytes */${object.size}`);
    const body = errorBody('range_not_satisfiable', `The object has ${object.size} bytes`);
    reply.code(416).header('cache-control', 'no-store').header('x-rowlock-reason', body.reason);
    return reply.type('application/json').send(JSON.stringify(body));
  }
  if (ranges !== undefined && ranges.length > 1) {
    return sendParts(request, reply, { object, ranges, options });
  }
  const range = ranges?.[0];
  if (range !== undefined) {
    reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${object.size}`);
  }
  const length = range === undefined ? object.size : range.end - range.start + 1;
  reply.header('content-length', String(length));
  if (request.method === 'HEAD') {
    return reply.send();
  }
  const bytes = await openOrAgain(object, range);
  if ('again' in bytes) {
    // It was overwritten, and its bytes are purged already: who asked for the name gets what it has now.
    return sendObject(request, reply.code(200).removeHeader('content-range'), bytes, options);
  }
  return reply.send(bytes);
}

/** Several ranges: one body of parts, each with its place. All are of the version that was found. */
async function sendParts(
  request: FastifyRequest,
  reply: FastifyReply,
  sent: { readonly object: OpenedObject; readonly ranges: readonly ByteRange[]; readonly options: SendOptions },
): Promise<FastifyReply> {
  const { object, ranges, options } = sent;
  const [range] = ranges;
  const first = await openOrAgain(object, range);
  if ('again' in first) {
    return sendObject(request, reply, first, options);
  }
  const parts = byteranges(object, ranges, first);
  return reply
    .code(206)
    .header('content-type', parts.content_type)
    .header('content-length', String(parts.length))
    .send(parts.body);
}

/** The bytes, or the object that has taken the place of this one since it was found. */
async function openOrAgain(
  object: OpenedObject,
  range: ByteRange | undefined,
): Promise<Readable | Buffer | OpenedObject> {
  try {
    return await object.open(range);
  } catch (error) {
    const now = isRowlockError(error, 'object_not_found') ? await object.again() : undefined;
    if (now === undefined) {
      throw error;
    }
    return now;
  }
}

function setHeaders(reply: FastifyReply, object: OpenedObject, etag: string, options: SendOptions): void {
  reply
    .header('accept-ranges', 'bytes')
    .header('etag', etag)
    .header('last-modified', object.last_modified.toUTCString())
    .header('content-type', object.content_type)
    .header('cache-control', cacheControl(object, options))
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cross-origin-resource-policy', options.embeddable ?? 'cross-origin')
    .header('x-robots-tag', 'none');
  if (options.expiresAt !== undefined) {
    reply.header('expires', options.expiresAt.toUTCString());
  }
}

/** What a browser would run is locked up however it came here, and saved as a file unless its bucket wants it shown. */
async function setDisposition(reply: FastifyReply, object: OpenedObject, options: SendOptions): Promise<void> {
  const active = isActiveType(object.content_type) || isActiveType(object.detected_type);
  if (active) {
    reply.header('content-security-policy', "sandbox; default-src 'none'");
  }
  const isAsked = options.download !== undefined && options.download !== false;
  if (isAsked || (active && !(await object.showsInline()))) {
    const asked =
      typeof options.download === 'string' && options.download !== '' ? options.download : baseName(object.name);
    reply.header('content-disposition', contentDisposition(asked));
  }
}

/** `attachment` with an ASCII fallback and the real name (RFC 6266, RFC 8187). */
export function contentDisposition(fileName: string): string {
  const safe = fileName.toWellFormed().replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(fileName.toWellFormed()).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${safe}"; filename*=UTF-8''${encoded}`;
}

/**
 * Shared caches may keep public objects only; everything else is the caller's own, for as long as whoever stored it said
 * and never beyond the end of a signed URL. What says nothing is asked for again, so that a revocation is not outlived.
 */
function cacheControl(object: OpenedObject, options: SendOptions): string {
  const stored = object.cache_control ?? 'no-cache';
  if (object.public) {
    return stored;
  }
  if (options.noStore || /(?:^|[\s,])no-store(?:$|[\s,])/i.test(stored)) {
    return 'private, no-store';
  }
  const age = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(stored)?.[1];
  if (options.revalidate || age === undefined || /(?:^|[\s,])no-cache(?:$|[\s,])/i.test(stored)) {
    return 'private, no-cache';
  }
  const leftSeconds = ((options.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY) - Date.now()) / 1000;
  return `private, max-age=${Math.max(0, Math.min(Number(age), Math.floor(leftSeconds)))}`;
}

function matches(header: string, etag: string): boolean {
  return (
    header.length <= 8192 &&
    header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
  );
}

function isNotModified(request: FastifyRequest, object: OpenedObject, etag: string): boolean {
  const ifNoneMatch = request.headers['if-none-match'];
  if (ifNoneMatch !== undefined) {
    return matches(ifNoneMatch, etag);
  }
  const since = Date.parse(request.headers['if-modified-since'] ?? '');
  return !Number.isNaN(since) && Math.floor(object.last_modified.getTime() / 1000) * 1000 <= since;
}

function rangeApplies(request: FastifyRequest, object: OpenedObject, etag: string): boolean {
  // Ranges are of GET alone (RFC 9110, section 14.2).
  if (request.method !== 'GET') {
    return false;
  }
  const ifRange = request.headers['if-range'];
  if (typeof ifRange !== 'string') {
    return true;
  }
  return ifRange === etag || Date.parse(ifRange) === Math.floor(object.last_modified.getTime() / 1000) * 1000;
}
