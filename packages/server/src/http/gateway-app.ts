/**
 * The gateway: an application of its own, on a listener or a host name of its own, that answers where a deployed application
 * expects its S3 store. It serves bytes and begins and ends sessions; no other route of ours is reached through it, and its
 * cookie means nothing anywhere else.
 */
import type { FastifyInstance } from 'fastify';
import { createEdge, type EdgeOptions } from './edge.ts';
import { type GatewayRouteOptions, gatewayRoutes } from './routes/gateway-routes.ts';

export type GatewayAppOptions = EdgeOptions & GatewayRouteOptions;

/** Builds the gateway; it does not listen yet. */
export async function createGatewayApp(options: GatewayAppOptions): Promise<FastifyInstance> {
  const app = await createEdge(options, {
    cors: {
      // With credentials, and so for exactly these.
      origin: async (origin: string | undefined) => origin !== undefined && options.origins.includes(origin) && origin,
      credentials: true,
      methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    },
  });
  gatewayRoutes(app, options);
  return app;
}
