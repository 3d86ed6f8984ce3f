/** Who may do what, and which policy says so, for the service role: the rules themselves are the database's. */
import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { explainAccess, listPolicies } from '../../operations/explain-access.ts';
import type { AppOptions } from '../app-options.ts';
import { withCaller } from '../with-caller.ts';

const explainBody = Type.Object({
  role: Type.String({ minLength: 1, maxLength: 63 }),
  subject: Type.Optional(Type.String({ maxLength: 1024 })),
  claims: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  bucket: Type.String({ maxLength: 100 }),
  name: Type.String({ maxLength: 4096 }),
});

/** Registers the routes that explain access. */
export function accessRoutes(app: FastifyInstance, options: AppOptions): void {
  const { context, rules } = options;
  const tags = ['access'];
  app.post<{ Body: Static<typeof explainBody> }>(
    '/access/explain',
    {
      schema: {
        tags,
        summary: 'Explain what a caller may do with an object, and which policies say so (service role)',
        body: explainBody,
      },
    },
    withCaller(options, async (caller, request) => explainAccess(context, caller, request.body, rules.allowed_roles)),
  );
  app.get(
    '/access/policies',
    { schema: { tags, summary: 'Show the policies as SQL (service role)' } },
    withCaller(options, async (caller) => ({
      roles: rules.allowed_roles,
      policies: await listPolicies(context, caller),
    })),
  );
}
