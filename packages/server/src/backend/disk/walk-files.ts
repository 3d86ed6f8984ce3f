/**
 * Walks over the files of a disk store, folder by folder. It holds one folder's open handle per level and one
 * batch of names, never all keys. Invariant: it yields every regular file whose name is a key and that was
 * there during the whole walk, and nothing else.
 */
import type { Stats } from 'node:fs';
import path from 'node:path';
import type { ListedObject } from '../backend.ts';
import { isKey } from '../keys.ts';
import { isAbsent } from './disk-errors.ts';
import { listFolder, lookAt, realPathOf } from './file-calls.ts';

/** How many files are looked at at once: enough to keep the thread pool busy. */
const batchFiles = 64;

/** Walks over the keys below `root` that begin with `prefix`, in the order in which the file system has them. */
export async function* walkFiles(root: string, prefix: string): AsyncGenerator<ListedObject, void> {
  const slash = prefix.lastIndexOf('/');
  const folder = prefix.slice(0, Math.max(slash, 0));
  // A prefix with a character that no key has is the beginning of no key.
  if (slash === 0 || (folder !== '' && !isKey(folder))) return;
  if (!(await isItself(path.join(root, folder)))) return;
  yield* walkFolder(root, folder, prefix.slice(slash + 1));
}

/** Tells whether a folder is there and no link leads to it; below it, links are seen as such and left out. */
async function isItself(folder: string): Promise<boolean> {
  try {
    return (await realPathOf(folder)) === folder;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

async function* walkFolder(root: string, folder: string, start: string): AsyncGenerator<ListedObject, void> {
  let keys: string[] = [];
  for await (const entry of entriesOf(path.join(root, folder))) {
    const key = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (!entry.name.startsWith(start) || !isKey(key)) continue;
    if (entry.isDirectory()) yield* walkFolder(root, key, '');
    if (!entry.isFile()) continue;
    keys.push(key);
    if (keys.length < batchFiles) continue;
    yield* listed(root, keys);
    keys = [];
  }
  yield* listed(root, keys);
}

interface Entry {
  readonly name: string;
  isDirectory(): boolean;
  isFile(): boolean;
}

async function* entriesOf(folder: string): AsyncGenerator<Entry, void> {
  try {
    yield* await listFolder(folder, { bufferSize: 256 });
  } catch (error) {
    // Removed since its name was read, or never there: either way it has no entries.
    if (!isAbsent(error)) throw error;
  }
}

async function* listed(root: string, keys: readonly string[]): AsyncGenerator<ListedObject, void> {
  const all = await Promise.all(keys.map((key) => statIfThere(path.join(root, key))));
  for (const [i, stats] of all.entries()) {
    if (stats?.isFile() !== true) continue;
    yield { key: keys[i] ?? '', size: stats.size, last_modified: stats.mtime };
  }
}

/** Looks at a file without following a link; undefined where it is gone. */
export async function statIfThere(file: string): Promise<Stats | undefined> {
  try {
    return await lookAt(file);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}
