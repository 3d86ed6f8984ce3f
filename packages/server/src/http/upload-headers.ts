/**
 * What the head of an upload says of its body: length, metadata, whether to overwrite. Sizes of all of it are bounded;
 * what an upload may do is not decided here.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { FastifyRequest } from 'fastify';

/** In a header: the head as a whole is bounded too. */
const headerMetadataBytesMax = 65_536;

/**
 * The declared size of a body; undefined for a chunked one.
 *
 * @throws RowlockError `incomplete_body` for a length that is no number of bytes
 */
export function declaredSize(request: FastifyRequest): number | undefined {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding !== undefined) {
    return undefined;
  }
  if (length === undefined) {
    return 0;
  }
  if (!/^\d{1,15}$/.test(length)) {
    throw new RowlockError('incomplete_body', 'Content-Length is not a number of bytes');
  }
  return Number(length);
}

/** A header that is there once; undefined for anything else. */
export function oneHeader(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/**
 * User metadata of `x-metadata`: base64 of a JSON object.
 *
 * @throws RowlockError `invalid_request`
 */
export function headerMetadata(request: FastifyRequest): Readonly<Record<string, unknown>> | undefined {
  const encoded = oneHeader(request, 'x-metadata');
  if (encoded === undefined) {
    return undefined;
  }
  if (encoded.length > (headerMetadataBytesMax * 4) / 3) {
    throw new RowlockError('invalid_request', `x-metadata has at most ${headerMetadataBytesMax} bytes`);
  }
  return parseMetadata(Buffer.from(encoded, 'base64'), 'x-metadata is not base64 of a JSON object in UTF-8');
}

/** A JSON object in UTF-8. @throws RowlockError `invalid_request` with the given sentence */
export function parseMetadata(bytes: Uint8Array, otherwise: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      return parsed as Readonly<Record<string, unknown>>;
    }
  } catch (cause) {
    throw new RowlockError('invalid_request', otherwise, { cause });
  }
  throw new RowlockError('invalid_request', otherwise);
}

/** `x-upsert` as it was sent; undefined where it was not. */
export function upsertAsked(request: FastifyRequest): boolean | undefined {
  const upsert = oneHeader(request, 'x-upsert');
  return upsert === undefined ? undefined : upsert === 'true';
}

/** Whether the request wants the name to be free (`If-None-Match: *`), which comes before every other wish. */
export function wantsFreeName(request: FastifyRequest): boolean {
  return oneHeader(request, 'if-none-match')?.trim() === '*';
}

/** A name that is taken is a condition that failed, for whoever made it one. */
export function asPrecondition(request: FastifyRequest, error: unknown): unknown {
  return error instanceof RowlockError && error.reason === 'object_exists' && wantsFreeName(request)
    ? new RowlockError('precondition_failed', 'The name is taken', { cause: error })
    : error;
}
