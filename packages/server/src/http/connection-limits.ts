/**
 * What one connection may cost: bytes of a head, time without progress, connections of the process. It only names the
 * limits; `http-server.ts` and its neighbours keep them. No limit is a total time: a slow phone may upload for days.
 */

export interface ConnectionLimits {
  /** Connections of the process; more are closed as they come. Below any usual limit of open files. */
  readonly connections_max: number;
  /** From the first byte of a request, or the connection, to the end of its head. */
  readonly headers_ms: number;
  /** A connection between two requests. Longer than load balancers keep theirs, which is a minute. */
  readonly keep_alive_ms: number;
  /** No byte either way. */
  readonly idle_ms: number;
  /** A request that waits for its client moves at least `pace_bytes_min` in each `pace_ms`. */
  readonly pace_ms: number;
  readonly pace_bytes_min: number;
  /** The request line and all headers; a header alone too. */
  readonly head_bytes_max: number;
  readonly headers_max: number;
  readonly url_bytes_max: number;
  /** What is read of a body that nobody wants, so that its sender can read why. */
  readonly unread_bytes_max: number;
  readonly unread_ms: number;
}

export const defaultConnectionLimits: ConnectionLimits = {
  connections_max: 10_000,
  headers_ms: 20_000,
  keep_alive_ms: 65_000,
  idle_ms: 120_000,
  pace_ms: 60_000,
  pace_bytes_min: 1024,
  head_bytes_max: 32_768,
  headers_max: 100,
  url_bytes_max: 16_384,
  unread_bytes_max: 262_144,
  unread_ms: 1000,
};

/**
 * Connections that the system keeps until they are accepted; it takes no more than its own limit (net.core.somaxconn). Of
 * those that come at once beyond it, each is tried again only after a second. Node's default is 511.
 */
export const listenBacklog: number = 4096;
