/**
 * Provides folders outside the project that hold what another user must reach:
 * copies of the programs, and clusters. It puts nothing into them itself.
 * A folder is only used if nobody but root and its owner could have put
 * something there, because programs from it are executed.
 */
import { chmod, lstat, mkdir, realpath } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The folders to try, best first: system-wide ones for root, the home's cache for others. */
export function defaultSystemFolders(): readonly string[] {
  const uid = process.getuid?.() ?? 0;
  if (uid === 0) return ['/var/lib/rowlock', '/var/tmp/rowlock-0', join(tmpdir(), 'rowlock-0')];
  return [join(homedir(), '.cache', 'rowlock'), join(tmpdir(), `rowlock-${uid}`)];
}

/**
 * Creates the folder, open for reading to everyone, and returns its real path.
 *
 * Returns undefined if it cannot be created or cannot be trusted.
 */
export async function openSystemFolder(folder: string): Promise<string | undefined> {
  try {
    const created = await mkdir(folder, { recursive: true });
    if (created !== undefined) await openToAll(created, folder);
    const real = join(await realpath(dirname(folder)), folder.slice(dirname(folder).length));
    return (await isTrusted(real)) ? real : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOENT' || code === 'ENOTDIR') {
      return undefined;
    }
    throw error;
  }
}

/** Undoes a strict umask on the folders that `mkdir` has just made, from the deepest to the first. */
async function openToAll(first: string, deepest: string): Promise<void> {
  for (let path = deepest; path.length >= first.length; path = dirname(path)) await chmod(path, 0o755);
}

/** The folder is ours and only ours to write; nobody else can rename it or one above it. */
async function isTrusted(folder: string): Promise<boolean> {
  const uid = process.getuid?.() ?? 0;
  const own = await lstat(folder);
  if (!own.isDirectory() || own.uid !== uid || (own.mode & 0o022) !== 0) return false;
  for (let path = dirname(folder); ; path = dirname(path)) {
    const above = await lstat(path);
    const othersWrite = (above.mode & 0o022) !== 0;
    const sticky = (above.mode & 0o1000) !== 0;
    if (above.uid !== 0 && above.uid !== uid) return false;
    if (othersWrite && !sticky) return false;
    if (path === dirname(path)) return true;
  }
}
