/** How the storage fares, over HTTP, for operators with the service role. Probes of the process are `health-routes.ts`. */
import type { FastifyInstance } from 'fastify';
import { showHealth } from '../../operations/show-health.ts';
import type { AppOptions } from '../app-options.ts';
import { withCaller } from '../with-caller.ts';

/** Registers the route of the report below the prefix. */
export function storageHealthRoutes(app: FastifyInstance, options: AppOptions): void {
  app.get(
    '/health',
    {
      schema: {
        tags: ['operations'],
        summary: 'What is kept, by whom, at which cost, and what needs care (service role)',
      },
    },
    withCaller(options, async (caller) => ({
      ...(await showHealth(options.context, caller, options.prices)),
      concerns: options
        .health()
        .filter(({ state }) => state !== 'ok')
        .map(({ is_foreign, ...found }) => (is_foreign ? { ...found, says: 'failed; the log says how' } : found)),
    })),
  );
}
