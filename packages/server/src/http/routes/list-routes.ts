/** Listings over HTTP. Their answers are JSON that the database has made: they are sent as they come. */
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { countEntries } from '../../operations/count-entries.ts';
import { listObjects } from '../../operations/list-objects.ts';
import { listPage } from '../../operations/list-page.ts';
import type { AppOptions } from '../app-options.ts';
import { consistentContext } from '../consistency.ts';
import { withCaller } from '../with-caller.ts';

/** Beyond it a listing goes on with cursors: an offset reads all that it passes over. */
const offsetMax = 1_000_000;
const json = 'application/json; charset=utf-8';

const bucketParams = Type.Object({ bucket: Type.String() });
const order = Type.Union([Type.Literal('asc'), Type.Literal('desc')], { default: 'asc' });
const nullableText = Type.Optional(Type.Union([Type.String(), Type.Null()]));

function columnOf(names: readonly string[]) {
  return Type.Union(
    names.map((each) => Type.Literal(each as 'name')),
    { default: 'name' },
  );
}

const listBody = Type.Object({
  prefix: nullableText,
  search: nullableText,
  limit: Type.Integer({ minimum: 1, default: 100 }),
  offset: Type.Integer({ minimum: 0, maximum: offsetMax, default: 0 }),
  recursive: Type.Boolean({ default: false }),
  sortBy: Type.Optional(
    Type.Object({ column: columnOf(['name', 'created_at', 'updated_at', 'last_accessed_at']), order }),
  ),
});

const pageBody = Type.Object({
  prefix: nullableText,
  limit: Type.Integer({ minimum: 1, default: 1000 }),
  cursor: nullableText,
  with_delimiter: Type.Boolean({ default: false }),
  sortBy: Type.Optional(Type.Object({ column: columnOf(['name', 'created_at', 'updated_at']), order })),
});

const countBody = Type.Object({
  prefix: nullableText,
  search: nullableText,
  recursive: Type.Boolean({ default: false }),
});

/** Registers the routes that list. */
export function listRoutes(app: FastifyInstance, options: AppOptions): void {
  app.post<{ Params: Static<typeof bucketParams>; Body: Static<typeof listBody> }>(
    '/object/list/:bucket',
    { schema: { tags: ['objects'], summary: 'List a folder', params: bucketParams, body: listBody } },
    withCaller(options, async (caller, request, reply) => {
      const { prefix, search, limit, offset, sortBy, recursive } = request.body;
      const listed = await listObjects(consistentContext(options.context, request), caller, {
        bucket: request.params.bucket,
        prefix: prefix ?? '',
        search: search ?? '',
        limit,
        offset,
        recursive,
        sort: sortBy?.column ?? 'name',
        descending: sortBy?.order === 'desc',
      });
      return reply.type(json).send(listed);
    }),
  );
  app.post<{ Params: Static<typeof bucketParams>; Body: Static<typeof pageBody> }>(
    '/object/list-v2/:bucket',
    { schema: { tags: ['objects'], summary: 'List page by page', params: bucketParams, body: pageBody } },
    withCaller(options, async (caller, request, reply) => {
      const { prefix, limit, cursor, with_delimiter, sortBy } = request.body;
      const listed = await listPage(consistentContext(options.context, request), caller, {
        bucket: request.params.bucket,
        prefix: prefix ?? '',
        limit,
        cursor: cursor ?? undefined,
        delimited: with_delimiter,
        sort: sortBy?.column ?? 'name',
        descending: sortBy?.order === 'desc',
      });
      return reply.type(json).send(listed);
    }),
  );
  app.post<{ Params: Static<typeof bucketParams>; Body: Static<typeof countBody> }>(
    '/object/count/:bucket',
    { schema: { tags: ['objects'], summary: 'Count what a listing shows', params: bucketParams, body: countBody } },
    withCaller(options, async (caller, request) => {
      const { prefix, search, recursive } = request.body;
      const { bucket } = request.params;
      return countEntries(options.context, caller, { bucket, prefix: prefix ?? '', search: search ?? '', recursive });
    }),
  );
}
