/**
 * The folders of a disk store: the only code that turns a key into a path, opens folders, makes them durable
 * and removes them when empty. It never touches the bytes of an object. Invariant: no path leaves the root,
 * neither by the characters of a key nor through a symbolic link inside the root.
 */
import { constants, readlinkSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { RowlockError } from '@rowlock/client/contract';
import { assertKey } from '../keys.ts';
import { errnoOf, isAbsent } from './disk-errors.ts';
import { closeFile, makeFolders, openFolder, removeFolder, syncFolder } from './file-calls.ts';

/** Folders that fan a namespace out over 256 and are never worth removing. */
const fannedOut: ReadonlySet<string> = new Set(['objects', 'variants']);

/** Where the bytes of a key are. */
export interface Place {
  /** The folders from the root down to the file. */
  readonly folders: readonly string[];
  readonly path: string;
}

/** The folder tree under one root. */
export class DiskTree {
  /** Real and absolute: it contains no symbolic link. */
  readonly root: string;
  /** Kept folders whose entry in their parent is on disk; right for ever, since kept folders are never removed. */
  readonly #durable: Set<string> = new Set();
  /** Folders that a put of this process is about to link into, with their number of puts. */
  readonly #needed: Map<string, number> = new Map();

  constructor(root: string) {
    this.root = root;
  }

  /** The place of a key; throws what `assertKey` throws. */
  place(key: string): Place {
    assertKey(key);
    const folders = key.split('/');
    const name = folders.pop() ?? '';
    return { folders, path: path.join(this.root, ...folders, name) };
  }

  /** The path of a folder; each segment comes from a key. */
  folderPath(folders: readonly string[]): string {
    return path.join(this.root, ...folders);
  }

  async makeFolder(folders: readonly string[]): Promise<void> {
    await makeFolders(this.folderPath(folders));
  }

  /**
   * Runs a put's last steps while this process removes none of the folders. Another process still may, which
   * the put notices and repairs; among our own puts and deletes nobody should have to try again and again.
   */
  async keepingFolders<T>(folders: readonly string[], work: () => Promise<T>): Promise<T> {
    const names = folders.map((_, i) => folders.slice(0, i + 1).join('/'));
    for (const name of names) this.#needed.set(name, (this.#needed.get(name) ?? 0) + 1);
    try {
      return await work();
    } finally {
      for (const name of names) {
        const left = (this.#needed.get(name) ?? 1) - 1;
        if (left > 0) this.#needed.set(name, left);
        else this.#needed.delete(name);
      }
    }
  }

  /** Opens a folder as a descriptor, or returns undefined where there is none; throws `unavailable` for one outside of the root. */
  async openFolder(folders: readonly string[]): Promise<number | undefined> {
    const expected = this.folderPath(folders);
    let fd: number;
    try {
      fd = await openFolder(expected, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    } catch (error) {
      // A link in place of the folder is ENOTDIR here, and must not pass as "no such folder".
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw isAbsent(error) ? leadsOut(error) : error;
    }
    let isThere = false;
    try {
      isThere = await isAt(fd, expected);
    } finally {
      if (!isThere) await closeFile(fd);
    }
    if (isThere) return fd;
    throw leadsOut();
  }

  /**
   * Makes the entry of a folder, and of those above it, durable. The folder's own content is synced by whoever
   * holds it open. Folders known to be durable cost nothing.
   */
  async syncAbove(folders: readonly string[]): Promise<void> {
    for (let depth = folders.length; depth > 0; depth--) {
      const name = folders.slice(0, depth).join('/');
      if (this.#durable.has(name)) return;
      await this.#sync(folders.slice(0, depth - 1));
      if (isKept(folders.slice(0, depth))) this.#durable.add(name);
    }
  }

  /**
   * Makes the removal of a file from a folder durable, after removing the folder and those above it as far as
   * they are empty. Of a folder that is gone nothing can come back, so syncing the lowest one left is enough.
   */
  async syncRemoval(folders: readonly string[]): Promise<void> {
    let left = folders;
    while (!isKept(left) && (await this.#removeIfEmpty(left))) left = left.slice(0, -1);
    while (!(await this.#sync(left))) left = left.slice(0, -1);
  }

  /** Syncs a folder once (fsync is never repeated after an error); returns false where it no longer exists. */
  async #sync(folders: readonly string[]): Promise<boolean> {
    const fd = await this.openFolder(folders);
    if (fd === undefined && folders.length === 0) throw new RowlockError('unavailable', 'The store has no root.');
    try {
      if (fd !== undefined) await syncFolder(fd);
    } finally {
      if (fd !== undefined) await closeFile(fd);
    }
    return fd !== undefined;
  }

  /** The kernel decides what is empty, so a put of another process either comes before or makes it anew. */
  async #removeIfEmpty(folders: readonly string[]): Promise<boolean> {
    if (this.#needed.has(folders.join('/'))) return false;
    try {
      await removeFolder(this.folderPath(folders));
      return true;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOENT') return true;
      if (errno === 'ENOTEMPTY' || errno === 'EEXIST') return false;
      throw error;
    }
  }
}

/**
 * Tells whether an open file really is at a path, or was there until it was deleted.
 *
 * O_NOFOLLOW looks at the last name only; this also finds a link among the folders, after opening and hence
 * without a race. Where there is no /proc it asks for the real path instead.
 */
export async function isAt(fd: number, expected: string): Promise<boolean> {
  let actual: string;
  try {
    actual = readlinkSync(`/proc/self/fd/${fd}`);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    actual = await realpath(expected);
  }
  return actual === expected || actual === `${expected} (deleted)`;
}

/** The root, the first folders and the fan-out stay even when empty, so that most puts need not sync them. */
function isKept(folders: readonly string[]): boolean {
  return folders.length <= 1 || (folders.length === 2 && fannedOut.has(folders[0] ?? ''));
}

function leadsOut(cause?: unknown): RowlockError {
  return new RowlockError('unavailable', 'A folder of the key leads out of the store.', { cause });
}
