/**
 * A signer as it is deployed beside others: `rowlock work --queues s3_signer`, a process that works no other queue and
 * listens nowhere. Its store is a folder, or an S3 store that is never reached: presigning asks no store for anything.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type MigratedDatabase, temporaryFolder, until } from '@rowlock/test-harness';
import { keep } from '../measure/kept-processes.ts';
import { stopChild } from './service-process.ts';

export type SignerStore = 'disk' | 's3';

/** A process, when it was begun, in milliseconds since 1970, and how it is ended. */
export interface StartedProcess {
  readonly pid: number;
  readonly at: number;
  stop(): Promise<void>;
}

export interface SignerProcess extends StartedProcess {
  untilReady(): Promise<void>;
}

const program = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url));

/** Nobody listens at the port of `discard`, so a look at the store fails at once. */
const storeSettings: Readonly<Record<SignerStore, Readonly<Record<string, string>>>> = {
  disk: {},
  s3: { BACKEND: 's3', S3_ENDPOINT: 'http://127.0.0.1:9', S3_PUBLIC_BUCKET: 'on', S3_FLAVOUR: 'minio' },
};

/** Begins a process of Node; its output goes into a file. */
export function startNode(args: readonly string[], env: NodeJS.ProcessEnv, log: string): StartedProcess {
  const descriptor = openSync(log, 'w');
  const at = Date.now();
  const child = keep(spawn(process.execPath, args, { env, stdio: ['ignore', descriptor, descriptor] }));
  closeSync(descriptor);
  return { pid: child.pid ?? 0, at, stop: async () => await stopChild(child) };
}

/** Begins a signer; it may not have started yet when this returns. */
export function startSigner(database: MigratedDatabase, store: SignerStore): SignerProcess {
  const folder = temporaryFolder();
  const log = join(folder, 'signer.log');
  const { NODE_OPTIONS: _, ...shell } = process.env;
  const own = {
    WORKER_DATABASE_URL: database.workerUrl,
    STORAGE_ROOT: join(folder, 'blobs'),
    S3_ACCESS_KEY_ID: 'BENCHKEY',
    S3_SECRET_ACCESS_KEY: 'bench-secret-access-key-of-forty-bytes..',
  };
  const started = startNode(
    [program, 'work', '--queues', 's3_signer'],
    { ...shell, ...own, ...storeSettings[store] },
    log,
  );
  const said = (): string => readFileSync(log, 'utf8');
  return {
    ...started,
    untilReady: async () => {
      await until(() => /^ready$/m.test(said()), { timeoutMs: 20_000, what: 'the signer is ready' }).catch((error) => {
        throw new Error(`${String(error)}: ${said()}`);
      });
    },
  };
}
