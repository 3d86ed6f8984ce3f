/**
 * Finds a port on the loopback address that nothing listens on. It does not
 * reserve it: where a server can listen on port 0 itself, let it.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what Linux and macOS give to outgoing connections, so that none of these takes the port meanwhile. */
const candidates = { from: 10_000, to: 32_000 };
const attempts = 100;

/**
 * Returns a port on 127.0.0.1 that was free a moment ago; so were the ports that lie as much higher as `alsoFree` says.
 * @throws Error where a hundred were tried in vain
 */
export async function freePort({ alsoFree = [] }: { readonly alsoFree?: readonly number[] } = {}): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = randomInt(candidates.from, candidates.to);
    const free = await Promise.all([0, ...alsoFree].map((offset) => isFree(port + offset)));
    if (free.every(Boolean)) return port;
  }
  throw new Error(`${attempts} ports of 127.0.0.1 were tried, and none was free`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
