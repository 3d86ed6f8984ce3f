/** Move and copy over HTTP, of one object or of a folder. No byte passes: each is one statement, whatever the size. */
import { RowlockError } from '@rowlock/client/contract';
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type CopiedMetadata, copyObject } from '../../operations/copy-object.ts';
import { copyFolder, deleteFolder, type FolderRequest, moveFolder } from '../../operations/folder-operations.ts';
import { moveObject, type RelocatedObject, type RelocationRequest } from '../../operations/move-object.ts';
import type { AppOptions } from '../app-options.ts';
import { writeConditions } from '../conditions.ts';
import { asPrecondition, headerMetadata, upsertAsked, wantsFreeName } from '../upload-headers.ts';
import { withCaller } from '../with-caller.ts';

const uuid = Type.String({ pattern: '^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' });
const moveBody = Type.Object({
  bucketId: Type.String(),
  sourceKey: Type.String(),
  destinationBucket: Type.Optional(Type.String()),
  destinationKey: Type.String(),
  sourceVersionId: Type.Optional(uuid),
});
const copyBody = Type.Composite([
  moveBody,
  Type.Object({
    copyMetadata: Type.Optional(Type.Boolean()),
    metadata: Type.Optional(
      Type.Object({ cacheControl: Type.Optional(Type.String()), mimetype: Type.Optional(Type.String()) }),
    ),
  }),
]);
const folderBody = Type.Object({
  bucketId: Type.String(),
  sourcePrefix: Type.String(),
  destinationBucket: Type.Optional(Type.String()),
  destinationPrefix: Type.String(),
});
const deleteBody = Type.Object({ bucketId: Type.String(), prefix: Type.String({ minLength: 1 }) });

/** The conditions: If-Match is for the source, If-None-Match for what has the new name. */
function relocation(request: FastifyRequest, body: Static<typeof moveBody>): RelocationRequest {
  const { ifMatch, ifNoneMatch } = writeConditions(request);
  const isFree = wantsFreeName(request);
  return {
    bucket: body.bucketId,
    name: body.sourceKey,
    targetBucket: body.destinationBucket ?? body.bucketId,
    targetName: body.destinationKey,
    overwrite: !isFree && upsertAsked(request) === true,
    sourceVersion: body.sourceVersionId,
    ifMatch,
    ifNoneMatch,
  };
}

function folders(body: Static<typeof folderBody>): FolderRequest {
  return {
    bucket: body.bucketId,
    prefix: body.sourcePrefix,
    targetBucket: body.destinationBucket ?? body.bucketId,
    targetPrefix: body.destinationPrefix,
  };
}

/** What a copy has of its own where it does not take its source's. @throws RowlockError `invalid_request` */
function givenMetadata(request: FastifyRequest, body: Static<typeof copyBody>): CopiedMetadata | undefined {
  if (body.copyMetadata !== false) {
    return undefined;
  }
  if (body.metadata?.mimetype !== undefined) {
    throw new RowlockError('invalid_request', 'A copy has the bytes of its source, and their type');
  }
  const userMetadata = headerMetadata(request);
  const cacheControl = body.metadata?.cacheControl;
  return {
    ...(cacheControl === undefined ? {} : { cache_control: cacheControl }),
    ...(userMetadata === undefined ? {} : { user_metadata: userMetadata }),
  };
}

function relocated({ sha256, ...object }: RelocatedObject): Record<string, unknown> {
  return {
    Id: object.id,
    Key: `${object.bucket_id}/${object.name}`,
    ...object,
    sha256: sha256?.toString('hex') ?? null,
  };
}

function objectMoves(app: FastifyInstance, options: AppOptions): void {
  const { context } = options;
  const tags = ['objects'];
  app.post<{ Body: Static<typeof moveBody> }>(
    '/object/move',
    { schema: { tags, summary: 'Give an object another name or bucket', body: moveBody } },
    withCaller<{ Body: Static<typeof moveBody> }>(options, async (caller, request) => {
      const moved = await moveObject(context, caller, relocation(request, request.body)).catch((error: unknown) => {
        throw asPrecondition(request, error);
      });
      return { message: 'Successfully moved', ...relocated(moved) };
    }),
  );
  app.post<{ Body: Static<typeof copyBody> }>(
    '/object/copy',
    { schema: { tags, summary: 'Copy an object', body: copyBody } },
    withCaller<{ Body: Static<typeof copyBody> }>(options, async (caller, request) => {
      const metadata = givenMetadata(request, request.body);
      const { created, ...copied } = await copyObject(context, caller, {
        ...relocation(request, request.body),
        metadata,
      }).catch((error: unknown) => {
        throw asPrecondition(request, error);
      });
      return { created, ...relocated(copied) };
    }),
  );
}

/** Registers the routes that move and copy objects, and those of whole folders. */
export function moveRoutes(app: FastifyInstance, options: AppOptions): void {
  const { context } = options;
  const tags = ['folders'];
  objectMoves(app, options);
  app.post<{ Body: Static<typeof folderBody> }>(
    '/object/move-prefix',
    { schema: { tags, summary: 'Move everything below a prefix', body: folderBody } },
    withCaller<{ Body: Static<typeof folderBody> }>(options, (caller, request) =>
      moveFolder(context, caller, folders(request.body)),
    ),
  );
  app.post<{ Body: Static<typeof folderBody> }>(
    '/object/copy-prefix',
    { schema: { tags, summary: 'Copy everything below a prefix', body: folderBody } },
    withCaller<{ Body: Static<typeof folderBody> }>(options, async (caller, request) => ({
      copied: await copyFolder(context, caller, folders(request.body)),
    })),
  );
  app.post<{ Body: Static<typeof deleteBody> }>(
    '/object/delete-prefix',
    { schema: { tags, summary: 'Delete everything below a prefix', body: deleteBody } },
    withCaller<{ Body: Static<typeof deleteBody> }>(options, (caller, request) =>
      deleteFolder(context, caller, request.body.bucketId, request.body.prefix),
    ),
  );
}
