/**
 * Signed URLs after they were signed, over HTTP: revoking them, and listing those that are counted or kept. Who may is
 * for the operations and the policies behind them; what a signed URL opens is in `read-routes.ts`.
 */
import { RowlockError } from '@rowlock/client/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { listSignedUrls, revokeObjectUrls, revokeUrls, signedUrlsPageMax } from '../../operations/revoke-urls.ts';
import type { AppOptions } from '../app-options.ts';
import { withCaller } from '../with-caller.ts';

const urlId = Type.String({ pattern: '^[A-Za-z0-9_-]{32}$' });
const objectParams = Type.Object({ bucket: Type.String(), '*': Type.String() });
const revokeQuery = Type.Object({ id: Type.Optional(urlId) });
const revokeBody = Type.Object(
  {
    id: Type.Optional(urlId),
    object: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' })),
    issuer: Type.Optional(Type.String({ pattern: '^(me|[A-Za-z0-9_-]{16})$' })),
    all: Type.Optional(Type.Literal(true)),
  },
  // Exactly one: what is meant must not depend on which is looked at first.
  { minProperties: 1, maxProperties: 1 },
);
const listQuery = Type.Object({
  bucket: Type.Optional(Type.String({ maxLength: 100 })),
  name: Type.Optional(Type.String({ maxLength: 1024 })),
  after: Type.Optional(urlId),
  limit: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,3}$' })),
});

const revoked = { message: 'Successfully revoked' };

type RevokeBody = Static<typeof revokeBody>;

/** @throws RowlockError `invalid_request` for a body that names something else */
function revocationOf({ id, object, issuer, all }: RevokeBody): Parameters<typeof revokeUrls>[2] {
  if (id !== undefined) return { scope: 'id', value: id };
  if (object !== undefined) return { scope: 'object', value: object };
  if (issuer !== undefined) return { scope: 'issuer', value: issuer === 'me' ? undefined : issuer };
  if (all !== undefined) return { scope: 'all', value: undefined };
  throw new RowlockError('invalid_request', 'Say what to revoke: id, object, issuer or all');
}

/** Registers the routes that revoke and list signed URLs. */
export function signedUrlRoutes(app: FastifyInstance, options: AppOptions): void {
  const { context } = options;
  const tags = ['signed URLs'];
  app.delete<{ Params: Static<typeof objectParams>; Querystring: Static<typeof revokeQuery> }>(
    '/object/sign/:bucket/*',
    {
      schema: {
        tags,
        summary: 'Revoke the signed URLs of an object, or one of them',
        params: objectParams,
        querystring: revokeQuery,
      },
    },
    withCaller(options, async (caller, request) => {
      const { bucket, '*': name } = request.params;
      await revokeObjectUrls(context, caller, { bucket, name, id: request.query.id });
      return revoked;
    }),
  );
  app.post<{ Body: RevokeBody }>(
    '/signed-urls/revoke',
    { schema: { tags, summary: 'Revoke signed URLs by id, object, issuer, or all', body: revokeBody } },
    withCaller(options, async (caller, request) => {
      await revokeUrls(context, caller, revocationOf(request.body));
      return revoked;
    }),
  );
  app.get<{ Querystring: Static<typeof listQuery> }>(
    '/signed-urls',
    { schema: { tags, summary: 'List live signed URLs that are counted or kept', querystring: listQuery } },
    withCaller(options, async (caller, request) => {
      const { bucket, name, after, limit = '100' } = request.query;
      return listSignedUrls(context, caller, {
        bucket,
        name,
        after,
        limit: Math.min(Number(limit), signedUrlsPageMax),
      });
    }),
  );
}
