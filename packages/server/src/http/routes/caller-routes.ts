/** Who the service takes a caller for, as JSON. It tells everybody of themselves only. */
import type { FastifyInstance } from 'fastify';
import { showCaller } from '../../operations/show-caller.ts';
import type { AppOptions } from '../app-options.ts';
import { withCaller } from '../with-caller.ts';

/** Registers the route that says who asks. */
export function callerRoutes(app: FastifyInstance, options: AppOptions): void {
  app.get(
    '/caller',
    { schema: { tags: ['access'], summary: 'Show who the caller is' } },
    withCaller(options, async (caller) => showCaller(options.context, caller)),
  );
}
