/**
 * The body of an upload, however it is sent: raw bytes with headers beside them, or the file of a form with fields
 * around it. It reads no more than it must before the operation asks for bytes.
 */
import { RowlockError } from '@rowlock/client/contract';
import type { FastifyRequest } from 'fastify';
import { sentChecksums } from '../domain/checksum.ts';
import type { UploadBody } from '../operations/upload-object.ts';
import { originOf } from './audit-requests.ts';
import { isForm, openForm } from './multipart-form.ts';
import { bodyOf } from './request-body.ts';
import { declaredSize, headerMetadata, oneHeader } from './upload-headers.ts';

/**
 * What is to be uploaded. A form is read as far as its file.
 *
 * @throws RowlockError `invalid_request`, `incomplete_body`, `bad_digest`
 */
export async function uploadBodyOf(request: FastifyRequest): Promise<UploadBody> {
  const contentType = oneHeader(request, 'content-type');
  const checksums = sentChecksums(Object.entries(request.headers));
  const userMetadata = headerMetadata(request);
  if (contentType === undefined || !isForm(contentType)) {
    return {
      origin: originOf(request),
      body: bodyOf(request.raw),
      size: declaredSize(request),
      contentType,
      cacheControl: oneHeader(request, 'cache-control'),
      userMetadata,
      checksums,
    };
  }
  if (checksums.length > 0) {
    throw new RowlockError('bad_digest', 'A checksum of a form says nothing of its file; send the bytes as the body');
  }
  const form = await openForm(bodyOf(request.raw), contentType);
  return {
    origin: originOf(request),
    body: form.file,
    size: undefined,
    contentType: form.said.content_type,
    cacheControl: form.said.cache_control ?? oneHeader(request, 'cache-control'),
    userMetadata: form.said.user_metadata ?? userMetadata,
    amendments: form.amendments,
  };
}
