/**
 * Walks over the files of a disk store, folder by folder, in the bytewise order of their keys. Of each folder on the way
 * it holds one run of names, never all keys. Invariant: it yields every regular file whose name is a key and that was
 * there during the whole walk, tells what is no such file, and follows no link.
 */
import type { Stats } from 'node:fs';
import path from 'node:path';
import type { ForeignEntry, ListedObject } from '../backend.ts';
import { isKey } from '../keys.ts';
import { isAbsent } from './disk-errors.ts';
import { listFolder, lookAt, realPathOf } from './file-calls.ts';

/** How many files are looked at at once: enough to keep the thread pool busy. */
const batchFiles = 64;
/** Names of one folder that are held at once; a folder with more is read again for each further run. */
const runNames = 100_000;

export interface WalkFilesOptions {
  /** Only keys that begin with exactly these characters. */
  readonly prefix?: string;
  /** Only what comes behind this place. */
  readonly after?: string;
  /** Names of one folder that are held at once. */
  readonly namesMax?: number;
}

interface Walk {
  readonly root: string;
  readonly after: string;
  readonly namesMax: number;
}

/** A name in a folder; that of a folder ends in a slash, as it stands in keys, and is sorted so. */
interface Named {
  readonly place: string;
  readonly kind: 'file' | 'folder' | ForeignEntry['foreign'];
}

/** Walks over the keys below `root`, and what is there beside them, in order. */
export async function* walkFiles(
  root: string,
  { prefix = '', after = '', namesMax = runNames }: WalkFilesOptions = {},
): AsyncGenerator<ListedObject | ForeignEntry, void> {
  const slash = prefix.lastIndexOf('/');
  const folder = prefix.slice(0, Math.max(slash, 0));
  // A prefix with a character that no key has is the beginning of no key.
  if (slash === 0 || (folder !== '' && !isKey(folder))) return;
  if (!(await isItself(path.join(root, folder)))) return;
  yield* walkFolder({ root, after, namesMax }, folder === '' ? '' : `${folder}/`, prefix);
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

async function* walkFolder(
  walk: Walk,
  folder: string,
  prefix: string,
): AsyncGenerator<ListedObject | ForeignEntry, void> {
  let from = '';
  for (;;) {
    const run = await nextRun(walk, folder, prefix, from);
    let files: Named[] = [];
    for (const named of run) {
      if (named.kind === 'file') files.push(named);
      if (named.kind !== 'file' || files.length >= batchFiles) {
        yield* listed(walk.root, files);
        files = [];
      }
      if (named.kind === 'folder') yield* walkFolder(walk, named.place, '');
      else if (named.kind !== 'file') yield { place: named.place, foreign: named.kind };
    }
    yield* listed(walk.root, files);
    if (run.length < walk.namesMax) return;
    from = run.at(-1)?.place ?? '';
  }
}

/** The next names of a folder in order, those after `from` and at most `namesMax`. */
async function nextRun(walk: Walk, folder: string, prefix: string, from: string): Promise<readonly Named[]> {
  let run: Named[] = [];
  let last: string | undefined;
  for await (const entry of entriesOf(path.join(walk.root, folder))) {
    const named = nameOf(folder, entry);
    if (named.place <= from || isBehind(named, walk.after) || !named.place.startsWith(prefix)) continue;
    if (isOurs(named.place) || (last !== undefined && named.place > last)) continue;
    run.push(named);
    if (run.length >= 2 * walk.namesMax) {
      run = firstOf(run, walk.namesMax);
      last = run.at(-1)?.place;
    }
  }
  return firstOf(run, walk.namesMax);
}

/** Whether the walk has passed it; a folder is passed with the last of what can be in it. */
function isBehind({ place, kind }: Named, after: string): boolean {
  return place <= after && !(kind === 'folder' && after.startsWith(place));
}

function firstOf(run: Named[], count: number): Named[] {
  run.sort((a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : 0));
  return run.length > count ? run.slice(0, count) : run;
}

/** The folders of temporary files and of parts, and what file systems keep in the root of theirs. */
function isOurs(place: string): boolean {
  return place === '.tmp/' || place === '.parts/' || place === 'lost+found/';
}

interface Entry {
  readonly name: string;
  isDirectory(): boolean;
  isFile(): boolean;
  isSymbolicLink(): boolean;
}

function nameOf(folder: string, entry: Entry): Named {
  const place = `${folder}${entry.name}`;
  if (entry.isSymbolicLink()) return { place, kind: 'link' };
  if (!isKey(place)) return { place: entry.isDirectory() ? `${place}/` : place, kind: 'name' };
  if (entry.isDirectory()) return { place: `${place}/`, kind: 'folder' };
  return { place, kind: entry.isFile() ? 'file' : 'special' };
}

async function* entriesOf(folder: string): AsyncGenerator<Entry, void> {
  try {
    yield* await listFolder(folder, { bufferSize: 256 });
  } catch (error) {
    // Removed since its name was read, or never there: either way it has no entries.
    if (!isAbsent(error)) throw error;
  }
}

async function* listed(root: string, files: readonly Named[]): AsyncGenerator<ListedObject, void> {
  const all = await Promise.all(files.map(({ place }) => statIfThere(path.join(root, place))));
  for (const [i, stats] of all.entries()) {
    if (stats?.isFile() !== true) continue;
    yield { key: files[i]?.place ?? '', size: stats.size, last_modified: stats.mtime };
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
