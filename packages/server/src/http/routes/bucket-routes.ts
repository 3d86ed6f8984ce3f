/** Buckets over HTTP. Bodies are read in both spellings and answered in both. */
import { RowlockError } from '@rowlock/client/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { BucketRow, NewBucket } from '../../operations/manage-buckets.ts';
import { createBucket, deleteBucket, getBucket, listBuckets } from '../../operations/manage-buckets.ts';
import type { AppOptions } from '../app-options.ts';
import { withCaller } from '../with-caller.ts';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Optional(Type.Union([schema, Type.Null()]));

const newBucketBody = Type.Object({
  name: Type.Optional(Type.String()),
  id: Type.Optional(Type.String()),
  policy: Type.Optional(Type.Union([Type.Literal('private'), Type.Literal('public'), Type.Literal('authenticated')])),
  public: Type.Optional(Type.Boolean()),
  file_size_limit: nullable(Type.Union([Type.Integer({ minimum: 0 }), Type.String()])),
  max_file_size: nullable(Type.Union([Type.Integer({ minimum: 0 }), Type.String()])),
  allowed_mime_types: nullable(Type.Array(Type.String({ maxLength: 255 }), { maxItems: 200 })),
  overwrite: Type.Optional(Type.Union([Type.Literal('allow'), Type.Literal('deny')])),
});

const bucketParams = Type.Object({ id: Type.String() });
/** Queries are texts; nothing is coerced, in queries or in bodies. */
const page = Type.Object({
  limit: Type.String({ pattern: '^[1-9]\\d{0,2}$|^1000$', default: '1000' }),
  offset: Type.String({ pattern: '^\\d{1,7}$', default: '0' }),
});

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

function newBucket(body: Static<typeof newBucketBody>): NewBucket {
  const name = body.name ?? body.id;
  if (name === undefined || (body.id !== undefined && body.id !== name)) {
    throw new RowlockError('invalid_bucket_name', 'A bucket needs a name; an id, when given, must be the same');
  }
  const policy = body.policy ?? (body.public ? 'public' : 'private');
  if (body.public !== undefined && body.public !== (policy === 'public')) {
    throw new RowlockError('invalid_request', `"public": ${body.public} does not agree with "policy": "${policy}"`);
  }
  return {
    name,
    policy,
    file_size_limit: sizeLimit(body.file_size_limit ?? body.max_file_size),
    allowed_mime_types: body.allowed_mime_types ?? null,
    overwrite: body.overwrite ?? 'allow',
  };
}

/** The answer in both spellings. */
function bucketBody(row: BucketRow): Record<string, unknown> {
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
    overwrite: row.overwrite,
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}

/** Registers the bucket routes below the prefix. */
export function bucketRoutes(app: FastifyInstance, options: AppOptions): void {
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
    withCaller(options, async (caller, request) =>
      (
        await listBuckets(context, caller, { limit: Number(request.query.limit), offset: Number(request.query.offset) })
      ).map(bucketBody),
    ),
  );

  app.get<{ Params: Static<typeof bucketParams> }>(
    '/bucket/:id',
    { schema: { tags, summary: 'Show a bucket', params: bucketParams } },
    withCaller(options, async (caller, request) => bucketBody(await getBucket(context, caller, request.params.id))),
  );

  app.delete<{ Params: Static<typeof bucketParams> }>(
    '/bucket/:id',
    { schema: { tags, summary: 'Delete an empty bucket', params: bucketParams } },
    withCaller(options, async (caller, request, reply) => {
      await deleteBucket(context, caller, request.params.id);
      return request.headers['prefer']?.includes('return=minimal')
        ? reply.code(204).send()
        : { message: 'Successfully deleted' };
    }),
  );
}
