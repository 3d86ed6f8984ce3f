/**
 * Runs one PostgreSQL server process on a finished cluster, until it is ready
 * and until it is stopped. It neither makes clusters nor knows whose they are.
 * The server listens on the loopback address only, and a terminal's Ctrl-C
 * does not reach it: its owner decides when it stops.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError, failureOf } from './embedded-error.ts';
import { bareEnvironment, type ServerUser, spawnIdentity } from './run-as.ts';

/** How the server process ended. */
export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A server that accepts connections. */
export interface PostgresProcess {
  readonly pid: number;
  readonly port: number;
  readonly exited: Promise<ServerExit>;
  /** Ends the server within about 4.5 s: `fast` rolls back and checkpoints, `immediate` leaves recovery to the next start. */
  stop(mode: 'fast' | 'immediate'): Promise<void>;
  /** Lets this process end while the server runs. */
  unref(): void;
}

/** What a server process needs. */
export interface PostgresOptions {
  readonly program: string;
  readonly folder: string;
  readonly user: ServerUser | undefined;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** Recovery of a large cluster after a crash takes its time. */
const readyTimeoutMs = 120_000;
const freePortAttempts = 5;

/**
 * Starts the server on `port`, or on a free one, and waits until it accepts connections.
 *
 * Raises `port_taken` for a given port only; another process that takes a free
 * one first costs a retry.
 */
export async function startOnPort(options: PostgresOptions, port: number | undefined): Promise<PostgresProcess> {
  if (port !== undefined) return await startProcess(options, port);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startProcess(options, await findFreePort());
    } catch (error) {
      const taken = error instanceof EmbeddedPostgresError && error.reason === 'port_taken';
      if (!taken || attempt === freePortAttempts) throw error;
    }
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  return await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

async function startProcess(options: PostgresOptions, port: number): Promise<PostgresProcess> {
  const child = spawn(options.program, serverArguments(options, port), {
    ...spawnIdentity(options.user),
    cwd: '/',
    detached: true,
    env: bareEnvironment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lastWords = collectLog(child, options.log);
  const exited = exitOf(child, 'exit');
  const closed = exitOf(child, 'close');
  const stop = async (mode: 'fast' | 'immediate'): Promise<void> => await stopChild(child, exited, mode);
  try {
    await untilReady(options, child);
  } catch (error) {
    await stop('immediate');
    throw error;
  }
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
    await closed;
    throw startFailure(options.folder, port, lastWords.join('\n'));
  }
  const unref = (): void => {
    child.unref();
    (child.stderr as unknown as { unref(): void }).unref();
  };
  return { pid: child.pid, port, exited, stop, unref };
}

/** Ours come last, so that no setting can open the server to others. */
function serverArguments(options: PostgresOptions, port: number): readonly string[] {
  const own = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    log_destination: 'stderr',
    logging_collector: 'off',
  };
  const settings = Object.entries({ ...options.settings, ...own });
  return ['-D', options.folder, '-p', String(port), ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** Passes every line of the server's log on and keeps the last ones for an error message. */
function collectLog(child: ChildProcess, log: (line: string) => void): readonly string[] {
  const lastWords: string[] = [];
  if (child.stderr === null) return lastWords;
  createInterface({ input: child.stderr }).on('line', (line) => {
    lastWords.push(line);
    if (lastWords.length > 40) lastWords.shift();
    log(line);
  });
  return lastWords;
}

/** `exit` comes as soon as the server ends, `close` only after its log was read to the end. */
async function exitOf(child: ChildProcess, event: 'exit' | 'close'): Promise<ServerExit> {
  return await new Promise<ServerExit>((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once(event, (code, signal) => resolve({ code, signal }));
  });
}

/** Waits until the server has written into its pid file that it is ready, or until it has ended. */
async function untilReady(options: PostgresOptions, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  while (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    options.signal?.throwIfAborted();
    if (Date.now() > deadline) throw notReady(options.folder);
    const lines = await readFile(join(options.folder, 'postmaster.pid'), 'utf8').then(
      (text) => text.split('\n'),
      () => [],
    );
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return;
    await delay(10);
  }
}

function notReady(folder: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'server_failed',
    `PostgreSQL did not become ready on ${folder} within ${readyTimeoutMs / 1000} s. Start again to let it finish recovering.`,
  );
}

function startFailure(folder: string, port: number, output: string): EmbeddedPostgresError {
  if (/could not bind|Address already in use|could not create any TCP\/IP sockets/.test(output)) {
    return new EmbeddedPostgresError(
      'port_taken',
      `Port ${port} on 127.0.0.1 is taken, so PostgreSQL cannot listen there. Give another port, or none to have a free one chosen.`,
    );
  }
  return failureOf('PostgreSQL', folder, output);
}

async function stopChild(child: ChildProcess, exited: Promise<ServerExit>, mode: 'fast' | 'immediate'): Promise<void> {
  child.ref();
  const steps = [
    { signal: 'SIGINT', waitMs: 3_000 },
    { signal: 'SIGQUIT', waitMs: 1_000 },
    { signal: 'SIGKILL', waitMs: 10_000 },
  ] as const;
  for (const { signal, waitMs } of mode === 'fast' ? steps : steps.slice(1)) {
    child.kill(signal);
    const timer = new AbortController();
    const late = delay(waitMs, 'late', { signal: timer.signal }).catch(() => 'late');
    const outcome = await Promise.race([exited, late]);
    timer.abort();
    if (outcome !== 'late') return;
  }
}
