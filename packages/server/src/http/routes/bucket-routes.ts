/** Buckets over HTTP. Bodies are read in both spellings and answered in both. */
import { RowlockError } from '@rowlock/client/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { Caller } from '../../domain/caller.ts';
import type { BucketChanges, BucketRow, BucketStats, NewBucket } from '../../operations/manage-buckets.ts';
import {
  countBuckets,
  createBucket,
  deleteBucket,
  emptyBucket,
  getBucket,
  listBuckets,
  updateBucket,
} from '../../operations/manage-buckets.ts';
import type { AppOptions } from '../app-options.ts';
import { withCaller } from '../with-caller.ts';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

/** What the owner of a bucket may set, in both spellings. */
const settings = {
  policy: Type.Optional(Type.Union([Type.Literal('private'), Type.Literal('public'), Type.Literal('authenticated')])),
  public: Type.Optional(Type.Boolean()),
  file_size_limit: nullable(Type.Union([Type.Integer({ minimum: 0 }), Type.String()])),
  max_file_size: nullable(Type.Union([Type.Integer({ minimum: 0 }), Type.String()])),
  allowed_mime_types: nullable(Type.Array(Type.String({ maxLength: 255 }), { maxItems: 200 })),
  overwrite: Type.Optional(Type.Union([Type.Literal('allow'), Type.Literal('deny')])),
  inline: Type.Optional(Type.Boolean()),
  scan: Type.Optional(Type.Union([Type.Literal('off'), Type.Literal('async'), Type.Literal('before_read')])),
  checks: Type.Optional(Type.Array(Type.String({ maxLength: 63 }), { maxItems: 16 })),
  preset_set: Type.Optional(Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' })),
  versioning: Type.Optional(Type.Union([Type.Literal('off'), Type.Literal('on'), Type.Literal('suspended')])),
  soft_delete_seconds: nullable(Type.Integer({ minimum: 1, maximum: 315_360_000 })),
  history_keep: nullable(Type.Integer({ minimum: 1, maximum: 100_000 })),
  noncurrent_days: nullable(Type.Integer({ minimum: 1, maximum: 36_500 })),
  quota_bytes: nullable(Type.Union([Type.Integer({ minimum: 0 }), Type.String()])),
  quota_objects: nullable(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  owner_quota_bytes: nullable(Type.Union([Type.Integer({ minimum: 0 }), Type.String()])),
  owner_quota_objects: nullable(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
};
const newBucketBody = Type.Object({
  name: Type.Optional(Type.String()),
  id: Type.Optional(Type.String()),
  type: nullable(Type.String({ maxLength: 32, description: 'STANDARD; there are no others' })),
  ...settings,
});

const bucketParams = Type.Object({ id: Type.String() });
/** Queries are texts; nothing is coerced, in queries or in bodies. */
const flag = Type.Optional(Type.Union([Type.Literal('true'), Type.Literal('false')]));
const page = Type.Object({
  limit: Type.String({ pattern: '^[1-9]\\d{0,2}$|^1000$', default: '1000' }),
  offset: Type.String({ pattern: '^\\d{1,7}$', default: '0' }),
  sortColumn: Type.Union(
    ['id', 'name', 'created_at', 'updated_at'].map((each) => Type.Literal(each as 'name')),
    { default: 'name' },
  ),
  sortOrder: Type.Union([Type.Literal('asc'), Type.Literal('desc')], { default: 'asc' }),
  search: Type.String({ maxLength: 100, default: '' }),
  stats: flag,
});
const deleteQuery = Type.Object({ force: flag });
const statsQuery = Type.Object({ stats: flag });

const units: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** Reads a size as a number of bytes or a text such as `20MB` or `5 GiB`; zero and null mean no limit. */
function sizeLimit(value: number | string | null | undefined): number | null {
  if (value === null || value === undefined || value === 0) {
    return null;
  }
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?) ?([KMGT]?i?B)?$/i.exec(String(value)) ?? [];
  const bytes = Math.floor(Number(digits) * (units[unit.toUpperCase()] ?? Number.NaN));
  if (!Number.isSafeInteger(bytes)) {
    throw new RowlockError('invalid_request', 'A size limit is a number of bytes or a text such as "20MB"');
  }
  return bytes === 0 ? null : bytes;
}

/** What a body changes; what it does not name stays. @throws RowlockError `invalid_request` where its spellings differ */
function changesOf(body: Static<typeof newBucketBody>): BucketChanges {
  const { policy, public: isPublic, allowed_mime_types, overwrite, inline, preset_set } = body;
  if (policy !== undefined && isPublic !== undefined && isPublic !== (policy === 'public')) {
    throw new RowlockError('invalid_request', `"public": ${isPublic} does not agree with "policy": "${policy}"`);
  }
  const limit = body.file_size_limit === undefined ? body.max_file_size : body.file_size_limit;
  return {
    ...(policy === undefined ? {} : { policy }),
    ...(isPublic === undefined ? {} : { public: isPublic }),
    ...(limit === undefined ? {} : { file_size_limit: sizeLimit(limit) }),
    ...(allowed_mime_types === undefined ? {} : { allowed_mime_types }),
    ...(overwrite === undefined ? {} : { overwrite }),
    ...(inline === undefined ? {} : { inline }),
    ...(body.scan === undefined ? {} : { scan: body.scan }),
    ...(body.checks === undefined ? {} : { checks: body.checks }),
    ...(preset_set === undefined ? {} : { preset_set }),
    ...historyOf(body),
    ...quotasOf(body),
  };
}

/** What a body says of versions and of soft delete. */
function historyOf(body: Static<typeof newBucketBody>): BucketChanges {
  const { versioning, soft_delete_seconds, history_keep, noncurrent_days } = body;
  return {
    ...(versioning === undefined ? {} : { versioning }),
    ...(soft_delete_seconds === undefined ? {} : { soft_delete_seconds }),
    ...(history_keep === undefined ? {} : { history_keep }),
    ...(noncurrent_days === undefined ? {} : { noncurrent_days }),
  };
}

/** Quotas that a body names; zero is a quota of nothing, and null is none. */
function quotasOf(body: Static<typeof newBucketBody>): BucketChanges {
  const { quota_bytes, quota_objects, owner_quota_bytes, owner_quota_objects } = body;
  const bytes = (value: number | string | null): number | null => (value === 0 ? 0 : sizeLimit(value));
  return {
    ...(quota_bytes === undefined ? {} : { quota_bytes: bytes(quota_bytes) }),
    ...(quota_objects === undefined ? {} : { quota_objects }),
    ...(owner_quota_bytes === undefined ? {} : { owner_quota_bytes: bytes(owner_quota_bytes) }),
    ...(owner_quota_objects === undefined ? {} : { owner_quota_objects }),
  };
}

function newBucket(body: Static<typeof newBucketBody>): NewBucket {
  const name = body.name ?? body.id;
  if (name === undefined || (body.id !== undefined && body.id !== name)) {
    throw new RowlockError('invalid_bucket_name', 'A bucket needs a name; an id, when given, must be the same');
  }
  if (typeof body.type === 'string' && body.type !== 'STANDARD') {
    throw new RowlockError('not_implemented', 'There are only buckets of the type STANDARD');
  }
  const { public: isPublic, ...changes } = changesOf(body);
  return {
    name,
    policy: isPublic ? 'public' : 'private',
    file_size_limit: null,
    allowed_mime_types: null,
    overwrite: 'allow',
    ...changes,
  };
}

function numberOf(value: string | null): number | null {
  return value === null ? null : Number(value);
}

/** The answer in all spellings: that of Supabase, ours, and `config` as requirements have it. */
function bucketBody(row: BucketRow, stats?: BucketStats): Record<string, unknown> {
  const limit = row.file_size_limit === null ? null : Number(row.file_size_limit);
  return {
    id: row.id,
    name: row.name,
    owner: row.owner_id ?? '',
    owner_id: row.owner_id,
    policy: row.policy,
    public: row.public,
    type: 'STANDARD',
    file_size_limit: limit,
    max_file_size: limit ?? 0,
    allowed_mime_types: row.allowed_mime_types,
    config: { allowed_mime_types: row.allowed_mime_types ?? [], max_file_size: limit ?? 0 },
    overwrite: row.overwrite,
    inline: row.inline,
    scan: row.scan,
    checks: row.checks,
    preset_set: row.preset_set,
    versioning: row.versioning,
    soft_delete_seconds: row.soft_delete_seconds,
    history_keep: row.history_keep,
    noncurrent_days: row.noncurrent_days,
    quota_bytes: numberOf(row.quota_bytes),
    quota_objects: numberOf(row.quota_objects),
    owner_quota_bytes: numberOf(row.owner_quota_bytes),
    owner_quota_objects: numberOf(row.owner_quota_objects),
    created_at: row.created_at,
    updated_at: row.updated_at,
    ...stats,
  };
}

/** Buckets with what the caller sees in them, where that was asked for: it reads every object. */
async function withStats(
  { context }: AppOptions,
  caller: Caller,
  rows: readonly BucketRow[],
  stats: string | undefined,
): Promise<readonly Record<string, unknown>[]> {
  if (stats !== 'true') {
    return rows.map((row) => bucketBody(row));
  }
  const ids = rows.map(({ id }) => id);
  const counted = await countBuckets(context, caller, ids);
  return rows.map((row) => bucketBody(row, counted.get(row.id) ?? { file_count: 0, total_size: 0 }));
}

/** Registers the bucket routes below the prefix. */
export function bucketRoutes(app: FastifyInstance, options: AppOptions): void {
  createAndShow(app, options);
  changeAndDelete(app, options);
}

function createAndShow(app: FastifyInstance, options: AppOptions): void {
  const { context } = options;
  const tags = ['buckets'];

  app.post<{ Body: Static<typeof newBucketBody> }>(
    '/bucket',
    { schema: { tags, summary: 'Create a bucket', body: newBucketBody } },
    withCaller(options, async (caller, request, reply) => {
      const row = await createBucket(context, caller, newBucket(request.body));
      return reply.code(201).send(bucketBody(row));
    }),
  );

  app.get<{ Querystring: Static<typeof page> }>(
    '/bucket',
    { schema: { tags, summary: 'List the buckets that the caller may see', querystring: page } },
    withCaller<{ Querystring: Static<typeof page> }>(options, async (caller, request) => {
      const { limit, offset, sortColumn, sortOrder, search, stats } = request.query;
      const rows = await listBuckets(context, caller, {
        limit: Number(limit),
        offset: Number(offset),
        sortColumn,
        descending: sortOrder === 'desc',
        search,
      });
      return withStats(options, caller, rows, stats);
    }),
  );

  app.get<{ Params: Static<typeof bucketParams>; Querystring: Static<typeof statsQuery> }>(
    '/bucket/:id',
    { schema: { tags, summary: 'Show a bucket', params: bucketParams, querystring: statsQuery } },
    withCaller<{ Params: Static<typeof bucketParams>; Querystring: Static<typeof statsQuery> }>(
      options,
      async (caller, request) => {
        const row = await getBucket(context, caller, request.params.id);
        return (await withStats(options, caller, [row], request.query.stats))[0];
      },
    ),
  );
}

function changeAndDelete(app: FastifyInstance, options: AppOptions): void {
  const { context } = options;
  const tags = ['buckets'];

  app.route<{ Params: Static<typeof bucketParams>; Body: Static<typeof newBucketBody> }>({
    method: ['PUT', 'PATCH'],
    url: '/bucket/:id',
    schema: { tags, summary: 'Change what the body names', params: bucketParams, body: newBucketBody },
    handler: withCaller<{ Params: Static<typeof bucketParams>; Body: Static<typeof newBucketBody> }>(
      options,
      async (caller, request) => {
        const { id } = request.params;
        const { name = id, id: sameId = id } = request.body;
        if (name !== id || sameId !== id) {
          throw new RowlockError('invalid_request', 'A bucket keeps its name; make another one and move its objects');
        }
        const row = await updateBucket(context, caller, id, changesOf(request.body));
        return { message: 'Successfully updated', ...bucketBody(row) };
      },
    ),
  });

  app.post<{ Params: Static<typeof bucketParams> }>(
    '/bucket/:id/empty',
    { schema: { tags, summary: 'Delete every object of a bucket', params: bucketParams } },
    withCaller<{ Params: Static<typeof bucketParams> }>(options, async (caller, request, reply) => {
      const { deleted, is_empty } = await emptyBucket(context, caller, request.params.id);
      return reply.code(is_empty ? 200 : 202).send({
        message: is_empty ? 'Successfully emptied' : 'Objects are left; call it again',
        deleted,
        is_empty,
      });
    }),
  );

  app.delete<{ Params: Static<typeof bucketParams>; Querystring: Static<typeof deleteQuery> }>(
    '/bucket/:id',
    { schema: { tags, summary: 'Delete an empty bucket', params: bucketParams, querystring: deleteQuery } },
    withCaller<{ Params: Static<typeof bucketParams>; Querystring: Static<typeof deleteQuery> }>(
      options,
      async (caller, request, reply) => {
        await deleteBucket(context, caller, request.params.id, request.query.force === 'true');
        return request.headers['prefer']?.includes('return=minimal')
          ? reply.code(204).send()
          : { message: 'Successfully deleted' };
      },
    ),
  );
}
