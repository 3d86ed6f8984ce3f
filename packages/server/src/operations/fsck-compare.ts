/**
 * Merges two walks in the order of keys, that of the store and that of its rows, page by page. It holds a page of each and
 * repairs nothing. Invariant: what it finds was wrong at one instant, whatever uploads and deletes are under way: a row is
 * there before its bytes and goes after them, so each suspicion is asked again in that order.
 */
import type { ForeignEntry, ListedObject } from '../backend/backend.ts';
import { isKey } from '../backend/keys.ts';
import { fault } from '../domain/fault.ts';
import { fsckPage, type VersionOfKey, versionsStored } from '../metadata/fsck.ts';
import type { Finding, FsckParts, FsckPhase, RecordedRun } from './fsck-run.ts';

export interface CompareOptions {
  readonly pageSize: number;
  /** Whether sizes are compared here; a scrub does so itself, with the digest. */
  readonly withSizes: boolean;
  /** What comes after the last page. */
  readonly next: FsckPhase;
  readonly signal: AbortSignal;
}

type Walked = ListedObject | ForeignEntry;

/** Compares from the run's position on. Resolves when all is compared. */
export async function compareRowsWithBytes(parts: FsckParts, run: RecordedRun, options: CompareOptions): Promise<void> {
  const walk = parts.backend.walk({ after: run.position })[Symbol.asyncIterator]();
  let walked: Walked[] = [];
  let hasMore = true;
  try {
    for (;;) {
      options.signal.throwIfAborted();
      hasMore &&= await fillUp(walked, walk, options.pageSize);
      // After the walk: a key whose row is not here had none when it was seen, or has neither by now.
      const rows = await selectPage(parts, run.position, options.pageSize);
      const bound = lesser(
        hasMore ? placeOf(walked.at(-1)) : undefined,
        rows.length < options.pageSize ? undefined : rows.at(-1)?.key,
      );
      const upTo = <Item>(items: readonly Item[], place: (item: Item) => string): Item[] =>
        bound === undefined ? [...items] : items.filter((item) => place(item) <= bound);
      const page = upTo(walked, placeOf);
      const compared = { page, rows: upTo(rows, ({ key }) => key), withSizes: options.withSizes };
      const found = await comparePage(parts, run, compared);
      walked = walked.slice(page.length);
      await fault('fsck.before_page');
      await run.advance(bound === undefined ? options.next : 'compare', bound ?? '', found);
      await fault('fsck.after_page');
      if (bound === undefined) return;
    }
  } finally {
    await walk.return?.();
  }
}

/** Walks until a page is there; tells whether there may be more. */
async function fillUp(walked: Walked[], walk: AsyncIterator<Walked>, pageSize: number): Promise<boolean> {
  while (walked.length < pageSize) {
    const next = await walk.next();
    if (next.done === true) return false;
    walked.push(next.value);
  }
  return true;
}

function placeOf(entry: Walked): string;
function placeOf(entry: Walked | undefined): string | undefined;
function placeOf(entry: Walked | undefined): string | undefined {
  return entry === undefined ? undefined : 'key' in entry ? entry.key : entry.place;
}

/** The nearer bound; undefined is none. */
function lesser(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

function selectPage({ db, backend }: FsckParts, after: string, pageSize: number): Promise<readonly VersionOfKey[]> {
  return db.run<VersionOfKey & Record<string, unknown>>(fsckPage, [backend.name, after, pageSize]);
}

interface Compared {
  readonly page: readonly Walked[];
  readonly rows: readonly VersionOfKey[];
  readonly withSizes: boolean;
}

async function comparePage(
  parts: FsckParts,
  run: RecordedRun,
  { page, rows, withSizes }: Compared,
): Promise<readonly Finding[]> {
  const sizes = new Map<string, number>();
  const found: Finding[] = [];
  for (const entry of page) {
    if ('key' in entry) sizes.set(entry.key, entry.size);
    else found.push({ kind: 'foreign', key: entry.place, version_id: null, detail: { what: entry.foreign } });
  }
  run.progress.keys += sizes.size;
  run.progress.versions += rows.length;
  run.progress.unreferenced += rows.filter(({ unreferenced }) => unreferenced).length;
  const known = new Set(rows.map(({ key }) => key));
  found.push(...(await orphans(parts, page, known)), ...(await lost(parts, rows, sizes, withSizes)));
  for (const { id, key, state, expired, doomed, quarantined } of rows) {
    if (quarantined !== null) found.push({ kind: 'quarantined', key, version_id: id, detail: { reason: quarantined } });
    if (doomed) found.push({ kind: 'purged_but_named', key, version_id: id, detail: { state } });
    if (sizes.has(key) && expired) {
      found.push({ kind: 'overdue', key, version_id: id, detail: { state } });
    }
  }
  return found;
}

/** Keys that no row has and that still have their bytes: those of a purge went before its row did. */
async function orphans(
  { backend }: FsckParts,
  page: readonly Walked[],
  known: ReadonlySet<string>,
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const entry of page) {
    if (!('key' in entry) || known.has(entry.key)) continue;
    const there = await backend.head(entry.key);
    if (there === undefined) continue;
    const detail = { size: there.size, last_modified: there.last_modified.toISOString() };
    found.push({ kind: 'bytes_without_row', key: entry.key, version_id: null, detail });
  }
  return found;
}

/** Rows whose bytes are not there or too many or few, now and while the row says that they are stored. */
async function lost(
  { db, backend }: FsckParts,
  rows: readonly VersionOfKey[],
  sizes: ReadonlyMap<string, number>,
  withSizes: boolean,
): Promise<readonly Finding[]> {
  const found: (Finding & { readonly version_id: string })[] = [];
  for (const { id, key, state, size } of rows) {
    const listed = sizes.get(key);
    if (state !== 'stored' || String(listed) === size || (listed !== undefined && !withSizes)) continue;
    const there = isKey(key) ? await backend.head(key) : undefined;
    if (there === undefined) {
      found.push({ kind: 'missing', key, version_id: id, detail: { expected_size: Number(size) } });
    } else if (withSizes && String(there.size) !== size) {
      const detail = { expected_size: Number(size), found_size: there.size };
      found.push({ kind: 'wrong_size', key, version_id: id, detail });
    }
  }
  if (found.length === 0) return found;
  const ids = found.map(({ version_id }) => version_id);
  const stored = new Set((await db.run<{ id: string }>(versionsStored, [ids])).map(({ id }) => id));
  return found.filter(({ version_id }) => stored.has(version_id));
}
