/** Variants over HTTP: stored derivatives of an object, read under the object's own policies or by a signed URL. */
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { readObject } from '../../operations/read-object.ts';
import type { AppOptions } from '../app-options.ts';
import { consistentContext } from '../consistency.ts';
import { sendObject } from '../send-object.ts';
import { sendSigned } from '../send-signed.ts';
import { withCaller } from '../with-caller.ts';

const params = Type.Object({ bucket: Type.String(), '*': Type.String() });
const presetQuery = Type.Object({ preset: Type.String({ pattern: '^[a-z][a-z0-9_-]{0,49}$' }) });
const tokenQuery = Type.Object({ token: Type.String({ maxLength: 8192 }), expires: Type.Optional(Type.String()) });

interface PresetRoute {
  Params: Static<typeof params>;
  Querystring: Static<typeof presetQuery>;
}

/** Registers the routes of variants. */
export function renderRoutes(app: FastifyInstance, options: AppOptions): void {
  const { context } = options;
  const both = { method: ['GET', 'HEAD'] as ['GET', 'HEAD'] };
  for (const [url, publicOnly] of [
    ['/render/image/authenticated/:bucket/*', false],
    ['/render/image/public/:bucket/*', true],
  ] as const) {
    app.route<PresetRoute>({
      ...both,
      url,
      schema: { tags: ['images'], summary: 'Download a variant of an object', params, querystring: presetQuery },
      handler: withCaller<PresetRoute>(options, async (caller, request, reply) => {
        const { bucket, '*': name } = request.params;
        const { preset } = request.query;
        const object = await readObject(consistentContext(context, request), caller, {
          bucket,
          name,
          preset,
          publicOnly,
          operation: 'storage.render.image',
        });
        return sendObject(request, reply, object);
      }),
    });
  }
  app.route<{ Params: Static<typeof params>; Querystring: Static<typeof tokenQuery> }>({
    ...both,
    url: '/render/image/sign/:bucket/*',
    schema: { tags: ['images'], summary: 'Download a variant by a signed URL', params, querystring: tokenQuery },
    handler: sendSigned(options, true),
  });
}
