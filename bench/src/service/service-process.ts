/**
 * The service as it is deployed, in a process of its own: `rowlock serve --with-workers` with default options, beside a
 * migrated database. It is asked over HTTP and over SQL only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, jwtSecret, type MigratedDatabase, signToken, temporaryFolder, until } from '@rowlock/test-harness';
import type { BenchContext } from '../measure/benchmark.ts';
import { keep } from '../measure/kept-processes.ts';
import { keepStatements, startCountingStatements, summariseProfiles } from '../measure/profile.ts';

export interface BenchService {
  readonly port: number;
  readonly pid: number;
  readonly database: MigratedDatabase;
  /** Folder of the bytes. */
  readonly root: string;
  /** `authorization` of a caller who may do everything in the bucket `bench`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Stops the service, drops its database, and keeps its profile where one was asked for. */
  stop(): Promise<void>;
}

const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));

/** Starts the service. `name` is what its profile is called; `env` is what it has besides its defaults. */
export async function startBenchService(
  context: BenchContext,
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<BenchService> {
  const postgres = await context.postgres();
  const database = await postgres.createDatabase();
  const folder = temporaryFolder();
  const root = join(folder, 'blobs');
  const port = await freePort();
  const { profileFolder } = context;
  if (profileFolder !== undefined) await startCountingStatements(postgres, database);
  const flags = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profileFolder, name)}`];
  const log = join(folder, 'service.log');
  const descriptor = openSync(log, 'w');
  const child = keep(
    spawn(process.execPath, [...flags, program, 'serve', '--with-workers'], {
      env: { ...environment({ database, root, port }), ...env },
      stdio: ['ignore', descriptor, descriptor],
    }),
  );
  closeSync(descriptor);
  await untilReady(child, log).catch(async (error: unknown) => {
    await stopChild(child);
    await database.drop();
    throw error;
  });
  await database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('bench', 'ann')");
  return {
    port,
    pid: child.pid ?? 0,
    database,
    root,
    headers: { authorization: `Bearer ${await signToken({ sub: 'ann', role: 'authenticated' })}` },
    async stop() {
      await stopChild(child);
      if (profileFolder !== undefined) {
        await keepStatements(postgres, database, join(profileFolder, name));
        summariseProfiles(profileFolder, name);
      }
      await database.drop();
    },
  };
}

async function untilReady(child: ChildProcess, log: string): Promise<void> {
  await until(
    () => {
      const text = readFileSync(log, 'utf8');
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`The service has ended: ${text}`);
      return /^ready /m.test(text);
    },
    { timeoutMs: 30_000, what: 'the service is ready' },
  );
}

function environment(of: {
  readonly database: MigratedDatabase;
  readonly root: string;
  readonly port: number;
}): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return {
    ...env,
    API_DATABASE_URL: of.database.apiUrl,
    WORKER_DATABASE_URL: of.database.workerUrl,
    STORAGE_ROOT: of.root,
    PORT: String(of.port),
    JWT_SECRET: jwtSecret,
    SIGNED_URL_SECRET: `${jwtSecret}-of-signed-urls`,
    S3_ACCESS_KEY_ID: 'BENCHKEY',
    S3_SECRET_ACCESS_KEY: 'bench-secret-access-key-of-forty-bytes..',
  };
}

/** Ends a process that we started, at the latest after ten seconds. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  child.kill('SIGTERM');
  await exited;
  clearTimeout(timer);
}
