/**
 * One listener for several host names: each request goes to who answers for its host. It judges no request; whether a host is
 * one that is served, and named once, who answers decides. Nothing but the `Host` header is looked at.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

export type HandleRequest = (request: IncomingMessage, response: ServerResponse) => void;

/** Who answers, by host name in lower case, without a port. */
export type HostRoutes = ReadonlyMap<string, HandleRequest>;

/** The handler of a request's own host where it has one, else `others`. */
export function byHost(hosts: HostRoutes | undefined, others: HandleRequest): HandleRequest {
  if (hosts === undefined) return others;
  return (request, response) => {
    const name = request.headers.host?.replace(/:\d{1,5}$/, '').toLowerCase() ?? '';
    (hosts.get(name) ?? others)(request, response);
  };
}
