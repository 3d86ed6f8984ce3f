/**
 * What only a process that serves needs, loaded when it is asked for: a command or a worker that does not serve starts
 * sooner without it. It makes and decides nothing itself.
 */
import type { ServerConfig } from './config.ts';
import type { Metrics } from './metrics.ts';
import type { RunningServer, ServerParts } from './server.ts';

/**
 * Starts the API. Resolves when it can serve.
 *
 * @throws Error with code EADDRINUSE where the port is taken
 */
export async function createServer(config: ServerConfig, parts: ServerParts = {}): Promise<RunningServer> {
  const server = await import('./server.ts');
  return await server.createServer(config, parts);
}

/** Metrics of one process, for its server and its worker. */
export async function createMetrics(): Promise<Metrics> {
  const metrics = await import('./metrics.ts');
  return metrics.createMetrics();
}
