/** Objects over HTTP, without bodies of bytes: read, list, delete, sign. Uploads are in `upload-routes.ts`. */

import { RowlockError } from '@rowlock/client/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { signedUrlSecondsDefault } from '../../auth/signed-url.ts';
import { normaliseObjectName } from '../../domain/names.ts';
import { deleteNamesMax, deleteObject, deleteObjects } from '../../operations/delete-objects.ts';
import { listObjects } from '../../operations/list-objects.ts';
import { findObject, readObject, readSignedObject } from '../../operations/read-object.ts';
import { signObject } from '../../operations/sign-object.ts';
import type { AppOptions } from '../app-options.ts';
import { baseUrl } from '../base-url.ts';
import { sendObject } from '../send-object.ts';
import { withCaller } from '../with-caller.ts';

const objectParams = Type.Object({ bucket: Type.String(), '*': Type.String() });
const bucketParams = Type.Object({ bucket: Type.String() });
const readQuery = Type.Object({ download: Type.Optional(Type.String({ maxLength: 1024 })) });
const signedQuery = Type.Object({
  token: Type.String({ maxLength: 8192 }),
  expires: Type.Optional(Type.String()),
  download: Type.Optional(Type.String({ maxLength: 1024 })),
});
const listBody = Type.Object({
  prefix: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  search: Type.Optional(Type.String()),
  limit: Type.Integer({ minimum: 1, default: 100 }),
  offset: Type.Integer({ minimum: 0, maximum: 10_000_000, default: 0 }),
  sortBy: Type.Optional(
    Type.Object({
      column: Type.Union(
        ['name', 'created_at', 'updated_at', 'last_accessed_at'].map((each) => Type.Literal(each as 'name')),
        { default: 'name' },
      ),
      order: Type.Union([Type.Literal('asc'), Type.Literal('desc')], { default: 'asc' }),
    }),
  ),
});
const signBody = Type.Union([
  Type.Object({
    expiresIn: Type.Optional(Type.Number()),
    transform: Type.Optional(Type.Object({ preset: Type.Optional(Type.String({ maxLength: 50 })) })),
  }),
  Type.Null(),
]);
const removeBody = Type.Object({ prefixes: Type.Array(Type.String(), { minItems: 1, maxItems: deleteNamesMax }) });
const expiresQuery = Type.Object({ expires_in: Type.Optional(Type.String({ pattern: '^\\d{1,9}$' })) });

interface ReadRoute {
  Params: Static<typeof objectParams>;
  Querystring: Static<typeof readQuery>;
}

function readRoutes(app: FastifyInstance, options: AppOptions): void {
  const { context } = options;
  const schema = { tags: ['objects'], params: objectParams, querystring: readQuery };
  const read = (publicOnly: boolean) =>
    withCaller<ReadRoute>(options, async (caller, request, reply) => {
      const { bucket, '*': name } = request.params;
      const object = await readObject(context, caller, { bucket, name, publicOnly });
      return sendObject(request, reply, object, { download: request.query.download });
    });
  const both = { method: ['GET', 'HEAD'] as ['GET', 'HEAD'] };
  app.route<ReadRoute>({
    ...both,
    url: '/object/:bucket/*',
    schema: { ...schema, summary: 'Download an object' },
    handler: read(false),
  });
  app.route<ReadRoute>({
    ...both,
    url: '/object/authenticated/:bucket/*',
    schema: { ...schema, summary: 'Download an object with a token' },
    handler: read(false),
  });
  app.route<ReadRoute>({
    ...both,
    url: '/object/public/:bucket/*',
    schema: { ...schema, summary: 'Download an object of a public bucket' },
    handler: read(true),
  });
  app.route<{ Params: Static<typeof objectParams>; Querystring: Static<typeof signedQuery> }>({
    ...both,
    url: '/object/sign/:bucket/*',
    schema: { tags: ['objects'], summary: 'Download by a signed URL', params: objectParams, querystring: signedQuery },
    handler: async (request, reply) => {
      const { bucket, '*': name } = request.params;
      const object = await readSignedObject(context, request.query.token, bucket, name);
      if (object.preset !== undefined) {
        throw new RowlockError('invalid_signature', 'The URL is signed for a variant');
      }
      return sendObject(request, reply, object, { download: request.query.download, expiresAt: object.expires_at });
    },
  });
}

function infoRoutes(app: FastifyInstance, options: AppOptions): void {
  const handler = withCaller<{ Params: Static<typeof objectParams> }>(options, async (caller, request) => {
    const { bucket, '*': rawName } = request.params;
    const name = normaliseObjectName(rawName);
    const row = await findObject(options.context, caller, { bucket, name, operation: 'storage.object.info' });
    return {
      id: row.object_id,
      name,
      version: row.version_id,
      bucket_id: bucket,
      owner_id: row.owner_id,
      size: Number(row.size),
      content_type: row.content_type,
      detected_type: row.detected_type,
      cache_control: row.cache_control ?? 'no-cache',
      etag: `"${row.sha256?.toString('hex') ?? row.version_id}"`,
      sha256: row.sha256?.toString('hex') ?? null,
      metadata: row.user_metadata ?? {},
      last_modified: row.updated_at,
      created_at: row.created_at,
    };
  });
  const schema = { tags: ['objects'], summary: 'Show what is known of an object', params: objectParams };
  app.get('/object/info/:bucket/*', { schema }, handler);
  app.get('/object/info/authenticated/:bucket/*', { schema }, handler);
}

function deleteRoutes(app: FastifyInstance, options: AppOptions): void {
  const { context } = options;
  app.delete<{ Params: Static<typeof objectParams> }>(
    '/object/:bucket/*',
    { schema: { tags: ['objects'], summary: 'Delete an object', params: objectParams } },
    withCaller(options, async (caller, request, reply) => {
      await deleteObject(context, caller, request.params.bucket, request.params['*']);
      return request.headers['prefer']?.includes('return=minimal')
        ? reply.code(204).send()
        : { message: 'Successfully deleted' };
    }),
  );
  app.delete<{ Params: Static<typeof bucketParams>; Body: Static<typeof removeBody> }>(
    '/object/:bucket',
    {
      schema: {
        tags: ['objects'],
        summary: 'Delete objects by their exact names',
        params: bucketParams,
        body: removeBody,
      },
    },
    withCaller(options, async (caller, request) =>
      deleteObjects(context, caller, request.params.bucket, request.body.prefixes),
    ),
  );
}

function listRoute(app: FastifyInstance, options: AppOptions): void {
  app.post<{ Params: Static<typeof bucketParams>; Body: Static<typeof listBody> }>(
    '/object/list/:bucket',
    { schema: { tags: ['objects'], summary: 'List a folder', params: bucketParams, body: listBody } },
    withCaller(options, async (caller, request) => {
      const { prefix, search = '', limit, offset, sortBy } = request.body;
      return listObjects(options.context, caller, {
        bucket: request.params.bucket,
        prefix: prefix ?? '',
        search,
        limit,
        offset,
        sortColumn: sortBy?.column ?? 'name',
        descending: sortBy?.order === 'desc',
      });
    }),
  );
}

function lifetime(
  request: FastifyRequest<{ Body: Static<typeof signBody>; Querystring: Static<typeof expiresQuery> }>,
): number {
  const inQuery = request.query.expires_in;
  return request.body?.expiresIn ?? (inQuery === undefined ? signedUrlSecondsDefault : Number(inQuery));
}

function signRoute(app: FastifyInstance, options: AppOptions): void {
  app.post<{
    Params: Static<typeof objectParams>;
    Body: Static<typeof signBody>;
    Querystring: Static<typeof expiresQuery>;
  }>(
    '/object/sign/:bucket/*',
    {
      schema: {
        tags: ['objects'],
        summary: 'Sign a URL for an object',
        params: objectParams,
        body: signBody,
        querystring: expiresQuery,
      },
    },
    withCaller(options, async (caller, request) => {
      const { bucket, '*': name } = request.params;
      const preset = request.body?.transform?.preset;
      const signed = await signObject(options.context, caller, {
        bucket,
        name,
        preset,
        expirySeconds: lifetime(request),
      });
      const route = preset === undefined ? '/object/sign' : '/render/image/sign';
      const expires = Math.floor(signed.expires_at.getTime() / 1000);
      const tail = `?token=${signed.token}&expires=${expires}`;
      return {
        // Relative and decoded, as storage-js needs it: it encodes the whole.
        signedURL: `${route}/${bucket}/${signed.name}${tail}`,
        url: `${baseUrl(options, request)}/storage/v1${route}/${bucket}/${encodePath(signed.name)}${tail}`,
        expires_at: signed.expires_at,
      };
    }),
  );
}

function encodePath(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}

/** Registers the routes of objects that take JSON or nothing. */
export function objectRoutes(app: FastifyInstance, options: AppOptions): void {
  readRoutes(app, options);
  infoRoutes(app, options);
  deleteRoutes(app, options);
  listRoute(app, options);
  signRoute(app, options);
}
