/**
 * Pictures of objects over HTTP: a preset's variant, or a size and a format of the caller's, read under the object's own
 * policies or by a signed URL. It reads what is asked for and shapes the answer; what is made, and when, is the operation's.
 */
import { RowlockError } from '@rowlock/client/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../../domain/caller.ts';
import { readTransform, type Transform } from '../../domain/transform.ts';
import { readObject } from '../../operations/read-object.ts';
import { renderObject } from '../../operations/render-object.ts';
import type { AppOptions } from '../app-options.ts';
import { consistentContext } from '../consistency.ts';
import { sendObject } from '../send-object.ts';
import { pendingOr, sendSigned, variesBy, viewingOf } from '../send-signed.ts';
import { withCaller } from '../with-caller.ts';

const params = Type.Object({ bucket: Type.String(), '*': Type.String() });
const digits = (description: string) => Type.Optional(Type.String({ maxLength: 20, description }));
const renderQuery = Type.Object({
  preset: Type.Optional(
    Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}$', description: 'alone: a variant by name' }),
  ),
  width: digits('1 to 2000, brought up to a step of the server'),
  height: digits('the same'),
  resize: Type.Optional(Type.String({ maxLength: 20, description: 'cover, contain or fill; cover unless given' })),
  quality: digits('20 to 100, brought up to the next ten; 80 unless given'),
  format: Type.Optional(
    Type.String({ maxLength: 20, description: 'auto (by Accept; unless given), origin, jpeg, png, webp or avif' }),
  ),
  download: Type.Optional(Type.String({ maxLength: 1024 })),
  cacheNonce: Type.Optional(Type.String({ maxLength: 1024, description: 'not looked at' })),
});
const signedQuery = Type.Object({
  token: Type.String({ maxLength: 8192 }),
  expires: Type.Optional(Type.String()),
  download: Type.Optional(Type.String({ maxLength: 1024 })),
  cacheNonce: Type.Optional(Type.String({ maxLength: 1024, description: 'not looked at' })),
});

interface RenderRoute {
  Params: Static<typeof params>;
  Querystring: Static<typeof renderQuery>;
}

/** Registers the routes of pictures. */
export function renderRoutes(app: FastifyInstance, options: AppOptions): void {
  const both = { method: ['GET', 'HEAD'] as ['GET', 'HEAD'] };
  for (const [url, publicOnly] of [
    ['/render/image/authenticated/:bucket/*', false],
    ['/render/image/public/:bucket/*', true],
  ] as const) {
    app.route<RenderRoute>({
      ...both,
      url,
      schema: {
        tags: ['images'],
        summary: 'Download a picture of an object in another size or format',
        params,
        querystring: renderQuery,
      },
      handler: withCaller<RenderRoute>(options, (caller, request, reply) =>
        sendPicture(options, { caller, publicOnly }, request, reply),
      ),
    });
  }
  app.route<{ Params: Static<typeof params>; Querystring: Static<typeof signedQuery> }>({
    ...both,
    url: '/render/image/sign/:bucket/*',
    schema: { tags: ['images'], summary: 'Download a picture by a signed URL', params, querystring: signedQuery },
    handler: sendSigned(options, true),
  });
}

async function sendPicture(
  { context }: AppOptions,
  { caller, publicOnly }: { readonly caller: Caller; readonly publicOnly: boolean },
  request: FastifyRequest<RenderRoute>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { bucket, '*': name } = request.params;
  const { download } = request.query;
  const { preset, transform } = askedFor(request.query);
  const from = consistentContext(context, request);
  if (preset !== undefined) {
    const asked = { bucket, name, preset, publicOnly, operation: 'storage.render.image' };
    return pendingOr(reply, async () =>
      sendObject(request, reply, await readObject(from, caller, asked), { download }),
    );
  }
  variesBy(reply, transform);
  const asked = { bucket, name, publicOnly, transform, ...viewingOf(request, reply) };
  return sendObject(request, reply, await renderObject(from, caller, asked), { download });
}

type Asked =
  | { readonly preset: string; readonly transform?: undefined }
  | { readonly preset?: undefined; readonly transform: Transform };

/** @throws RowlockError `invalid_request` */
function askedFor({ preset, download: _, cacheNonce: __, ...fields }: Static<typeof renderQuery>): Asked {
  const transform = readTransform(fields);
  if (preset !== undefined && transform !== undefined) {
    throw new RowlockError('invalid_request', '"preset" stands alone: it has a size, a format and a quality');
  }
  if (preset !== undefined) return { preset };
  if (transform !== undefined) return { transform };
  throw new RowlockError(
    'invalid_request',
    'Say which picture: "preset", or some of width, height, quality and format',
  );
}
