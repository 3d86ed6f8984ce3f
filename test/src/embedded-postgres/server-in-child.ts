/**
 * Starts embedded servers in processes of their own, which tests can kill, run
 * as other users and run from other clones. It judges nothing. A child that a
 * test forgets ends with the test process, and its server with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import pg from 'pg';

/** What the child passes to `startEmbeddedPostgres`. */
export interface ServerOptions {
  readonly dataDir: string;
  readonly port?: number;
  readonly ephemeral?: boolean;
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  readonly systemFolders?: readonly string[];
}

/** Where and as whom the child runs. */
export interface ChildOptions {
  /** The clone whose code runs; ours if not given. */
  readonly clone?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** A program and its arguments that run node in their turn. */
  readonly through?: readonly string[];
}

/** What a child says of its server. */
export interface ServerFacts {
  readonly url: string;
  readonly port: number;
  readonly password: string;
  readonly pid: number;
  readonly dataDir: string;
}

/** A child whose server accepts connections. */
export interface ServerChild extends ServerFacts {
  readonly process: ChildProcess;
  /** Stops the server and waits until the child has ended by itself. */
  stop(): Promise<void>;
  /** Kills the child, which can stop nothing any more, and waits until it is gone. */
  kill(): Promise<void>;
}

/** The error of a start that failed in a child. */
export class ChildStartError extends Error {
  readonly reason: string | undefined;

  constructor(message: string, reason: string | undefined) {
    super(message);
    this.reason = reason;
  }
}

/** Settings of servers whose data is worth nothing, to spare the disk. */
export const careless: Readonly<Record<string, string>> = { fsync: 'off', full_page_writes: 'off' };

const ownRoot = fileURLToPath(new URL('../../..', import.meta.url));

const program = `
const { startEmbeddedPostgres } = await import(process.argv[1]);
const tell = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
try {
  const server = await startEmbeddedPostgres(JSON.parse(process.argv[2]));
  const { url, port, password, pid, dataDir } = server;
  tell({ facts: { url, port, password, pid, dataDir } });
  for await (const _ of process.stdin);
  await server.stop();
} catch (error) {
  tell({ failure: { message: String(error.stack), reason: error.reason } });
  process.exitCode = 1;
}`;

/** Starts a child without waiting for its server. Its first line of output says how that went. */
export function spawnServer(server: ServerOptions, options: ChildOptions = {}): ChildProcess {
  const clone = options.clone ?? ownRoot;
  const module = join(clone, 'packages', 'cli', 'dist', 'dev', 'embedded', 'embedded-postgres.js');
  const args = ['--input-type=module', '-e', program, pathToFileURL(module).href, JSON.stringify(server)];
  const [command = process.execPath, ...first] = [...(options.through ?? []), process.execPath];
  return spawn(command, [...first, ...args], {
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
}

/** Starts a server in a child; raises ChildStartError with the reason if it does not start. */
export async function startServer(server: ServerOptions, options: ChildOptions = {}): Promise<ServerChild> {
  const child = spawnServer(server, options);
  const exited = once(child, 'exit');
  const facts = await factsOf(child);
  return {
    ...facts,
    process: child,
    stop: async () => {
      child.stdin?.end();
      await exited;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function factsOf(child: ChildProcess): Promise<ServerFacts> {
  if (child.stdout === null) throw new Error('The child has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const { facts, failure } = JSON.parse(line) as {
      facts?: ServerFacts;
      failure?: { message: string; reason?: string };
    };
    if (facts !== undefined) return facts;
    throw new ChildStartError(failure?.message ?? line, failure?.reason);
  }
  throw new Error('The child ended without a word');
}

/** Runs statements on the server, one after the other, and returns the rows of the last. */
export async function sql(url: string, ...statements: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) rows = (await client.query<Record<string, unknown>>(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}
