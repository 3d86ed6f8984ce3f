/** Uploads over HTTP: raw bodies and forms, as the caller or by a signed URL, read only after begin said yes. */
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { uploadBySignature } from '../../operations/sign-upload.ts';
import { uploadObject } from '../../operations/upload-object.ts';
import type { AppOptions } from '../app-options.ts';
import { writeConditions } from '../conditions.ts';
import { uploadBodyOf } from '../upload-body.ts';
import { asPrecondition, upsertAsked, wantsFreeName } from '../upload-headers.ts';
import { withCaller } from '../with-caller.ts';
import { etagOf, uploadAnswer } from './upload-answer.ts';

const objectParams = Type.Object({ bucket: Type.String(), '*': Type.String() });
const tokenQuery = Type.Object({ token: Type.String({ maxLength: 8192 }) });

/** Registers the upload routes. The scope they are registered in parses no body. */
export function uploadRoutes(app: FastifyInstance, options: AppOptions): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  app.route<{ Params: Static<typeof objectParams> }>({
    method: ['POST', 'PUT'],
    url: '/object/:bucket/*',
    schema: { tags: ['objects'], summary: 'Upload an object; PUT always overwrites', params: objectParams },
    handler: withCaller(options, async (caller, request, reply) => {
      const { ifMatch, ifNoneMatch } = writeConditions(request);
      const isFree = wantsFreeName(request);
      // If-None-Match before x-upsert before the bucket's own setting; undefined for that.
      const overwrite = isFree ? false : (upsertAsked(request) ?? (request.method === 'PUT' ? true : undefined));
      const object = await uploadObject(options.context, caller, {
        ...(await uploadBodyOf(request)),
        bucket: request.params.bucket,
        name: request.params['*'],
        overwrite,
        ifMatch,
        // A name that must be free is one that is not overwritten, also where what has it is hidden.
        ifNoneMatch: isFree ? undefined : ifNoneMatch,
      }).catch((error: unknown) => {
        throw asPrecondition(request, error);
      });
      reply.header('etag', etagOf(object));
      return reply.code(object.created ? 201 : 200).send(uploadAnswer(object));
    }),
  });

  app.put<{ Params: Static<typeof objectParams>; Querystring: Static<typeof tokenQuery> }>(
    '/object/upload/sign/:bucket/*',
    {
      schema: {
        tags: ['objects'],
        summary: 'Upload by a signed URL, once',
        params: objectParams,
        querystring: tokenQuery,
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'private, no-store');
      const { bucket, '*': name } = request.params;
      const { token } = request.query;
      const object = await uploadBySignature(options.context, { bucket, name, token }, () => uploadBodyOf(request));
      return reply
        .header('etag', etagOf(object))
        .code(object.created ? 201 : 200)
        .send({ Key: `${object.bucket_id}/${object.name}`, path: object.name, size: Number(object.size) });
    },
  );
}
