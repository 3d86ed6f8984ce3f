/**
 * Provides the PostgreSQL server that tests make their databases on. The suite
 * has one for all its processes, named by ROWLOCK_TEST_DATABASE_URL; a test
 * file that is run alone starts its own, once. Its data never outlives it.
 */
import { join } from 'node:path';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../packages/cli/dist/dev/embedded/embedded-postgres.js';
import { type PlatformPackage, platformPackageIn } from '../../../packages/cli/dist/dev/embedded/platform-package.js';
import { temporaryFolder } from './temporary-folder.ts';

/** Fast because it may lose everything in a power cut; ROWLOCK_TEST_FSYNC=on makes it as durable as others. */
function testSettings(): Readonly<Record<string, string | number>> {
  const base = { max_connections: 300, shared_buffers: '128MB' };
  if (process.env['ROWLOCK_TEST_FSYNC'] === 'on') return base;
  return { ...base, fsync: 'off', full_page_writes: 'off' };
}

/** Starts a server with an empty, temporary cluster. */
export async function startTestServer(options: { signal?: AbortSignal } = {}): Promise<EmbeddedPostgres> {
  const dataDir = join(temporaryFolder({ mode: 0o711 }), 'postgres');
  const { signal } = options;
  const platformPackage = await otherVersion();
  return await startEmbeddedPostgres({ dataDir, ephemeral: true, settings: testSettings(), signal, platformPackage });
}

/** The package with another PostgreSQL than the installed one, where ROWLOCK_TEST_POSTGRES names its folder. */
async function otherVersion(): Promise<PlatformPackage | undefined> {
  const folder = process.env['ROWLOCK_TEST_POSTGRES'] ?? '';
  return folder === '' ? undefined : await platformPackageIn(folder, folder);
}

/** Lets this process have a server of its own, because it makes roles: those belong to all databases of a server. */
export function useOwnServer(): void {
  delete process.env['ROWLOCK_TEST_DATABASE_URL'];
}

let own: Promise<EmbeddedPostgres> | undefined;

/**
 * Returns the URL of a role that may create databases on the tests' server.
 *
 * Starts a server for this process if ROWLOCK_TEST_DATABASE_URL is not set; it
 * does not keep the process alive and ends with it.
 */
export async function databaseServerUrl(): Promise<string> {
  const given = process.env['ROWLOCK_TEST_DATABASE_URL'];
  if (given !== undefined && given !== '') return given;
  own ??= startOwn();
  return (await own).url;
}

async function startOwn(): Promise<EmbeddedPostgres> {
  const server = await startTestServer();
  server.unref();
  process.once('beforeExit', () => {
    void server.stop();
  });
  return server;
}
