/**
 * From which address a request comes: that of its connection, or what a proxy says that was configured as one. A header
 * that anybody can send means nothing unless it came through such a proxy.
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { plainAddress, rangeMatcher } from '../domain/address-ranges.ts';

/** More proxies than this stand behind each other nowhere. */
const hopsMax = 16;

/**
 * Makes the function that tells a client's address, as plain IPv4 or IPv6; empty for a connection that is closed already.
 * Of `X-Forwarded-For` it believes what trusted proxies appended, from the right, up to the first address that is none.
 */
export function clientAddresses(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  const isTrusted = rangeMatcher(trustedProxies);
  return ({ socket, headers }) => {
    let address = plainAddress(socket.remoteAddress ?? '');
    if (trustedProxies.length === 0) return address;
    const header = headers['x-forwarded-for'] ?? '';
    const hops = (typeof header === 'string' ? header : header.join(',')).split(',').slice(-hopsMax);
    while (isTrusted(address)) {
      const hop = addressOf(hops.pop() ?? '');
      if (hop === undefined) return address;
      address = hop;
    }
    return address;
  };
}

/** One entry: an address, perhaps with a port. */
function addressOf(entry: string): string | undefined {
  const text = entry.trim();
  const bare = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text;
  return isIP(bare) === 0 ? undefined : plainAddress(bare);
}
