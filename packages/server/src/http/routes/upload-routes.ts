/** Uploads over HTTP: raw bodies, read by the operation only after begin said yes. */
import { RowlockError } from '@rowlock/client/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sentChecksums } from '../../domain/checksum.ts';
import type { CommittedObject } from '../../operations/upload-object.ts';
import { uploadObject } from '../../operations/upload-object.ts';
import type { AppOptions } from '../app-options.ts';
import { bodyOf } from '../request-body.ts';
import { withCaller } from '../with-caller.ts';

const objectParams = Type.Object({ bucket: Type.String(), '*': Type.String() });
const userMetadataBytesMax = 65536;

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

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function userMetadata(encoded: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (encoded === undefined) {
    return undefined;
  }
  if (encoded.length > (userMetadataBytesMax * 4) / 3) {
    throw new RowlockError('invalid_request', `x-metadata has at most ${userMetadataBytesMax} bytes`);
  }
  try {
    const parsed: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(encoded, 'base64')),
    );
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      return parsed as Readonly<Record<string, unknown>>;
    }
  } catch (cause) {
    throw new RowlockError('invalid_request', 'x-metadata is not base64 of JSON in UTF-8', { cause });
  }
  throw new RowlockError('invalid_request', 'x-metadata is not a JSON object');
}

/** If-None-Match before x-upsert before the bucket's own setting; undefined for that. */
function overwrite(request: FastifyRequest): boolean | undefined {
  if (header(request, 'if-none-match')?.trim() === '*') {
    return false;
  }
  const upsert = header(request, 'x-upsert');
  if (upsert !== undefined) {
    return upsert === 'true';
  }
  return request.method === 'PUT' ? true : undefined;
}

function uploadBody(object: CommittedObject): Record<string, unknown> {
  return {
    Id: object.id,
    Key: `${object.bucket_id}/${object.name}`,
    id: object.id,
    bucket: object.bucket_id,
    path: object.name,
    size: Number(object.size),
    content_type: object.content_type,
    owner_id: object.owner_id,
    sha256: object.sha256?.toString('hex') ?? null,
    created_at: object.created_at,
    updated_at: object.updated_at,
  };
}

/** Registers the upload routes. The scope they are registered in parses no body. */
export function uploadRoutes(app: FastifyInstance, options: AppOptions): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  app.route<{ Params: Static<typeof objectParams> }>({
    method: ['POST', 'PUT'],
    url: '/object/:bucket/*',
    schema: { tags: ['objects'], summary: 'Upload an object; PUT always overwrites', params: objectParams },
    handler: withCaller(options, async (caller, request, reply) => {
      if (/^multipart\//i.test(header(request, 'content-type') ?? '')) {
        throw new RowlockError(
          'media_type_not_allowed',
          'Send the bytes as the body itself; multipart forms are not read yet',
        );
      }
      const object = await uploadObject(options.context, caller, {
        bucket: request.params.bucket,
        name: request.params['*'],
        body: bodyOf(request.raw),
        size: declaredSize(request),
        contentType: header(request, 'content-type'),
        overwrite: overwrite(request),
        cacheControl: header(request, 'cache-control'),
        userMetadata: userMetadata(header(request, 'x-metadata')),
        checksums: sentChecksums(Object.entries(request.headers)),
      }).catch((error: unknown) => {
        throw asPrecondition(request, error);
      });
      reply.header('etag', `"${object.sha256?.toString('hex') ?? object.version_id}"`);
      return reply.code(object.created ? 201 : 200).send(uploadBody(object));
    }),
  });
}

function asPrecondition(request: FastifyRequest, error: unknown): unknown {
  return error instanceof RowlockError && error.reason === 'object_exists' && header(request, 'if-none-match') === '*'
    ? new RowlockError('precondition_failed', 'The name is taken', { cause: error })
    : error;
}
