/**
 * The backend that keeps objects as files below one folder. Temporary file, fsync, link to the final name,
 * fsync of the folder: that order is its whole promise. It serves no HTTP: the presigned URLs it makes are
 * answered by the server. Invariant: a file under a key is complete and durable, and is never written again.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { RowlockError } from '@rowlock/client/contract';
import type {
  Backend,
  ByteRange,
  ForeignEntry,
  GetResult,
  HeadResult,
  ListedObject,
  ListOptions,
  PresignGetOptions,
  PresignPutOptions,
  PutOptions,
  UnfinishedObject,
  WalkOptions,
} from '../backend.ts';
import { assertKey } from '../keys.ts';
import { type DayKey, dayKeys } from '../s3/day-keys.ts';
import { presignGetUrl, presignPutUrl } from '../s3/presign-object.ts';
import { Presigner, type PresignerConfig, type SigningCredentials } from '../s3/presigner.ts';
import { diskError, errnoOf, isAbsent } from './disk-errors.ts';
import { DiskPartStore } from './disk-part-store.ts';
import { DiskTree, type Place } from './disk-tree.ts';
import { closeFile, linkFile, listFolder, removeFile, syncFolder, unlinkFile, writeSmallFile } from './file-calls.ts';
import { readFile, statFile } from './read-file.ts';
import { statIfThere, walkFiles } from './walk-files.ts';
import { type DiskFault, writeFile } from './write-file.ts';

export interface DiskBackendConfig {
  /** As in `versions.backend`. Default `disk`. */
  readonly name?: string | undefined;
  /** Created when missing. Needs a file system with hard links; `.tmp` inside of it is on the same one. */
  readonly root: string;
  /** The bucket in presigned URLs. */
  readonly bucket: string;
  /** Where this server answers presigned URLs: `http://127.0.0.1:8000`. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: SigningCredentials;
  /** Called at the steps of a put, by tests. */
  readonly fault?: DiskFault;
}

/** A put makes a folder and links into it; another process may remove it in between, but not this often. */
const linkAttemptsMax = 20;

/** Opens a disk store, making its root and its folder for temporary files where missing. */
export async function openDiskBackend(config: DiskBackendConfig): Promise<DiskBackend> {
  await mkdir(config.root, { recursive: true, mode: 0o700 });
  const root = await realpath(config.root);
  await mkdir(path.join(root, '.tmp'), { recursive: true, mode: 0o700 });
  return new DiskBackend(root, config);
}

/** Objects as files; made by `openDiskBackend`. */
export class DiskBackend implements Backend {
  readonly name: string;
  readonly bucket: string;
  readonly parts: DiskPartStore;
  readonly #tree: DiskTree;
  /** No key begins with a dot, so no key is inside. */
  readonly #temporaryFolder: string;
  readonly #presigning: PresignerConfig;
  readonly #presigner: Presigner;
  readonly #fault: DiskFault | undefined;

  constructor(root: string, config: DiskBackendConfig) {
    this.name = config.name ?? 'disk';
    this.bucket = config.bucket;
    this.#tree = new DiskTree(root);
    this.#temporaryFolder = path.join(root, '.tmp');
    this.#presigning = config;
    this.#presigner = new Presigner(config);
    this.#fault = config.fault;
    this.parts = new DiskPartStore({
      folder: path.join(root, '.parts'),
      presigner: this.#presigner,
      put: (key, source) => this.put(key, source),
      fault: config.fault,
    });
  }

  async put(key: string, source: AsyncIterable<Uint8Array>, { signal }: PutOptions = {}): Promise<{ size: number }> {
    const place = this.#tree.place(key);
    const temporary = this.#newTemporary();
    try {
      const size = await writeFile(temporary, source, { signal, fault: this.#fault });
      await this.#tree.keepingFolders(place.folders, () => this.#publish(temporary, place));
      return { size };
    } catch (error) {
      // On a failing disk this fails too, and the first error is the one to tell; a leftover is swept.
      await unlinked(temporary).catch(() => false);
      throw diskError(error);
    }
  }

  async get(key: string, range?: ByteRange): Promise<GetResult> {
    const found = await mapped(readFile(this.#tree.place(key).path, range));
    if (found === undefined) throw new RowlockError('object_not_found', 'There are no bytes under this key.');
    return found;
  }

  async head(key: string): Promise<HeadResult | undefined> {
    const stats = await mapped(statFile(this.#tree.place(key).path));
    if (stats === undefined) return undefined;
    return {
      size: Number(stats.size),
      last_modified: stats.mtime,
      etag: `${stats.mtimeNs.toString(16)}-${stats.size.toString(16)}`,
    };
  }

  async delete(key: string): Promise<boolean> {
    return await mapped(this.#delete(this.#tree.place(key)));
  }

  async *list({ prefix = '' }: ListOptions = {}): AsyncGenerator<ListedObject, void> {
    for await (const entry of walkFiles(this.#tree.root, { prefix })) {
      if ('key' in entry) yield entry;
    }
  }

  walk({ after = '' }: WalkOptions = {}): AsyncIterable<ListedObject | ForeignEntry> {
    return walkFiles(this.#tree.root, { after });
  }

  async *listUnfinished(): AsyncGenerator<UnfinishedObject, void> {
    const now = await this.#fileSystemNow();
    for await (const { name: id } of await listFolder(this.#temporaryFolder)) {
      const stats = await statIfThere(path.join(this.#temporaryFolder, id));
      if (stats?.isFile() === true) yield { id, size: stats.size, age_ms: now - stats.mtimeMs };
    }
    yield* this.parts.unfinished(now);
  }

  async removeUnfinished(olderThanMs: number, kept: ReadonlySet<string> = new Set()): Promise<number> {
    let removed = 0;
    for await (const { id, age_ms, store_id } of this.listUnfinished()) {
      if (age_ms <= olderThanMs || (store_id !== undefined && kept.has(store_id))) continue;
      if (store_id === undefined) await removeFile(path.join(this.#temporaryFolder, id));
      else await this.parts.removeLeftover(store_id);
      removed += 1;
    }
    return removed;
  }

  async presignPut(key: string, options: PresignPutOptions): Promise<string> {
    assertKey(key);
    return presignPutUrl(this.#presigner, key, options);
  }

  async presignGet(key: string, options: PresignGetOptions): Promise<string> {
    assertKey(key);
    return presignGetUrl(this.#presigner, key, options);
  }

  async signingKeys(days: readonly string[]): Promise<readonly DayKey[]> {
    return dayKeys(this.#presigning, days);
  }

  /** Writes a temporary file and links it, since a file system without hard links cannot keep our promise. */
  async check(): Promise<void> {
    const first = this.#newTemporary();
    const second = this.#newTemporary();
    try {
      await writeSmallFile(first, 'check');
      await linkFile(first, second);
    } catch (error) {
      throw diskError(error);
    } finally {
      for (const path of [first, second]) await removeFile(path).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    // Nothing is held open between calls.
  }

  /**
   * What time it is for the files: that of a file written now. A file server, and a process under a wrong clock, has
   * another time than ours, and running uploads must not look hours old.
   */
  async #fileSystemNow(): Promise<number> {
    const probe = this.#newTemporary();
    try {
      await writeSmallFile(probe, '');
      return (await statIfThere(probe))?.mtimeMs ?? Date.now();
    } catch {
      return Date.now(); // full or read-only: just then what is left over should be found
    } finally {
      await removeFile(probe).catch(() => undefined);
    }
  }

  #newTemporary(): string {
    return path.join(this.#temporaryFolder, randomUUID());
  }

  /** Makes the bytes visible and durable under their key, or neither. */
  async #publish(temporary: string, place: Place): Promise<void> {
    const folder = await this.#link(temporary, place);
    try {
      await this.#fault?.('disk.after_rename');
      // The removal of the temporary name need not be durable: a leftover is swept.
      await Promise.all([syncFolder(folder), this.#tree.syncAbove(place.folders), unlinked(temporary)]);
    } catch (error) {
      // Ours, since link made it: what is not durable must not be seen. The first error is the one to tell.
      await unlinkFile(place.path).catch(() => undefined);
      throw error;
    } finally {
      await closeFile(folder);
    }
  }

  /**
   * Gives the bytes their final name and returns the folder, open, as a descriptor.
   *
   * link(2), not rename(2): of the two only link refuses atomically to replace a file that is there, which is
   * what makes exactly one of many concurrent puts succeed. The temporary name is removed afterwards.
   */
  async #link(temporary: string, place: Place): Promise<number> {
    for (let attempt = 1; attempt <= linkAttemptsMax; attempt++) {
      const folder = await this.#tree.openFolder(place.folders);
      if (folder === undefined) {
        await this.#tree.makeFolder(place.folders);
        continue;
      }
      try {
        await linkFile(temporary, place.path);
        return folder;
      } catch (error) {
        await closeFile(folder);
        if (errnoOf(error) === 'EEXIST') throw new RowlockError('object_exists', 'The key has bytes already.');
        // Another process took the empty folder away between the two steps; anything else is final.
        if (errnoOf(error) !== 'ENOENT') throw error;
      }
    }
    throw new RowlockError('unavailable', 'The temporary file of the upload or its folder vanished.');
  }

  async #delete(place: Place): Promise<boolean> {
    const folder = await this.#tree.openFolder(place.folders);
    if (folder === undefined) return false;
    await closeFile(folder);
    const isRemoved = await unlinked(place.path);
    // Also where nothing was removed: an earlier delete may have died between removing and syncing.
    await this.#tree.syncRemoval(place.folders);
    return isRemoved;
  }
}

async function unlinked(file: string): Promise<boolean> {
  try {
    await unlinkFile(file);
    return true;
  } catch (error) {
    // EISDIR (EPERM on macOS): the key is only the beginning of other keys.
    if (isAbsent(error) || errnoOf(error) === 'EISDIR') return false;
    throw error;
  }
}

async function mapped<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw diskError(error);
  }
}
