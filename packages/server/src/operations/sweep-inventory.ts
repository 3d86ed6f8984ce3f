/**
 * Finds bytes that no row names from a list that the store made, an S3 Inventory, where listing the store itself would take
 * too long. The list is a day old: it only says where to look. It tells nothing of rows without bytes; `fsck` does.
 * Invariant: what is removed had no row, was asked for again at the store, and is older than the grace.
 */
import type { Backend } from '../backend/backend.ts';
import { isKey } from '../backend/keys.ts';
import { keysOfAdopted } from '../metadata/adopt-rows.ts';
import type { Database } from '../metadata/database.ts';
import { versionsByKey } from '../metadata/fsck.ts';

export interface InventorySweepOptions {
  /** Lines of the inventory's CSV; asked for twice where something may be removed. */
  readonly lines: () => AsyncIterable<string>;
  /** What the store has before every key of ours. */
  readonly keyPrefix: string;
  /** Bytes without a row that are younger stay. */
  readonly graceSeconds: number;
  /** Reports and removes nothing. */
  readonly dryRun: boolean;
  /** Acts although so much is unknown that the list and the database may not belong together. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}

export interface InventorySweepReport {
  /** Objects of our bucket below our prefix. */
  readonly listed: number;
  /** Lines of other buckets or prefixes, and names that are no keys: they are nobody's business here. */
  readonly foreign: number;
  /** Those that no row names and that are there. */
  readonly orphans: number;
  readonly orphan_bytes: number;
  /** Of these, what is too young to be removed. */
  readonly young: number;
  readonly removed: number;
  /** The first hundred orphans. */
  readonly keys: readonly string[];
  readonly held_back?: string;
}

const pageSize = 1000;
/** How many the store is asked for at once. */
const atOnce = 16;
const keysShown = 100;
/** Beyond this many, and a tenth of all, it is more likely that the list is another database's. */
const doubtfulFrom = 100;

/**
 * Sweeps by an inventory. Not atomic: ended by the signal, what was removed is removed, and it can be run again.
 *
 * @throws Error for a line that is none of an inventory
 */
export async function sweepInventory(
  parts: SweptStores,
  options: InventorySweepOptions,
): Promise<InventorySweepReport> {
  const held_back = options.dryRun || options.force ? undefined : await doubtOf(parts, options);
  const effective = held_back === undefined ? options : { ...options, dryRun: true };
  const counts = { listed: 0, foreign: 0, orphans: 0, orphan_bytes: 0, young: 0, removed: 0 };
  const keys: string[] = [];
  for await (const page of pagesOf(parts.backend, effective)) {
    counts.listed += page.keys.length;
    counts.foreign += page.foreign;
    for await (const { key, size, isYoung, isRemoved } of sweepPage(parts, page, effective)) {
      counts.orphans += 1;
      counts.orphan_bytes += size;
      counts.young += isYoung ? 1 : 0;
      counts.removed += isRemoved ? 1 : 0;
      if (keys.length < keysShown) keys.push(key);
    }
  }
  return { ...counts, keys, ...(held_back === undefined ? {} : { held_back }) };
}

interface SweptStores {
  readonly db: Database;
  readonly backend: Backend;
}

/** Why the list and the database may not belong together; asks no store. */
async function doubtOf(stores: SweptStores, options: InventorySweepOptions): Promise<string | undefined> {
  let unknown = 0;
  let all = 0;
  for await (const page of pagesOf(stores.backend, options)) {
    all += page.keys.length;
    unknown += (await unknownOf(stores, page.keys)).length;
  }
  if (unknown <= doubtfulFrom || unknown * 10 <= all) return undefined;
  return `${unknown} of ${all} listed keys have no row: is this the inventory of this database's bucket, and is the database not an older copy? If all is well, add --force`;
}

/** What no row names of a page, and is there. */
async function* sweepPage(
  stores: SweptStores,
  page: Page,
  options: InventorySweepOptions,
): AsyncGenerator<Swept, void> {
  const unknown = await unknownOf(stores, page.keys);
  for (let from = 0; from < unknown.length; from += atOnce) {
    options.signal.throwIfAborted();
    const looked = await Promise.all(unknown.slice(from, from + atOnce).map((key) => sweepKey(stores, key, options)));
    yield* looked.filter((each) => each !== undefined);
  }
}

interface Swept {
  readonly key: string;
  readonly size: number;
  readonly isYoung: boolean;
  readonly isRemoved: boolean;
}

/** Looks at the store, and removes what is old; undefined for what is gone. */
async function sweepKey(
  { backend }: SweptStores,
  key: string,
  { graceSeconds, dryRun }: InventorySweepOptions,
): Promise<Swept | undefined> {
  const there = await backend.head(key);
  if (there === undefined) return undefined;
  const isYoung = Date.now() - there.last_modified.getTime() < graceSeconds * 1000;
  const isRemoved = !isYoung && !dryRun && (await backend.delete(key));
  return { key, size: there.size, isYoung, isRemoved };
}

/** Those that neither a version nor an adopted file names. */
async function unknownOf({ db, backend }: SweptStores, keys: readonly string[]): Promise<readonly string[]> {
  const rows = await db.run<{ key: string }>(versionsByKey, [backend.name, keys]);
  const known = new Set([...rows.map(({ key }) => key), ...(await keysOfAdopted(db, keys))]);
  return keys.filter((key) => !known.has(key));
}

interface Page {
  readonly keys: readonly string[];
  readonly foreign: number;
}

/** Keys of ours in the order of the list, each once a page: an inventory may list several versions of an object. */
async function* pagesOf(backend: Backend, options: InventorySweepOptions): AsyncGenerator<Page, void> {
  let keys = new Set<string>();
  let foreign = 0;
  let number = 0;
  for await (const line of options.lines()) {
    number += 1;
    if (line === '') continue;
    options.signal.throwIfAborted();
    const { bucket, name } = inventoryLine(line, number);
    const key = name?.startsWith(options.keyPrefix) === true ? name.slice(options.keyPrefix.length) : '';
    if (bucket === backend.bucket && isKey(key)) keys.add(key);
    else foreign += 1;
    if (keys.size === pageSize) {
      yield { keys: [...keys], foreign };
      [keys, foreign] = [new Set(), 0];
    }
  }
  yield { keys: [...keys], foreign };
}

/** The first two columns of every inventory: the bucket, and the key, percent-encoded; undefined for a key that is not. */
function inventoryLine(line: string, number: number): { readonly bucket: string; readonly name: string | undefined } {
  const [, bucket, encoded] = /^"([a-z0-9.-]{3,63})","([^"]+)"(?:,|$)/i.exec(line) ?? [];
  if (bucket === undefined || encoded === undefined) {
    throw new Error(`line ${number} is none of an S3 Inventory in CSV: it begins with a bucket and a key`);
  }
  try {
    return { bucket, name: decodeURIComponent(encoded.replaceAll('+', ' ')) };
  } catch {
    return { bucket, name: undefined };
  }
}
