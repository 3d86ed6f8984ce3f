/**
 * What a presigned PUT or GET of one of our objects binds, the same for every backend: method, key, expiry and
 * whatever was declared. It signs only; limits on expiry and who may ask are decided before. Invariant: what
 * was declared for a PUT is a signed header, so the request must send exactly that.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { PresignGetOptions, PresignPutOptions } from '../backend.ts';
import type { PartsPlace, PresignPartOptions } from '../parts.ts';
import type { Presigner } from './presigner.ts';

/**
 * Signs a PUT. An empty type is not signed, since a browser that knows none sends none (requirements C18);
 * the ACL is a signed header and never a parameter, as stores refuse the header when it is not (F2).
 */
export function presignPutUrl(presigner: Presigner, key: string, options: PresignPutOptions): string {
  const { expirySeconds, contentType = '', contentLength, acl = '', now = new Date() } = options;
  const headers: Record<string, string> = {};
  if (contentType !== '') headers['content-type'] = contentType;
  if (contentLength !== undefined) {
    if (!Number.isSafeInteger(contentLength) || contentLength < 0) {
      throw new RowlockError('invalid_request', 'The content length is not a number of bytes.');
    }
    headers['content-length'] = String(contentLength);
  }
  if (acl !== '') headers['x-amz-acl'] = acl;
  if (options.sha256 !== undefined) {
    headers['x-amz-checksum-sha256'] = Buffer.from(options.sha256, 'hex').toString('base64');
  }
  if (options.onlyNew === true) headers['if-none-match'] = '*';
  return presigner.presign({ method: 'PUT', key, expirySeconds, now, headers });
}

/** Signs a PUT of one part of an upload, of exactly so many bytes. */
export function presignPartUrl(
  presigner: Presigner,
  { key, store_id }: PartsPlace,
  options: PresignPartOptions,
): string {
  const { part_number, contentLength, expirySeconds, now = new Date() } = options;
  return presigner.presign({
    method: 'PUT',
    key,
    expirySeconds,
    now,
    headers: { 'content-length': String(contentLength) },
    query: { partNumber: String(part_number), uploadId: store_id },
  });
}

/** Signs a GET whose answer carries the given disposition and type. */
export function presignGetUrl(presigner: Presigner, key: string, options: PresignGetOptions): string {
  const { expirySeconds, contentDisposition, contentType, now = new Date() } = options;
  if (contentDisposition === undefined && contentType === undefined) {
    return presigner.presign({ method: 'GET', key, expirySeconds, now });
  }
  const query: Record<string, string> = {};
  if (contentDisposition !== undefined) query['response-content-disposition'] = contentDisposition;
  if (contentType !== undefined) query['response-content-type'] = contentType;
  return presigner.presign({ method: 'GET', key, expirySeconds, now, query });
}
