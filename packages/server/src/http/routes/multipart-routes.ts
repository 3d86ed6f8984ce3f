/** Uploads in parts over HTTP: an upload is made with a name, and goes by its id from then on. Bytes go to the store. */
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply } from 'fastify';
import {
  abortMultipartUpload,
  beginMultipartUpload,
  completeMultipartUpload,
  showMultipartUpload,
  signedPartsMax,
  signParts,
} from '../../operations/multipart-upload.ts';
import type { AppOptions } from '../app-options.ts';
import { writeConditions } from '../conditions.ts';
import { asPrecondition, headerMetadata, upsertAsked, wantsFreeName } from '../upload-headers.ts';
import { withCaller } from '../with-caller.ts';
import { etagOf, uploadAnswer } from './upload-answer.ts';

const partNumber = Type.Integer({ minimum: 1, maximum: 10_000 });
const newUpload = Type.Object({
  bucket: Type.String({ maxLength: 100 }),
  name: Type.String({ maxLength: 4096 }),
  size: Type.Integer({ minimum: 1 }),
  content_type: Type.Optional(Type.String({ maxLength: 255 })),
  part_size: Type.Optional(Type.Integer({ minimum: 1 })),
  sha256: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F]{64}$' })),
  cache_control: Type.Optional(Type.String({ pattern: '^[ -~]{1,255}$' })),
});
const uploadParams = Type.Object({ upload_id: Type.String({ format: 'uuid' }) });
const listQuery = Type.Object({
  after: Type.Optional(Type.String({ pattern: '^\\d{1,5}$' })),
  limit: Type.Optional(Type.String({ pattern: '^\\d{1,4}$' })),
});
const urlsBody = Type.Object({
  parts: Type.Array(partNumber, { minItems: 1, maxItems: signedPartsMax }),
  expiresIn: Type.Optional(Type.Integer()),
  expires_in: Type.Optional(Type.Integer()),
});
const completeBody = Type.Union([
  Type.Object({
    parts: Type.Optional(
      Type.Array(Type.Object({ part_number: partNumber, etag: Type.String({ minLength: 1, maxLength: 200 }) }), {
        maxItems: 10_000,
      }),
    ),
  }),
  Type.Null(),
]);

const listedMax = 1000;
const path = '/upload/multipart';

interface ById {
  Params: Static<typeof uploadParams>;
}

const describe = (summary: string): { readonly tags: string[]; readonly summary: string } => ({
  tags: ['objects'],
  summary,
});

/** Registers the routes of uploads in parts. */
export function multipartRoutes(app: FastifyInstance, options: AppOptions): void {
  beginRoute(app, options);
  app.get<ById & { Querystring: Static<typeof listQuery> }>(
    `${path}/:upload_id`,
    {
      schema: {
        ...describe('Show an upload in parts, and which have arrived'),
        params: uploadParams,
        querystring: listQuery,
      },
    },
    withCaller<ById & { Querystring: Static<typeof listQuery> }>(options, async (caller, request) => {
      const after = Number(request.query.after ?? 0);
      const limit = Math.max(1, Math.min(Number(request.query.limit ?? listedMax), listedMax));
      const uploadId = request.params.upload_id;
      const { upload, parts } = await showMultipartUpload(options.context, caller, { uploadId, after, limit });
      const { upload_id, bucket, name, size, part_size, part_count, content_type, status, error, expires_at } = upload;
      return {
        upload_id,
        bucket,
        path: name,
        size,
        part_size,
        part_count,
        content_type,
        status,
        error,
        expires_at,
        parts,
        next_after: parts.length < limit ? null : (parts.at(-1)?.part_number ?? null),
      };
    }),
  );
  app.post<ById & { Body: Static<typeof urlsBody> }>(
    `${path}/:upload_id/sign`,
    { schema: { ...describe('Sign URLs for parts'), params: uploadParams, body: urlsBody } },
    withCaller<ById & { Body: Static<typeof urlsBody> }>(options, async (caller, request) => {
      const { parts, expiresIn, expires_in } = request.body;
      const uploadId = request.params.upload_id;
      return await signParts(options.context, caller, { uploadId, parts, expirySeconds: expiresIn ?? expires_in });
    }),
  );
  app.post<ById & { Body: Static<typeof completeBody> }>(
    `${path}/:upload_id/complete`,
    // Ten thousand parts with their ETags are more than other JSON.
    {
      bodyLimit: 2_097_152,
      schema: { ...describe('Complete an upload in parts'), params: uploadParams, body: completeBody },
    },
    withCaller<ById & { Body: Static<typeof completeBody> }>(options, async (caller, request, reply: FastifyReply) => {
      const object = await completeMultipartUpload(options.context, caller, {
        uploadId: request.params.upload_id,
        parts: request.body?.parts,
      });
      return reply
        .header('etag', etagOf(object))
        .code(object.created ? 201 : 200)
        .send(uploadAnswer(object));
    }),
  );
  app.delete<ById>(
    `${path}/:upload_id`,
    { schema: { ...describe('Give an upload in parts up'), params: uploadParams } },
    withCaller<ById>(options, async (caller, request) => {
      await abortMultipartUpload(options.context, caller, request.params.upload_id);
      return { message: 'The upload was given up' };
    }),
  );
}

function beginRoute(app: FastifyInstance, options: AppOptions): void {
  app.post<{ Body: Static<typeof newUpload> }>(
    path,
    { schema: { ...describe('Begin an upload in parts'), body: newUpload } },
    withCaller<{ Body: Static<typeof newUpload> }>(options, async (caller, request, reply: FastifyReply) => {
      const { bucket, name, size, content_type, part_size, sha256, cache_control } = request.body;
      const { ifMatch, ifNoneMatch } = writeConditions(request);
      const isFree = wantsFreeName(request);
      const upload = await beginMultipartUpload(options.context, caller, {
        bucket,
        name,
        size,
        partSize: part_size,
        contentType: content_type,
        sha256,
        cacheControl: cache_control,
        userMetadata: headerMetadata(request),
        overwrite: isFree ? false : upsertAsked(request),
        ifMatch,
        ifNoneMatch: isFree ? undefined : ifNoneMatch,
      }).catch((error: unknown) => {
        throw asPrecondition(request, error);
      });
      const { upload_id, part_count, expires_at } = upload;
      return reply.code(201).send({
        upload_id,
        bucket,
        path: upload.name,
        size,
        part_size: upload.part_size,
        part_count,
        content_type: upload.content_type,
        expires_at,
      });
    }),
  );
}
