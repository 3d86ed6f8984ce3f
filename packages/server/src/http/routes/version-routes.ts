/**
 * Versions over HTTP: list what a name pointed at and what was deleted, and restore. Older versions are downloaded and
 * purged by the routes of objects with `?version=`.
 */
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { listDeleted, listVersions, type VersionEntry, type VersionPage } from '../../operations/list-versions.ts';
import { restoreObject } from '../../operations/restore-object.ts';
import type { AppOptions } from '../app-options.ts';
import { withCaller } from '../with-caller.ts';

const objectParams = Type.Object({ bucket: Type.String(), '*': Type.String() });
const bucketParams = Type.Object({ bucket: Type.String() });
/** Queries are texts; nothing is coerced. */
const limit = Type.String({ pattern: '^[1-9]\\d{0,2}$|^1000$', default: '100' });
const versionsQuery = Type.Object({ limit, cursor: Type.Optional(Type.String({ maxLength: 20 })) });
const deletedQuery = Type.Object({
  limit,
  cursor: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,1400}$' })),
  prefix: Type.String({ maxLength: 1024, default: '' }),
});
/** A version's id. */
export const versionId: ReturnType<typeof Type.String> = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
});
const restoreBody = Type.Union([
  Type.Object({ version: Type.Optional(Type.Union([versionId, Type.Null()])) }),
  Type.Null(),
]);

function entryBody(bucket: string, entry: VersionEntry, isLatest: boolean): Record<string, unknown> {
  const { sha256, user_metadata, sequence, size, ...rest } = entry;
  const hash = sha256?.toString('hex') ?? null;
  return {
    ...rest,
    bucket,
    is_latest: isLatest,
    size: size === null ? null : Number(size),
    sha256: hash,
    etag: entry.delete_marker ? null : `"${hash ?? entry.version}"`,
    metadata: user_metadata ?? {},
  };
}

function pageBody(bucket: string, page: VersionPage, hasTop: boolean): Record<string, unknown> {
  const versions = page.entries.map((entry, place) =>
    entryBody(bucket, entry, entry.is_current || (hasTop && place === 0 && entry.delete_marker)),
  );
  return { versions, next_cursor: page.next ?? null };
}

/** Registers the routes of versions. */
export function versionRoutes(app: FastifyInstance, options: AppOptions): void {
  const { context } = options;
  const tags = ['versions'];

  app.get<{ Params: Static<typeof objectParams>; Querystring: Static<typeof versionsQuery> }>(
    '/object/versions/:bucket/*',
    { schema: { tags, summary: 'List the versions of a name', params: objectParams, querystring: versionsQuery } },
    withCaller(options, async (caller, request) => {
      const { bucket, '*': name } = request.params;
      const { limit, cursor } = request.query;
      const page = await listVersions(context, caller, { bucket, name, limit: Number(limit), cursor });
      return pageBody(bucket, page, cursor === undefined);
    }),
  );

  app.get<{ Params: Static<typeof bucketParams>; Querystring: Static<typeof deletedQuery> }>(
    '/object/versions/:bucket',
    {
      schema: {
        tags,
        summary: 'List what was deleted and can be restored',
        params: bucketParams,
        querystring: deletedQuery,
      },
    },
    withCaller(options, async (caller, request) => {
      const { bucket } = request.params;
      const { limit, cursor, prefix } = request.query;
      return pageBody(
        bucket,
        await listDeleted(context, caller, { bucket, prefix, limit: Number(limit), cursor }),
        false,
      );
    }),
  );

  app.post<{ Params: Static<typeof objectParams>; Body: Static<typeof restoreBody> }>(
    '/object/restore/:bucket/*',
    { schema: { tags, summary: 'Restore a version, or what was deleted', params: objectParams, body: restoreBody } },
    withCaller(options, async (caller, request) => {
      const { bucket, '*': name } = request.params;
      const row = await restoreObject(context, caller, { bucket, name, version: request.body?.version ?? undefined });
      return {
        Id: row.id,
        Key: `${bucket}/${row.name}`,
        id: row.id,
        bucket,
        path: row.name,
        version: row.version_id,
        size: Number(row.size),
        content_type: row.content_type,
        owner_id: row.owner_id,
        created_at: row.created_at,
      };
    }),
  );
}
