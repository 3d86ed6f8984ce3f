/**
 * Provides the real S3 store that tests use: one Ceph with its RADOS gateway. The suite has one for all its processes,
 * started by the first that asks; a test file that is run alone starts its own. Its data never outlives the run, and
 * every caller makes buckets of its own.
 */
import { execFile, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { until } from './until.ts';

const script = fileURLToPath(new URL('../../tools/ceph-rgw', import.meta.url));
const run = promisify(execFile);

/** It takes 13 s where nothing else runs. */
const startMs = 120_000;

export interface CephStore {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly access_key_id: string; readonly secret_access_key: string };
  /** Makes an empty bucket and returns its name. */
  newBucket(): Promise<string>;
}

const region = 'us-east-1';
const credentials = { access_key_id: 'rowlockkey', secret_access_key: 'rowlocksecret' };

let store: Promise<CephStore> | undefined;

/** Returns the store, started now if it was not. Guard the test with `requires('ceph')`. */
export async function cephStore(): Promise<CephStore> {
  store ??= found();
  return await store;
}

/** Stops what the processes of a run have started in their folder. */
export function stopCeph(folder: string): void {
  if (existsSync(join(folder, 'out'))) spawnSync(script, ['down', folder]);
}

async function found(): Promise<CephStore> {
  const folder = process.env['ROWLOCK_TEST_CEPH_FOLDER'];
  const endpoint = folder === undefined ? await startOwn() : await endpointOfRun(folder);
  return {
    endpoint,
    region,
    credentials,
    newBucket: async () => {
      const bucket = `test-${randomUUID()}`;
      const { Presigner } = await import('@rowlock/server');
      const presigner = new Presigner({ endpoint, region, bucket, credentials });
      const url = presigner.presign({ method: 'PUT', key: '', expirySeconds: 60, now: new Date() });
      const { status } = await fetch(url, { method: 'PUT' });
      if (status !== 200) throw new Error(`the gateway answered ${status} to a new bucket`);
      return bucket;
    },
  };
}

async function startOwn(): Promise<string> {
  const folder = temporaryFolder({ mode: 0o755 });
  // In front of the removal of the folder.
  process.prependOnceListener('exit', () => stopCeph(folder));
  return await start(folder, process.pid);
}

/** Exactly one process of a run makes the folder `starting`; the others wait for its word. */
async function endpointOfRun(folder: string): Promise<string> {
  const word = join(folder, 'endpoint');
  const starting = join(folder, 'starting');
  await until(() => existsSync(word) || (isMade(starting) && startFor(folder, { word, starting })), {
    timeoutMs: startMs,
    intervalMs: 200,
    what: 'the gateway of the run answers',
  });
  return readFileSync(word, 'utf8');
}

async function startFor(folder: string, { word, starting }: { word: string; starting: string }): Promise<boolean> {
  try {
    const owner = Number(process.env['ROWLOCK_TEST_CEPH_OWNER'] ?? process.pid);
    writeFileSync(`${word}.new`, await start(folder, owner));
    renameSync(`${word}.new`, word);
    return true;
  } catch (error) {
    rmSync(starting, { recursive: true });
    throw error;
  }
}

function isMade(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

async function start(folder: string, owner: number): Promise<string> {
  // Its monitor listens a hundred ports higher, and one more.
  const port = await freePort({ alsoFree: [100, 101] });
  const env = { PATH: process.env['PATH'] ?? '' };
  await run(script, ['up', folder, String(port), String(owner)], { env, timeout: startMs });
  return `http://127.0.0.1:${port}`;
}
