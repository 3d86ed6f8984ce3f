/**
 * Downloads over HTTP: as the caller, of public buckets, and by a signed URL. What an answer's head says is decided in
 * `send-object.ts`; no byte is sent that the operation did not hand over.
 */
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { readObject } from '../../operations/read-object.ts';
import type { AppOptions } from '../app-options.ts';
import { consistentContext } from '../consistency.ts';
import { sendObject } from '../send-object.ts';
import { sendSigned } from '../send-signed.ts';
import { withCaller } from '../with-caller.ts';
import { versionId } from './version-routes.ts';

const objectParams = Type.Object({ bucket: Type.String(), '*': Type.String() });
const readQuery = Type.Object({
  download: Type.Optional(Type.String({ maxLength: 1024 })),
  version: Type.Optional(versionId),
});
const signedQuery = Type.Object({
  token: Type.String({ maxLength: 8192 }),
  expires: Type.Optional(Type.String()),
  download: Type.Optional(Type.String({ maxLength: 1024 })),
});

interface ReadRoute {
  Params: Static<typeof objectParams>;
  Querystring: Static<typeof readQuery>;
}

/** Registers the routes that answer with an object's bytes. */
export function readRoutes(app: FastifyInstance, options: AppOptions): void {
  const { context } = options;
  const schema = { tags: ['objects'], params: objectParams, querystring: readQuery };
  const read = (publicOnly: boolean) =>
    withCaller<ReadRoute>(options, async (caller, request, reply) => {
      const { bucket, '*': name } = request.params;
      const from = consistentContext(context, request);
      const object = await readObject(from, caller, { bucket, name, publicOnly, version: request.query.version });
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
    handler: sendSigned(options, false),
  });
}
