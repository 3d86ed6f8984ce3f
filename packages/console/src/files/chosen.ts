/** Files and folders of one bucket that something is done with together, and how they are called in a sentence. */
import type { Entry } from '@rowlock/client';
import { nameInText } from '../visible-name.ts';
import { lastPart } from './object-name.ts';

export interface Chosen {
  readonly bucket: string;
  /** Whole names. */
  readonly files: readonly string[];
  /** Whole names with their slashes. */
  readonly folders: readonly string[];
}

/** What was chosen of a listing. */
export function chosenOf(bucket: string, prefix: string, entries: readonly Entry[]): Chosen {
  const named = (isFolder: boolean): readonly string[] =>
    entries.filter(({ id }) => (id === null) === isFolder).map(({ name }) => prefix + name);
  return { bucket, files: named(false), folders: named(true).map((name) => `${name}/`) };
}

/** How many there are. */
export function chosenCount({ files, folders }: Chosen): number {
  return files.length + folders.length;
}

/** The name of one, or how many files and folders. */
export function chosenInWords(chosen: Chosen): string {
  const { files, folders } = chosen;
  const [first] = [...files, ...folders.map((folder) => folder.slice(0, -1))];
  if (chosenCount(chosen) === 1 && first !== undefined) {
    return nameInText(lastPart(first));
  }
  const words = [counted(files.length, 'file'), counted(folders.length, 'folder')];
  return words.filter((each) => each !== '').join(' and ');
}

function counted(count: number, noun: string): string {
  return count === 0 ? '' : `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
