/** Deletes over HTTP, of one name or of many. The bytes go later, by the purge job that the row's trigger enqueues. */
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { deleteNamesMax, deleteObject, deleteObjects } from '../../operations/delete-objects.ts';
import { purgeObjectVersion } from '../../operations/purge-object-version.ts';
import type { AppOptions } from '../app-options.ts';
import { writeConditions } from '../conditions.ts';
import { withCaller } from '../with-caller.ts';
import { versionId } from './version-routes.ts';

const objectParams = Type.Object({ bucket: Type.String(), '*': Type.String() });
const bucketParams = Type.Object({ bucket: Type.String() });
const deleteQuery = Type.Object({ version: Type.Optional(versionId) });
const removeBody = Type.Object({ prefixes: Type.Array(Type.String(), { minItems: 1, maxItems: deleteNamesMax }) });

interface DeleteRoute {
  Params: Static<typeof objectParams>;
  Querystring: Static<typeof deleteQuery>;
}

/** Registers the routes that delete objects. */
export function deleteRoutes(app: FastifyInstance, options: AppOptions): void {
  const { context } = options;
  app.delete<DeleteRoute>(
    '/object/:bucket/*',
    {
      schema: {
        tags: ['objects'],
        summary: 'Delete an object, or purge one of its versions',
        params: objectParams,
        querystring: deleteQuery,
      },
    },
    withCaller<DeleteRoute>(options, async (caller, request, reply) => {
      const { bucket, '*': name } = request.params;
      const { version } = request.query;
      await (version === undefined
        ? deleteObject(context, caller, { bucket, name, ...writeConditions(request) })
        : purgeObjectVersion(context, caller, { bucket, name, version }));
      return request.headers['prefer']?.includes('return=minimal')
        ? reply.code(204).send()
        : { message: 'Successfully deleted' };
    }),
  );
  app.delete<{ Params: Static<typeof bucketParams>; Body: Static<typeof removeBody> }>(
    '/object/:bucket',
    {
      schema: {
        tags: ['objects'],
        summary: 'Delete objects by their exact names',
        params: bucketParams,
        body: removeBody,
      },
    },
    withCaller(options, async (caller, request) =>
      deleteObjects(context, caller, request.params.bucket, request.body.prefixes),
    ),
  );
}
