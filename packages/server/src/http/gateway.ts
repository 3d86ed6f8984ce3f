/**
 * Puts the gateway where it is reached: on a listener of its own, or as what the server's listener answers for one host name.
 * What it does with requests is in `gateway-app.ts`.
 */
import type { FastifyInstance } from 'fastify';
import type { HostRoutes } from './by-host.ts';
import { listenBacklog } from './connection-limits.ts';
import { createGatewayApp, type GatewayAppOptions } from './gateway-app.ts';

export interface GatewayConfig {
  /** Origins of the pages that may begin sessions, such as `https://app.example.com`. */
  readonly origins: readonly string[];
  /** The host name that is answered: on the server's own listener where no port is given. */
  readonly hostname?: string | undefined;
  /** The port of a listener of its own; 0 for any that is free. */
  readonly port?: number | undefined;
  /** The address of that listener; the server's unless given. */
  readonly host?: string | undefined;
}

/** What the gateway takes over from the server. */
export interface GatewayServer {
  /** The address that the server listens on. */
  readonly host: string;
  /** What applications call the bucket of files: the buckets of our stores. */
  readonly filesBuckets: readonly string[];
}

export interface Gateway {
  readonly app: FastifyInstance;
  /** What the server's listener leaves to it; undefined with a listener of its own. */
  readonly hosts: HostRoutes | undefined;
  /** Begins to listen, where it has a listener; the base of its URLs. */
  listen(): Promise<string | undefined>;
}

/** @throws TypeError where it has neither port nor host name, or for an origin that no browser sends, such as `*` */
export function assertGateway(gateway: GatewayConfig | undefined): void {
  if (gateway === undefined) return;
  if (gateway.port === undefined && gateway.hostname === undefined) {
    throw new TypeError('the gateway has neither a port nor a host name of its own');
  }
  const wrong = gateway.origins.find((origin) => !isWebOrigin(origin));
  if (wrong !== undefined) {
    throw new TypeError(`the gateway's origin "${wrong}" is none: write it as https://app.example.com`);
  }
}

/** Makes the gateway that is configured; it does not listen yet. */
export async function openGateway(
  gateway: GatewayConfig | undefined,
  { host, filesBuckets }: GatewayServer,
  options: Omit<GatewayAppOptions, 'origins' | 'filesBuckets'>,
): Promise<Gateway | undefined> {
  if (gateway === undefined) return undefined;
  const { origins, port } = gateway;
  const hostname = gateway.hostname?.toLowerCase();
  const isShared = port === undefined && hostname !== undefined;
  // Of a shared listener nothing else comes here.
  const ownHosts = isShared ? [] : hostname === undefined ? options.allowedHosts : [hostname];
  const app = await createGatewayApp({ ...options, origins, filesBuckets, allowedHosts: ownHosts });
  await app.ready();
  return {
    app,
    hosts: isShared ? new Map([[hostname, (request, response) => app.routing(request, response)]]) : undefined,
    listen: async () =>
      isShared ? undefined : app.listen({ host: gateway.host ?? host, port: port ?? 0, backlog: listenBacklog }),
  };
}

/** Whether a text is what a browser sends as `Origin` of a page. */
function isWebOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
