/**
 * Keeps clusters that cannot live in their data folder, below a system folder.
 * It does not decide which ones those are. Each has an `origin` file, written
 * by us, that names the data folder which links to it; one that nothing links
 * to, nobody makes and no process uses is removed, after a grace.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { processesOn } from './leftover-server.ts';
import { isSameProcess, processStart } from './process-start.ts';
import { openSystemFolder } from './system-folder.ts';

interface Origin {
  readonly folder: string;
  readonly maker: { readonly pid: number; readonly start: string };
  /** The cluster is of no use without its maker. */
  readonly ephemeral: boolean;
}

/** A project may be moved while nothing runs, and its link with it: wait before believing that it is gone. */
const graceMs = 7 * 24 * 60 * 60 * 1000;

/**
 * Creates an empty folder for a cluster of `dataDir`, which others may pass through but not list.
 *
 * Returns undefined if the system folder cannot be used. While it holds a
 * `scratch` folder, its cluster counts as unfinished.
 */
export async function createOutsideFolder(
  systemFolder: string,
  dataDir: string,
  ephemeral: boolean,
): Promise<string | undefined> {
  const clusters = await openSystemFolder(join(systemFolder, 'clusters'));
  if (clusters === undefined) return undefined;
  const folder = join(clusters, randomBytes(8).toString('hex'));
  await mkdir(folder, { mode: 0o700 });
  await writeOrigin(folder, dataDir, ephemeral);
  await chmod(folder, 0o711);
  return folder;
}

/** Notes that `dataDir` links to this finished cluster now, wherever it was when the cluster was made. */
export async function adoptOutsideFolder(folder: string, dataDir: string, ephemeral: boolean): Promise<void> {
  await writeOrigin(folder, dataDir, ephemeral);
  for (const name of ['scratch', 'unreferenced']) await rm(join(folder, name), { recursive: true, force: true });
}

/** Returns the outside folder that holds this cluster, if it is in one. */
export async function outsideFolderOf(cluster: string): Promise<string | undefined> {
  const folder = dirname(cluster);
  return (await readOrigin(folder)) === undefined ? undefined : folder;
}

/** Removes clusters that nothing refers to any more, and returns their folders. */
export async function removeUnreferenced(systemFolders: readonly string[]): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const systemFolder of systemFolders) {
    const clusters = join(systemFolder, 'clusters');
    for (const id of await readdir(clusters).catch(noNames)) {
      const folder = join(clusters, id);
      const origin = await readOrigin(folder);
      if (origin === undefined || (await isReferenced(folder, origin)) || !(await isExpired(folder, origin))) continue;
      await rm(folder, { recursive: true, force: true });
      removed.push(folder);
    }
  }
  return removed;
}

async function isReferenced(folder: string, origin: Origin): Promise<boolean> {
  if (isSameProcess(origin.maker.pid, origin.maker.start)) return true;
  const real = await realpath(folder);
  const linked = await realpath(origin.folder).catch(() => undefined);
  return linked === join(real, 'data') || processesOn(real).length > 0;
}

/** What nobody can miss goes at once; anything else after it was found unreferenced for the whole grace. */
async function isExpired(folder: string, origin: Origin): Promise<boolean> {
  if (origin.ephemeral || (await ageMs(join(folder, 'scratch'))) !== undefined) return true;
  const mark = join(folder, 'unreferenced');
  const age = await ageMs(mark);
  if (age === undefined) await writeFile(mark, '');
  return age !== undefined && age > graceMs;
}

async function ageMs(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => undefined,
  );
}

async function writeOrigin(folder: string, dataDir: string, ephemeral: boolean): Promise<void> {
  const maker = { pid: process.pid, start: processStart(process.pid) ?? 'unknown' };
  const origin: Origin = { folder: dataDir, maker, ephemeral };
  await writeFile(join(folder, 'origin'), `${JSON.stringify(origin)}\n`, { mode: 0o600 });
}

/** A folder without a readable origin is left alone: it may be just being made, or not ours. */
async function readOrigin(folder: string): Promise<Origin | undefined> {
  try {
    const origin = JSON.parse(await readFile(join(folder, 'origin'), 'utf8')) as Origin;
    return { folder: origin.folder, maker: { ...origin.maker }, ephemeral: origin.ephemeral };
  } catch {
    return undefined;
  }
}

function noNames(error: NodeJS.ErrnoException): readonly string[] {
  if (error.code === 'ENOENT' || error.code === 'EACCES') return [];
  throw error;
}
