/**
 * Decides where a cluster's files live. It starts nothing and initialises
 * nothing. Normally a cluster is in the data folder itself; when the user that
 * runs PostgreSQL cannot reach that folder, the data folder is a link to a
 * folder outside. A cluster is never visible under the data folder's name
 * before it is complete.
 */
import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  cp,
  lchown,
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError, ownServerAdvice } from './embedded-error.ts';
import { adoptOutsideFolder, createOutsideFolder, outsideFolderOf } from './outside-cluster.ts';
import { processStart } from './process-start.ts';
import { runAs, type ServerUser } from './run-as.ts';

/** Who runs a cluster, and what is known about where it may live. */
export interface ClusterPlace {
  /** Absolute path of the data folder: the cluster itself, or a link to it. */
  readonly dataDir: string;
  readonly user: ServerUser | undefined;
  readonly systemFolders: readonly string[];
  readonly ephemeral: boolean;
}

/** What is at the data folder's path. */
export type ClusterState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'present'; readonly ownerUid: number; readonly real: string };

/** A place where a new cluster is made before it gets its name. */
export interface DraftCluster {
  /** Where the cluster's files go. Exists, is empty and belongs to the server's user. */
  readonly data: string;
  /** A folder that the server's user can read, for what initdb needs beside the data. */
  readonly scratch: string;
  /** Gives the finished cluster its name, atomically, and returns its real path. */
  finish(): Promise<string>;
  discard(): Promise<void>;
}

/** Looks at the data folder; raises `data_folder_invalid` if what is there is no cluster of ours. */
export async function inspectCluster(dataDir: string): Promise<ClusterState> {
  await restoreInterruptedMove(dataDir);
  const own = await lstat(dataDir).catch(missingAsUndefined);
  if (own === undefined) return { kind: 'absent' };
  const target = own.isSymbolicLink() ? await stat(dataDir).catch(missingAsUndefined) : own;
  if (target === undefined) {
    throw invalid(dataDir, 'is a link to a database that no longer exists. Remove the link to start with an empty one');
  }
  if (!target.isDirectory()) throw invalid(dataDir, 'is not a folder. Choose another data folder');
  const names = await readdir(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EACCES' || error.code === 'EPERM') throw unreachable(dataDir, target.uid);
    throw error;
  });
  if (names.length === 0 && !own.isSymbolicLink()) return { kind: 'absent' };
  if (!names.includes('PG_VERSION')) {
    throw invalid(dataDir, 'holds files but no PostgreSQL database. Choose another data folder, or empty this one');
  }
  return { kind: 'present', ownerUid: target.uid, real: await realpath(dataDir) };
}

function invalid(dataDir: string, what: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError('data_folder_invalid', `The data folder ${dataDir} ${what}.`);
}

function unreachable(dataDir: string, ownerUid: number): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'data_folder_unreachable',
    `The database in ${dataDir} belongs to user ${ownerUid}, and this user may not use it. Start as that user or as ` +
      `root, choose another data folder, ${ownServerAdvice}.`,
  );
}

/**
 * Makes an existing cluster usable by `user` and returns its real path.
 *
 * Gives a cluster that was copied by root back to the server's user, and moves
 * one that this user cannot reach outside. Raises `data_folder_unreachable`.
 */
export async function openCluster(place: ClusterPlace, state: ClusterState & { kind: 'present' }): Promise<string> {
  const { dataDir, user } = place;
  if (user !== undefined && state.ownerUid === 0) await giveTo(user, state.real);
  if (await canUse(user, state.real, 'test -r PG_VERSION && test -w .')) {
    const outside = await outsideFolderOf(state.real);
    if (outside !== undefined) await adoptOutsideFolder(outside, dataDir, place.ephemeral);
    return state.real;
  }
  const isLink = (await lstat(dataDir)).isSymbolicLink();
  if (user === undefined || isLink) throw unreachable(dataDir, state.ownerUid);
  return await moveOutside(place, user);
}

/** Prepares a place for a new cluster, beside the data folder if `user` can work there, else outside. */
export async function draftCluster(place: ClusterPlace): Promise<DraftCluster> {
  const { dataDir, user } = place;
  const scratch = `${dataDir}.draft-${process.pid}-${randomBytes(4).toString('hex')}`;
  const data = await makeDraft(scratch, user);
  if (await canUse(user, data, ': > probe && rm probe')) {
    const discard = async (): Promise<void> => await rm(scratch, { recursive: true, force: true });
    const finish = async (): Promise<string> => {
      await rename(data, dataDir);
      await syncFolder(dirname(dataDir));
      await discard();
      return await realpath(dataDir);
    };
    return { data, scratch, finish, discard };
  }
  await rm(scratch, { recursive: true, force: true });
  return await draftOutside(place);
}

async function draftOutside(place: ClusterPlace): Promise<DraftCluster> {
  const { dataDir, user, systemFolders } = place;
  if (user === undefined) throw unreachable(dataDir, process.getuid?.() ?? 0);
  for (const folder of systemFolders) {
    const outside = await createOutsideFolder(folder, dataDir, place.ephemeral);
    if (outside === undefined) continue;
    const scratch = join(outside, 'scratch');
    const discard = async (): Promise<void> => await rm(outside, { recursive: true, force: true });
    const draft = await makeDraft(scratch, user);
    if (await canUse(user, draft, ': > probe && rm probe')) {
      const data = join(outside, 'data');
      await rename(draft, data);
      const finish = async (): Promise<string> => {
        await replaceWithLink(dataDir, data);
        await rm(scratch, { recursive: true, force: true });
        return data;
      };
      return { data, scratch, finish, discard };
    }
    await discard();
  }
  throw new EmbeddedPostgresError(
    'data_folder_unreachable',
    `The user ${user.name}, who runs PostgreSQL for root, can reach neither ${dataDir} nor any of ` +
      `${systemFolders.join(', ')}. Choose a data folder that this user can enter, ${ownServerAdvice}.`,
  );
}

async function makeDraft(scratch: string, user: ServerUser | undefined): Promise<string> {
  const data = join(scratch, 'data');
  for (const folder of [scratch, data]) {
    await mkdir(folder, { mode: 0o700 });
    if (user !== undefined) await chown(folder, user.uid, user.gid);
  }
  return data;
}

/** Tries, as the user, to enter the folder, to run `check` there and to own it as PostgreSQL demands. */
async function canUse(user: ServerUser | undefined, folder: string, check: string): Promise<boolean> {
  const script = `cd "$1" && ${check} && chmod 0700 .`;
  const trial = await runAs('/bin/sh', ['-c', script, 'sh', folder], { user, timeoutMs: 30_000 });
  if (trial.code !== 0) return false;
  const { mode, uid } = await stat(folder);
  return (mode & 0o077) === 0 && (uid | 0) === (user?.uid ?? process.getuid?.() ?? uid);
}

async function giveTo(user: ServerUser, folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    await lchown(join(entry.parentPath, entry.name), user.uid, user.gid);
  }
  await chown(folder, user.uid, user.gid);
}

/** Copies first and removes last: at every moment the cluster is under its name or under `.moved`. */
async function moveOutside(place: ClusterPlace, user: ServerUser): Promise<string> {
  const { dataDir } = place;
  const draft = await draftOutside(place);
  await cp(dataDir, draft.data, { recursive: true, force: true, preserveTimestamps: true });
  await giveTo(user, draft.data);
  await chmod(draft.data, 0o700);
  await runAs('sync', [], { timeoutMs: 60_000 });
  await rename(dataDir, `${dataDir}.moved`);
  const real = await draft.finish();
  await rm(`${dataDir}.moved`, { recursive: true, force: true });
  return real;
}

async function restoreInterruptedMove(dataDir: string): Promise<void> {
  const moved = await lstat(`${dataDir}.moved`).catch(missingAsUndefined);
  if (moved === undefined) return;
  if ((await lstat(dataDir).catch(missingAsUndefined)) === undefined) await rename(`${dataDir}.moved`, dataDir);
  else await rm(`${dataDir}.moved`, { recursive: true, force: true });
}

async function replaceWithLink(dataDir: string, target: string): Promise<void> {
  const existing = await lstat(dataDir).catch(missingAsUndefined);
  if (existing?.isDirectory() === true) await rm(dataDir, { recursive: true });
  const link = `${dataDir}.link-${randomBytes(4).toString('hex')}`;
  await symlink(target, link);
  await rename(link, dataDir);
  await syncFolder(dirname(dataDir));
}

/** Lists drafts beside the data folder whose makers died. Call it while holding the data folder's lock. */
export async function abandonedDrafts(dataDir: string): Promise<readonly string[]> {
  const prefix = `${basename(dataDir)}.draft-`;
  const names = await readdir(dirname(dataDir));
  const drafts = names.filter((name) => name.startsWith(prefix));
  const abandoned = drafts.filter((name) => {
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    return pid === process.pid || processStart(pid) === undefined;
  });
  return abandoned.map((name) => join(dirname(dataDir), name));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function missingAsUndefined(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
