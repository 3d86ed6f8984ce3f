/** Presigned URLs that we answer ourselves, in S3's dialect: XML errors, no JSON. */
import { errorSpellings, RowlockError } from '@rowlock/client/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseRange } from '../../domain/byte-range.ts';
import { isActiveType, normaliseMediaType } from '../../domain/media-type.ts';
import {
  type DoorRequest,
  getAtDoor,
  putAtDoor,
  signatureRefusal,
  verifyDoorRequest,
} from '../../operations/blob-door.ts';
import type { AppOptions } from '../app-options.ts';
import { asRowlockError, errorHeaders, reportInternal } from '../errors.ts';
import { bodyOf } from '../request-body.ts';
import { declaredSize } from '../upload-headers.ts';

const s3Codes: Partial<Record<RowlockError['reason'], string>> = {
  invalid_signature: 'AccessDenied',
  precondition_failed: 'PreconditionFailed',
  upload_gone: 'NoSuchUpload',
  too_large: 'EntityTooLarge',
  incomplete_body: 'IncompleteBody',
  invalid_part: 'InvalidPart',
  object_not_found: 'NoSuchKey',
  invalid_name: 'InvalidURI',
  invalid_request: 'InvalidArgument',
  unavailable: 'ServiceUnavailable',
  internal: 'InternalError',
};

/** What S3 calls the reasons for which it refuses a signed query; the others are `AccessDenied`. */
const s3CodesOfSignatures: Partial<Record<NonNullable<ReturnType<typeof signatureRefusal>>, string>> = {
  malformed: 'AuthorizationQueryParametersError',
  unsupported: 'AuthorizationQueryParametersError',
  invalid_expiry: 'AuthorizationQueryParametersError',
  wrong_scope: 'AuthorizationQueryParametersError',
  unknown_key: 'InvalidAccessKeyId',
  missing_header: 'SignatureDoesNotMatch',
  signature: 'SignatureDoesNotMatch',
};

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** S3's error document. */
function errorXml(error: RowlockError): string {
  const refusal = signatureRefusal(error);
  const ofSignature = refusal === undefined ? undefined : s3CodesOfSignatures[refusal];
  const code = ofSignature ?? s3Codes[error.reason] ?? errorSpellings[error.reason].code;
  const message = error.message.replace(/[&<>"]/g, (c) => entities[c] ?? c);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
}

function doorRequest(request: FastifyRequest): DoorRequest {
  const [rawPath = '', rawQuery = ''] = (request.raw.url ?? '').split(/\?(.*)/s, 2);
  return {
    method: request.method as DoorRequest['method'],
    host: request.headers.host ?? '',
    rawPath,
    rawQuery,
    headers: request.headers,
  };
}

/** What was signed as a header of the answer. @throws RowlockError `invalid_request` for what no header can carry */
function headerText(signed: string | undefined): string | undefined {
  if (signed !== undefined && !/^[\t\x20-\x7e]{1,2048}$/.test(signed)) {
    throw new RowlockError('invalid_request', 'A header of the answer must be printable ASCII');
  }
  return signed;
}

/** What a browser would run is saved and never shown, whatever was signed; the name that was signed is kept. */
function dispositionOf(signed: string | undefined, active: boolean): string | undefined {
  const disposition = headerText(signed);
  return active ? `attachment${disposition?.replace(/^[^;]*/, '') ?? ''}` : disposition;
}

async function answerGet(
  options: AppOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  door: AppOptions['doors'][number],
) {
  const grant = verifyDoorRequest(door, doorRequest(request));
  const found = await getAtDoor(options.context, grant);
  const type = headerText(grant.content_type) ?? 'application/octet-stream';
  const active = isActiveType(normaliseMediaType(type));
  reply
    .header('accept-ranges', 'bytes')
    .header('etag', `"${found.etag}"`)
    .header('last-modified', found.last_modified.toUTCString())
    .header('content-type', type)
    .header('cache-control', 'private, no-cache')
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer');
  if (active) {
    reply.header('content-security-policy', "sandbox; default-src 'none'");
  }
  const disposition = dispositionOf(grant.content_disposition, active);
  if (disposition !== undefined) {
    reply.header('content-disposition', disposition);
  }
  const range = parseRange(request.headers.range, found.size);
  if (range === 'unsatisfiable') {
    return reply.code(416).header('content-range', `bytes */${found.size}`).send();
  }
  reply.header('content-length', String(range === undefined ? found.size : range.end - range.start + 1));
  if (range !== undefined) {
    reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${found.size}`);
  }
  return request.method === 'HEAD' ? reply.send() : reply.send(await found.open(range));
}

/** Registers the door below the bucket that presigned URLs name. */
export function doorRoutes(app: FastifyInstance, options: AppOptions, door: AppOptions['doors'][number]): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.setErrorHandler((thrown, request, reply) => {
    const error = asRowlockError(thrown);
    reportInternal(options.observe, error, request);
    errorHeaders(reply, error);
    return reply.code(error.status).type('application/xml').send(errorXml(error));
  });
  const schema = { hide: true };

  app.route({
    method: ['GET', 'HEAD'],
    url: `/${door.bucket}/*`,
    schema,
    handler: (request, reply) => answerGet(options, request, reply, door),
  });
  app.put(`/${door.bucket}/*`, { schema }, async (request, reply) => {
    const grant = verifyDoorRequest(door, doorRequest(request));
    const { etag } = await putAtDoor(options.context, grant, bodyOf(request.raw), declaredSize(request));
    return reply.code(200).header('etag', `"${etag}"`).send();
  });
}
