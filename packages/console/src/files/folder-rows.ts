/**
 * The rows of a listing, read as they are wanted: how many there are is asked once, and pages follow on demand, with the
 * cursor of the page before where that was read, by offset where somebody jumped. It shows nothing. Invariant: a row is
 * either what the service answered at its place, or not there yet.
 */
import type { Entry, ListPage, StorageClient } from '@rowlock/client';
import { compareNames } from './byte-order.ts';
import { countEntries, listPage } from './object-calls.ts';

/** What is listed. */
export interface Listing {
  readonly bucket: string;
  /** Empty, or ending in a slash. */
  readonly prefix: string;
  /** Only names that contain it. */
  readonly search: string;
  /** Everything below instead of what is directly in the folder. */
  readonly recursive: boolean;
  readonly sort: 'name' | 'newest';
}

const pageLength = 200;

export class FolderRows {
  readonly listing: Listing;
  readonly #client: StorageClient;
  readonly #pages: Map<number, readonly Entry[]> = new Map();
  /** The cursor with which the page with a number is asked for. */
  readonly #cursors: Map<number, string> = new Map();
  readonly #loading: Map<number, Promise<void>> = new Map();
  #total = 0;
  #isWhole = true;

  constructor(client: StorageClient, listing: Listing) {
    this.#client = client;
    this.listing = listing;
  }

  /** How many rows there are. */
  get total(): number {
    return this.#total;
  }

  /** Whether the total is all there is; beyond a million nobody counts. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Asks how many rows there are, and for those of the first page. */
  async open(): Promise<void> {
    const [counted] = await Promise.all([countEntries(this.#client, this.listing), this.#load(0)]);
    const first = this.#pages.get(0) ?? [];
    // What came between the two answers is there, whichever of them saw it.
    this.#total = first.length < pageLength ? first.length : Math.max(counted.count, first.length);
    this.#isWhole = counted.complete;
  }

  /** The row at a place; undefined while it was not read. */
  at(index: number): Entry | undefined {
    return this.#pages.get(Math.floor(index / pageLength))?.[index % pageLength];
  }

  /** Where a row is, of those that were read. */
  indexOf(isWanted: (entry: Entry) => boolean): number | undefined {
    for (const [number, page] of this.#pages) {
      const place = page.findIndex(isWanted);
      if (place !== -1) {
        return number * pageLength + place;
      }
    }
    return undefined;
  }

  /** Whether all of these rows were read. */
  has(from: number, until: number): boolean {
    return pagesOf(from, Math.min(until, this.#total)).every((number) => this.#pages.has(number));
  }

  /** Reads the rows from one to before another, and answers them. */
  async read(from: number, until: number): Promise<readonly Entry[]> {
    const numbers = pagesOf(from, Math.min(until, this.#total));
    for (const number of numbers) {
      await this.#load(number);
    }
    return numbers
      .flatMap((number) => this.#pages.get(number) ?? [])
      .slice(from % pageLength, (from % pageLength) + until - from);
  }

  #load(number: number): Promise<void> {
    if (this.#pages.has(number)) {
      return Promise.resolve();
    }
    const running = this.#loading.get(number);
    if (running !== undefined) {
      return running;
    }
    const loading = this.#ask(number).finally(() => this.#loading.delete(number));
    this.#loading.set(number, loading);
    return loading;
  }

  async #ask(number: number): Promise<void> {
    const { search, recursive, sort } = this.listing;
    const cursor = this.#cursors.get(number);
    const hasCursors = search === '' && !recursive && sort === 'name';
    const page =
      hasCursors && (number === 0 || cursor !== undefined)
        ? await this.#askByCursor(number, cursor)
        : await listPage(this.#client, this.listing, { offset: number * pageLength, limit: pageLength });
    this.#pages.set(number, page);
    if (page.length < pageLength) {
      // It became shorter since it was counted.
      this.#total = Math.min(this.#total, number * pageLength + page.length);
    }
  }

  async #askByCursor(number: number, cursor: string | undefined): Promise<readonly Entry[]> {
    const { bucket, prefix } = this.listing;
    const path = `/storage/v1/object/list-v2/${encodeURIComponent(bucket)}`;
    const json = { prefix, with_delimiter: true, limit: pageLength, ...(cursor === undefined ? {} : { cursor }) };
    const page = (await (await this.#client.send({ method: 'POST', path, json })).json()) as ListPage;
    if (page.nextCursor !== undefined) {
      this.#cursors.set(number + 1, page.nextCursor);
    }
    return entriesOf(page, prefix);
  }
}

/** Folders among the objects, where their slashes put them, with names from the folder on. */
function entriesOf(page: ListPage, prefix: string): readonly Entry[] {
  const objects = page.objects.map((object) => ({ whole: object.name, entry: object as Entry }));
  const folders = page.folders.map(({ name }) => ({
    whole: name,
    entry: { name: name.slice(0, -1), id: null, created_at: null, updated_at: null, metadata: null },
  }));
  return [...objects, ...folders]
    .sort((one, other) => compareNames(one.whole, other.whole))
    .map(({ entry }) => ({ ...entry, name: entry.name.slice(prefix.length) }));
}

function pagesOf(from: number, until: number): readonly number[] {
  const first = Math.floor(from / pageLength);
  const length = until > from ? Math.floor((until - 1) / pageLength) - first + 1 : 0;
  return Array.from({ length }, (_, place) => first + place);
}
