/**
 * Uploads in parts to a disk store: a folder for each upload, a file for each part, and one more pass over the bytes that makes
 * them an object. It knows neither keys' places nor who may send what. Invariant: a part is there whole and durable or not at
 * all, and completing reads exactly the parts that were named, whatever arrives meanwhile.
 */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { RowlockError } from '@rowlock/client/contract';
import { isAlreadyExists, type UnfinishedObject } from '../backend.ts';
import { assertKey } from '../keys.ts';
import {
  listedPartsMax,
  type NamedPart,
  type PartStore,
  type PartsPlace,
  type PresignPartOptions,
  type StoredPart,
} from '../parts.ts';
import { presignPartUrl } from '../s3/presign-object.ts';
import type { Presigner } from '../s3/presigner.ts';
import { diskError, errnoOf, isAbsent } from './disk-errors.ts';
import { listFolder, makeFolders, moveFile, removeFile, removeTree } from './file-calls.ts';
import { readFile, statFile } from './read-file.ts';
import { statIfThere } from './walk-files.ts';
import { type DiskFault, writeFile } from './write-file.ts';

export interface DiskPartStoreParts {
  /** The folder of all uploads; made with the first one. */
  readonly folder: string;
  readonly presigner: Presigner;
  /** The store's own way to write an object. */
  readonly put: (key: string, source: AsyncIterable<Uint8Array>) => Promise<unknown>;
  readonly fault: DiskFault | undefined;
}

const idPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const partPattern = /^[1-9]\d{0,4}$/;

/** Uploads as folders. */
export class DiskPartStore implements PartStore {
  readonly #parts: DiskPartStoreParts;

  constructor(parts: DiskPartStoreParts) {
    this.#parts = parts;
  }

  get origin(): string {
    return this.#parts.presigner.origin;
  }

  async create(key: string): Promise<string> {
    assertKey(key);
    const id = randomUUID();
    await mapped(makeFolders(this.#folderOf(id)));
    return id;
  }

  async list(
    { store_id }: PartsPlace,
    { after = 0, limit = listedPartsMax }: { readonly after?: number; readonly limit?: number } = {},
  ): Promise<readonly StoredPart[]> {
    const folder = this.#folderOf(store_id);
    const numbers = (await mapped(namesIn(folder)))
      .filter((name) => partPattern.test(name) && Number(name) > after)
      .map(Number)
      .sort((a, b) => a - b)
      .slice(0, Math.min(limit, listedPartsMax));
    const found: StoredPart[] = [];
    for (const part_number of numbers) {
      const part = await mapped(partAt(folder, part_number));
      if (part !== undefined) found.push(part);
    }
    return found;
  }

  async complete({ key, store_id }: PartsPlace, parts: readonly NamedPart[]): Promise<void> {
    const folder = this.#folderOf(store_id);
    await mapped(namesIn(folder));
    try {
      await this.#parts.put(key, bytesOf(folder, parts));
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    await this.#remove(folder);
  }

  async abort({ store_id }: PartsPlace): Promise<boolean> {
    return await this.#remove(this.#folderOf(store_id));
  }

  async presignPart(place: PartsPlace, options: PresignPartOptions): Promise<string> {
    assertKey(place.key);
    return presignPartUrl(this.#parts.presigner, place, options);
  }

  async receive(
    { store_id }: PartsPlace,
    part: { readonly part_number: number; readonly body: AsyncIterable<Uint8Array>; readonly signal?: AbortSignal },
  ): Promise<StoredPart> {
    const { part_number, body, signal } = part;
    const folder = this.#folderOf(store_id);
    const temporary = path.join(folder, `new-${part_number}-${randomUUID()}`);
    try {
      await writeFile(temporary, body, { signal, fault: this.#parts.fault });
      await moveFile(temporary, path.join(folder, String(part_number)));
      const stored = await partAt(folder, part_number);
      if (stored === undefined) throw gone();
      return stored;
    } catch (error) {
      await removeFile(temporary).catch(() => undefined);
      throw errnoOf(error) === 'ENOENT' ? gone(error) : diskError(error);
    }
  }

  /** Uploads that are neither completed nor given up; as old as what was last written there. */
  async *unfinished(now: number): AsyncGenerator<UnfinishedObject, void> {
    for (const id of await namesIn(this.#parts.folder).catch(unlessAbsent)) {
      const folder = path.join(this.#parts.folder, id);
      const stats = await statIfThere(folder);
      if (stats?.isDirectory() !== true) continue;
      let size = 0;
      let writtenAt = stats.mtimeMs;
      for (const name of await namesIn(folder).catch(unlessAbsent)) {
        const part = await statIfThere(path.join(folder, name));
        size += part?.size ?? 0;
        writtenAt = Math.max(writtenAt, part?.mtimeMs ?? 0);
      }
      yield { id: `${id} (upload in parts)`, size, age_ms: now - writtenAt, store_id: id };
    }
  }

  /** Takes the folder away under another name first: what still writes there finds nothing, and leaves nothing. */
  async #remove(folder: string): Promise<boolean> {
    const going = `${folder}-gone`;
    await mapped(removeTree(going)); // where a removal before this one ended half-way
    try {
      await moveFile(folder, going);
    } catch (error) {
      if (isAbsent(error)) return false;
      throw diskError(error);
    }
    await mapped(removeTree(going));
    return true;
  }

  /** Removes one of what `unfinished` told. */
  async removeLeftover(name: string): Promise<void> {
    const folder = path.join(this.#parts.folder, name);
    if (idPattern.test(name)) await this.#remove(folder);
    else await mapped(removeTree(folder));
  }

  #folderOf(id: string): string {
    if (!idPattern.test(id)) throw gone();
    return path.join(this.#parts.folder, id);
  }
}

async function* bytesOf(folder: string, parts: readonly NamedPart[]): AsyncGenerator<Uint8Array, void> {
  for (const { part_number, etag } of parts) {
    const place = path.join(folder, String(part_number));
    // By its own name first, then what was opened: a part that is replaced in between is another one.
    const found = (await partAt(folder, part_number))?.etag === etag ? await readFile(place) : undefined;
    if (found === undefined || (await partAt(folder, part_number))?.etag !== etag) {
      found?.stream.destroy();
      throw new RowlockError('invalid_part', `Part ${part_number} is not there, or not the one that was named`);
    }
    yield* found.stream as AsyncIterable<Uint8Array>;
  }
}

async function partAt(folder: string, part_number: number): Promise<StoredPart | undefined> {
  const stats = await statFile(path.join(folder, String(part_number)));
  if (stats === undefined) return undefined;
  return {
    part_number,
    size: Number(stats.size),
    etag: [stats.ino, stats.mtimeNs, stats.size].map((n) => n.toString(16)).join('-'),
  };
}

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of await listFolder(folder)) names.push(name);
  return names;
}

/** No folder has no names in it. */
function unlessAbsent(error: unknown): string[] {
  if (isAbsent(error)) return [];
  throw diskError(error);
}

const gone = (cause?: unknown): RowlockError =>
  new RowlockError('upload_gone', 'The store does not have this upload any more', { cause });

async function mapped<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw isAbsent(error) ? gone(error) : diskError(error);
  }
}
