/**
 * Walks listings page by page: a folder, everything below a prefix, the versions of a name. Pages are asked for with the
 * cursor of the one before, so that they cost what they show, and show everything that was there all the while once.
 */
import type { StorageClient } from './client.ts';
import type { Entry, ListedObject, ListPage } from './contract/objects.ts';
import type { ObjectVersion, VersionPage } from './contract/versions.ts';
import { queryOf } from './filled.ts';
import { objectPath } from './object-path.ts';

export interface ListOptions {
  /** Only entries with this in their names, in any case. Such a listing reads all that it passes over. */
  readonly search?: string;
  /** Everything below, with names from the folder on. */
  readonly recursive?: boolean;
  readonly signal?: AbortSignal;
}

const pageSize = 1000;

/** Objects whose names begin with a prefix, in the order of the bytes of their names. */
export async function* listAll(
  client: StorageClient,
  bucket: string,
  { prefix, signal }: { readonly prefix: string; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<ListedObject, void, undefined> {
  for await (const page of pages(client, bucket, { prefix, with_delimiter: false }, signal)) {
    yield* page.objects;
  }
}

/** What is in a folder: objects and folders, with names from the folder on, in the order of their bytes. */
export async function* listFolder(
  client: StorageClient,
  bucket: string,
  folder: string,
  { search = '', recursive = false, signal }: ListOptions,
): AsyncGenerator<Entry, void, undefined> {
  const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
  if (search !== '') {
    yield* searched(client, bucket, { prefix, search, recursive }, signal);
    return;
  }
  for await (const page of pages(client, bucket, { prefix, with_delimiter: !recursive }, signal)) {
    const entries: { readonly whole: string; readonly entry: Entry }[] = [
      ...page.objects.map((object) => ({
        whole: object.name,
        entry: { ...object, name: object.name.slice(prefix.length) },
      })),
      ...page.folders.map(({ name }) => ({
        whole: name,
        entry: { name: name.slice(prefix.length, -1), id: null, created_at: null, updated_at: null, metadata: null },
      })),
    ];
    for (const { entry } of page.folders.length === 0 ? entries : entries.sort(byBytes)) {
      yield entry;
    }
  }
}

/** Versions and delete markers of a name, newest first, or, without a name, what of a bucket can be restored. */
export async function* listVersionsOf(
  client: StorageClient,
  path: string,
  query: Readonly<Record<string, string>>,
): AsyncGenerator<ObjectVersion, void, undefined> {
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const asked = queryOf({ ...query, limit: `${pageSize}`, cursor });
    const page = await client.ask<VersionPage>({ method: 'GET', path: path + asked });
    yield* page.versions;
    cursor = page.next_cursor;
  }
}

async function* pages(
  client: StorageClient,
  bucket: string,
  listing: { readonly prefix: string; readonly with_delimiter: boolean },
  signal: AbortSignal | undefined,
): AsyncGenerator<ListPage, void, undefined> {
  const path = objectPath('object/list-v2', bucket);
  for (let cursor: string | undefined, isLast = false; !isLast; ) {
    const json = { ...listing, limit: pageSize, cursor };
    const page = await client.ask<ListPage>({ method: 'POST', path, json, signal });
    yield page;
    cursor = page.nextCursor;
    isLast = !page.hasNext || cursor === undefined;
  }
}

/** Only the listing with offsets searches. */
async function* searched(
  client: StorageClient,
  bucket: string,
  listing: { readonly prefix: string; readonly search: string; readonly recursive: boolean },
  signal: AbortSignal | undefined,
): AsyncGenerator<Entry, void, undefined> {
  const path = objectPath('object/list', bucket);
  for (let offset = 0, isLast = false; !isLast; offset += pageSize) {
    const json = { ...listing, limit: pageSize, offset };
    const page = await client.ask<readonly Entry[]>({ method: 'POST', path, json, signal });
    yield* page;
    isLast = page.length < pageSize;
  }
}

/**
 * The order of names by their bytes in UTF-8, which is that of their code points. Texts are compared by UTF-16 code units
 * otherwise, and those put what needs two of them too early.
 */
function byBytes(a: { readonly whole: string }, b: { readonly whole: string }): number {
  const length = Math.min(a.whole.length, b.whole.length);
  for (let i = 0; i < length; i += 1) {
    const [one, other] = [a.whole.charCodeAt(i), b.whole.charCodeAt(i)];
    if (one !== other) {
      const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;
      return isHigh(one) === isHigh(other) ? one - other : isHigh(one) ? 1 : -1;
    }
  }
  return a.whole.length - b.whole.length;
}
