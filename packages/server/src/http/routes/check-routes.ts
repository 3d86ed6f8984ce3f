/** What scanners and other jobs found in an object, for its owner, the owner of its bucket and the service. */
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { listChecks } from '../../operations/list-checks.ts';
import type { AppOptions } from '../app-options.ts';
import { withCaller } from '../with-caller.ts';

const objectParams = Type.Object({ bucket: Type.String(), '*': Type.String() });

/** Registers the route of checks. */
export function checkRoutes(app: FastifyInstance, options: AppOptions): void {
  app.get<{ Params: Static<typeof objectParams> }>(
    '/object/checks/:bucket/*',
    { schema: { tags: ['objects'], summary: 'Show what scanners and other jobs found', params: objectParams } },
    withCaller<{ Params: Static<typeof objectParams> }>(options, async (caller, request) => {
      const { bucket, '*': name } = request.params;
      const checks = await listChecks(options.context, caller, { bucket, name });
      return checks.map(({ version_id, ...check }) => ({ version: version_id, ...check }));
    }),
  );
}
