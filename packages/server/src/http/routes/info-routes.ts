/** What is known of objects, as JSON: no bytes, and nothing that the caller's policies hide. */
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { normaliseObjectName } from '../../domain/names.ts';
import { describeObject } from '../../operations/describe-object.ts';
import { infoNamesMax, listInfos } from '../../operations/list-infos.ts';
import { findObject, type ObjectInfoRow } from '../../operations/read-object.ts';
import { type ImageFactsRow, showImageFacts } from '../../operations/show-image-facts.ts';
import type { AppOptions } from '../app-options.ts';
import { consistentContext } from '../consistency.ts';
import { withCaller } from '../with-caller.ts';

const objectParams = Type.Object({ bucket: Type.String(), '*': Type.String() });
const bucketParams = Type.Object({ bucket: Type.String() });
const namesBody = Type.Object({ names: Type.Array(Type.String(), { minItems: 1, maxItems: infoNamesMax }) });

const uuid = Type.String({ pattern: '^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' });
const descriptionBody = Type.Object(
  {
    metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    cache_control: Type.Optional(Type.String({ pattern: '^[ -~]{1,255}$' })),
    version: Type.Optional(uuid),
  },
  { minProperties: 1 },
);

function infoBody(bucket: string, name: string, row: ObjectInfoRow): Record<string, unknown> {
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
}

/** A position is apart from the rest: it may be hidden where the rest is not. */
function factsBody(row: ImageFactsRow): Record<string, unknown> {
  const { version_id, location_state, latitude, longitude, altitude, accuracy, read_at, ...facts } = row;
  const isRead = read_at !== null && read_at !== undefined;
  return {
    version: version_id,
    ...facts,
    read_at: read_at ?? null,
    location: { state: location_state ?? (isRead ? 'hidden' : null), latitude, longitude, altitude, accuracy },
  };
}

function describeRoutes(app: FastifyInstance, options: AppOptions): void {
  type Described = { Params: Static<typeof objectParams>; Body: Static<typeof descriptionBody> };
  const tags = ['objects'];
  app.patch<Described>(
    '/object/info/:bucket/*',
    {
      schema: {
        tags,
        summary: 'Change what is said of an object besides its bytes',
        params: objectParams,
        body: descriptionBody,
      },
    },
    withCaller<Described>(options, async (caller, request) => {
      const { bucket, '*': name } = request.params;
      const { metadata, cache_control, version } = request.body;
      const said = { user_metadata: metadata, cache_control };
      const row = await describeObject(options.context, caller, { bucket, name, version }, said);
      return infoBody(bucket, normaliseObjectName(name), row);
    }),
  );
  app.get<{ Params: Static<typeof objectParams> }>(
    '/object/facts/:bucket/*',
    { schema: { tags, summary: 'Show what an image says of itself', params: objectParams } },
    withCaller<{ Params: Static<typeof objectParams> }>(options, async (caller, request) => {
      const { bucket, '*': name } = request.params;
      return factsBody(await showImageFacts(options.context, caller, { bucket, name }));
    }),
  );
}

/** Registers the routes that show objects without their bytes, and the one that changes what is said of them. */
export function infoRoutes(app: FastifyInstance, options: AppOptions): void {
  const info = (publicOnly: boolean) =>
    withCaller<{ Params: Static<typeof objectParams> }>(options, async (caller, request) => {
      const { bucket, '*': rawName } = request.params;
      const name = normaliseObjectName(rawName);
      const row = await findObject(consistentContext(options.context, request), caller, {
        bucket,
        name,
        publicOnly,
        operation: 'storage.object.info',
      });
      return infoBody(bucket, name, row);
    });
  const schema = { tags: ['objects'], summary: 'Show what is known of an object', params: objectParams };
  describeRoutes(app, options);
  app.get('/object/info/:bucket/*', { schema }, info(false));
  app.get('/object/info/authenticated/:bucket/*', { schema }, info(false));
  app.get('/object/info/public/:bucket/*', { schema }, info(true));
  app.post<{ Params: Static<typeof bucketParams>; Body: Static<typeof namesBody> }>(
    '/object/info/:bucket',
    {
      schema: {
        tags: ['objects'],
        summary: 'Show what is known of many objects',
        params: bucketParams,
        body: namesBody,
      },
    },
    withCaller<{ Params: Static<typeof bucketParams>; Body: Static<typeof namesBody> }>(
      options,
      async (caller, request) => {
        const { bucket } = request.params;
        const found = await listInfos(options.context, caller, bucket, request.body.names);
        return found.map(({ name, row }) =>
          row === undefined ? { name, error: 'Object not found' } : { error: null, ...infoBody(bucket, name, row) },
        );
      },
    ),
  );
}
