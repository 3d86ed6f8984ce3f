/**
 * The routes that an application really has, as its router is told them, described or not: what a matrix of routes must
 * be complete against. It asks nothing of any route. Invariant: a route that is added anywhere is in the table.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** What the framework says of a route when it gets one. */
interface AddedRoute {
  readonly method: string | readonly string[];
  readonly url: string;
}

interface Initialized {
  readonly fastify: { addHook(name: 'onRoute', hook: (route: AddedRoute) => void): void };
}

/** Starts an application, and returns it with its routes in the spelling `get /storage/v1/bucket/{id}`. */
export async function withRouteTable<T>(
  start: () => Promise<T>,
): Promise<{ readonly started: T; readonly routes: readonly string[] }> {
  const routes = new Set<string>();
  const onRoute = ({ method, url }: AddedRoute): void => {
    const path = url.replaceAll(/:(\w+)/g, '{$1}').replace(/\*$/, '{*}');
    for (const each of [method].flat()) routes.add(`${each.toLowerCase()} ${path}`);
  };
  const onInitialized = (message: unknown): void => (message as Initialized).fastify.addHook('onRoute', onRoute);
  subscribe('fastify.initialization', onInitialized);
  try {
    const started = await start();
    return { started, routes: [...routes].sort() };
  } finally {
    unsubscribe('fastify.initialization', onInitialized);
  }
}
