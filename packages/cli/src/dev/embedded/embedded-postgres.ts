/**
 * Starts a real PostgreSQL of our own on a data folder, as any user, and stops
 * it. It knows nothing about schemas or about Rowlock. One start at a time owns
 * a data folder; whatever an earlier, killed one left is ended or repaired
 * first, so a start that returns has a server with all committed data.
 */
import { mkdir, readFile, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import pg from 'pg';
import { type FolderLock, FolderLockedError, lockFile } from '../folder-lock.ts';
import { type Binaries, usableBinaries } from './binaries.ts';
import { abandonedDrafts, type ClusterPlace, draftCluster, inspectCluster, openCluster } from './cluster-folder.ts';
import { initCluster, resetPassword, type StoredPassword, storedPassword, superuser } from './cluster-init.ts';
import { EmbeddedPostgresError } from './embedded-error.ts';
import { clearPidFile, endLeftovers } from './leftover-server.ts';
import { outsideFolderOf, removeUnreferenced } from './outside-cluster.ts';
import { findPlatformPackage, type PlatformPackage } from './platform-package.ts';
import { type PostgresProcess, type ServerExit, startOnPort } from './postgres-process.ts';
import { chooseServerUser } from './server-user.ts';
import { defaultSystemFolders } from './system-folder.ts';
import { startWatchdog } from './watchdog.ts';

/** What `startEmbeddedPostgres` takes. Only `dataDir` is needed. */
export interface EmbeddedPostgresOptions {
  /** The cluster's folder, made on the first start. Files beside it have its name as prefix. */
  readonly dataDir: string;
  /** A port on 127.0.0.1; a free one is chosen at each start if none is given. */
  readonly port?: number | undefined;
  /** Server settings over the defaults, by name. */
  readonly settings?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** Gets every line of the server's log. */
  readonly log?: ((line: string) => void) | undefined;
  /** Gives up starting. Does not stop a server that was started. */
  readonly signal?: AbortSignal | undefined;
  /** Removes the cluster when it stops, in whatever way. Default false. */
  readonly ephemeral?: boolean | undefined;
  /** The programs to run, of any version; those of the installed package if none are given. */
  readonly platformPackage?: PlatformPackage | undefined;
  /** Where to keep copies and clusters that another user must reach, best first. */
  readonly systemFolders?: readonly string[] | undefined;
}

/** A running server. */
export interface EmbeddedPostgres {
  /** Connects the superuser `postgres`, with its password, to the database `postgres`. */
  readonly url: string;
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly password: string;
  /** The server's process id. */
  readonly pid: number;
  /** The real path of the cluster's files, which may be outside the data folder that was asked for. */
  readonly dataDir: string;
  /** Resolves when the server has ended, whoever ended it. */
  readonly exited: Promise<ServerExit>;
  /** Stops the server within about 4.5 s, whatever its clients do, and gives the data folder up. Idempotent. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Lets this process end by itself while the server runs; the server then ends soon after. */
  unref(): void;
}

/** Quick to start, durable, and small enough to run beside everything else of a developer. */
const defaultSettings = {
  shared_buffers: '64MB',
  huge_pages: 'off',
  max_connections: 100,
  cluster_name: 'rowlock',
};

/**
 * Starts PostgreSQL on the data folder, making the cluster on the first start.
 *
 * Durable by default (fsync on). Raises EmbeddedPostgresError with a reason and
 * with advice; then nothing runs, and an existing cluster is as it was.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const given = resolve(options.dataDir);
  await mkdir(dirname(given), { recursive: true });
  const dataDir = join(await realpath(dirname(given)), basename(given));
  const locks = [await lockDataFolder(`${dataDir}.lock`, dataDir)];
  try {
    return await startLocked(dataDir, options, locks);
  } catch (error) {
    await releaseAll(locks);
    throw asDiskFull(error, dataDir);
  }
}

async function startLocked(
  dataDir: string,
  options: EmbeddedPostgresOptions,
  locks: FolderLock[],
): Promise<EmbeddedPostgres> {
  const installed = options.platformPackage ?? (await findPlatformPackage());
  const cluster = await prepareCluster(dataDir, options, installed, locks);
  const run = async (): Promise<PostgresProcess> => {
    const server = {
      program: cluster.binaries.postgres,
      folder: cluster.real,
      user: cluster.place.user,
      settings: { ...defaultSettings, ...options.settings },
      log: options.log ?? discard,
      signal: options.signal,
    };
    return await startOnPort(server, options.port);
  };
  let server = await run();
  if (!(await acceptsPassword(server, cluster.stored.password))) {
    await server.stop('fast');
    await setPassword(cluster, options.signal);
    server = await run();
    await acceptsPassword(server, cluster.stored.password);
  }
  return handleFor(server, cluster, locks);
}

interface PreparedCluster {
  readonly place: ClusterPlace;
  readonly real: string;
  /** The folder outside the project that holds the cluster, if it is not in its data folder. */
  readonly outside: string | undefined;
  readonly binaries: Binaries;
  readonly stored: StoredPassword;
}

/** Finds or makes the cluster, with nothing running on it and nothing half done beside it. */
async function prepareCluster(
  dataDir: string,
  options: EmbeddedPostgresOptions,
  installed: PlatformPackage,
  locks: FolderLock[],
): Promise<PreparedCluster> {
  const systemFolders = options.systemFolders ?? defaultSystemFolders();
  const state = await inspectCluster(dataDir);
  for (const draft of await abandonedDrafts(dataDir)) {
    await endLeftovers(draft);
    await rm(draft, { recursive: true, force: true });
  }
  const ownerUid = state.kind === 'present' && state.ownerUid !== 0 ? state.ownerUid : undefined;
  const user = await chooseServerUser(ownerUid);
  const binaries = await usableBinaries(installed, user, systemFolders);
  const place: ClusterPlace = { dataDir, user, systemFolders, ephemeral: options.ephemeral ?? false };
  const stored = await storedPassword(`${dataDir}.password`);
  const lockReal = async (real: string): Promise<void> => {
    if (real !== dataDir) locks.push(await lockDataFolder(`${real}.lock`, dataDir));
  };
  if (state.kind === 'absent') {
    const real = await makeCluster(place, binaries, { password: stored.password, signal: options.signal });
    await lockReal(real);
    await removeUnreferenced(systemFolders);
    return { place, real, outside: await outsideFolderOf(real), binaries, stored };
  }
  await lockReal(state.real);
  await endLeftovers(state.real);
  const real = await openCluster(place, state);
  await requireVersion(real, installed.major);
  await clearPidFile(real);
  const cluster = { place, real, outside: await outsideFolderOf(real), binaries, stored };
  if (stored.isNew) await setPassword(cluster, options.signal);
  return cluster;
}

async function makeCluster(
  place: ClusterPlace,
  binaries: Binaries,
  options: { password: string; signal: AbortSignal | undefined },
): Promise<string> {
  const draft = await draftCluster(place);
  try {
    await initCluster(binaries, draft, { user: place.user, ...options });
    return await draft.finish();
  } catch (error) {
    await draft.discard();
    throw error;
  }
}

async function requireVersion(folder: string, major: string): Promise<void> {
  const found = (await readFile(join(folder, 'PG_VERSION'), 'utf8')).trim();
  if (found === major) return;
  throw new EmbeddedPostgresError(
    'other_version',
    `The database in ${folder} was made by PostgreSQL ${found}, and this is PostgreSQL ${major}. Dump it with the old ` +
      'version and restore it here, or choose another data folder.',
  );
}

async function setPassword(cluster: PreparedCluster, signal: AbortSignal | undefined): Promise<void> {
  const { password } = cluster.stored;
  await resetPassword(cluster.binaries, cluster.real, { user: cluster.place.user, password, signal });
}

async function lockDataFolder(path: string, dataDir: string): Promise<FolderLock> {
  try {
    return await lockFile(path, {}, dataDir);
  } catch (error) {
    if (!(error instanceof FolderLockedError)) throw error;
    throw new EmbeddedPostgresError('data_folder_in_use', error.message, { cause: error });
  }
}

async function releaseAll(locks: readonly FolderLock[]): Promise<void> {
  for (const lock of locks) await lock.release();
}

/** Logs in once, which proves address, port and password in one go. */
async function acceptsPassword(server: PostgresProcess, password: string): Promise<boolean> {
  const connectionString = urlOf(server.port, password);
  const client = new pg.Client({ connectionString, ssl: false, connectionTimeoutMillis: 30_000 });
  client.on('error', discard); // connect and end report it too
  try {
    await client.connect();
    await client.end();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === '28P01') return false;
    await server.stop('fast');
    throw error;
  }
}

function urlOf(port: number, password: string): string {
  return `postgres://${superuser}:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
}

function handleFor(server: PostgresProcess, cluster: PreparedCluster, locks: readonly FolderLock[]): EmbeddedPostgres {
  const { ephemeral } = cluster.place;
  const remove = ephemeral ? [...traces(cluster), ...locks.map(({ path }) => path)] : [];
  const watchdog = startWatchdog(server.pid, ephemeral ? 'QUIT' : 'INT', remove);
  void server.exited.then(watchdog.serverEnded);
  const stop = async (mode: 'fast' | 'immediate'): Promise<void> => {
    await server.stop(mode);
    for (const path of ephemeral ? traces(cluster) : []) await rm(path, { recursive: true, force: true });
    await releaseAll(locks);
    watchdog.dismiss();
  };
  let stopped: Promise<void> | undefined;
  return {
    url: urlOf(server.port, cluster.stored.password),
    host: '127.0.0.1',
    port: server.port,
    password: cluster.stored.password,
    pid: server.pid,
    dataDir: cluster.real,
    exited: server.exited,
    stop: async (mode = ephemeral ? 'immediate' : 'fast') => {
      stopped ??= stop(mode);
      await stopped;
    },
    unref: server.unref,
  };
}

/** Everything of an ephemeral cluster that outlives its server, but for the locks. */
function traces({ place, real, outside }: PreparedCluster): readonly string[] {
  return [place.dataDir, outside ?? real, `${place.dataDir}.password`];
}

function discard(): void {
  // deliberately nothing
}

function asDiskFull(error: unknown, dataDir: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  const message = `The disk that holds ${dataDir} or its copies is full. Free about 150 MB and start again.`;
  return new EmbeddedPostgresError('disk_full', message, { cause: error });
}
