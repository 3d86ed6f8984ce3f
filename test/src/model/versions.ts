/**
 * Older versions in the model: restored, purged by hand, let go of by time. Invariant: a name's entries stay in their
 * order, and no delete marker stands over nothing.
 */
import { addItem, assertRoom, assertTaken, clearMarkers, keep, needOf, prune, removeItem } from './bookkeeping.ts';
import type { Place } from './relocations.ts';
import { mayBecome, mayChange, mayDelete, mayRestore, seesEntry } from './rights.ts';
import { type Entry, entriesAt, type Item, Refused, refuseIf, type Version, type Who, type World } from './world.ts';
import { seen } from './writes.ts';

type Kept = Entry & { readonly version: Version };

const isKept = (entry: Entry): entry is Kept => entry.version !== null;

/** The entries of a name that somebody sees. */
export const entriesSeen = (world: World, who: Who, { bucket, name }: Place): readonly Entry[] =>
  entriesAt(world, bucket, name).filter((each) => seesEntry(world, who, each));

/** Makes a version what its name has; without a text takes the last deletion back. */
export function restore(world: World, who: Who, at: Place, text: string | null): void {
  restoreVersion(world, who, at, text);
}

function restoreVersion(world: World, who: Who, at: Place, text: string | null): void {
  const current = seen(world, who, at.bucket, at.name);
  if (current !== undefined && current.version.text === text) return;
  refuseIf(current !== undefined && text === null, 'object_exists');
  const entry = entriesSeen(world, who, at)
    .filter(isKept)
    .findLast(({ version }) => text === null || version.text === text);
  if (entry === undefined) throw new Refused('object_not_found');
  if (current === undefined) bringBack(world, who, entry);
  else restoreOver(world, who, current, entry);
}

function bringBack(world: World, who: Who, entry: Kept): void {
  const { bucket, name, owner, version, cache_control, user_metadata } = entry;
  refuseIf(!mayRestore(world, who, { bucket, owner }), 'not_allowed');
  const item = addItem(world, { bucket, name, owner, version, cache_control, user_metadata });
  takeEntry(world, entry);
  assertTaken(world, bucket, version);
  assertRoom(world, needOf(world, item));
}

function restoreOver(world: World, who: Who, current: Item, entry: Kept): void {
  const bucket = world.buckets[current.bucket];
  const staysKept = bucket?.versioning === 'on' || (current.id === entry.object && bucket?.soft === true);
  refuseIf(!staysKept, 'object_exists');
  refuseIf(!mayChange(world, who, current) || !mayBecome(world, who, current), 'not_allowed');
  keep(world, { ...current });
  prune(world, current.bucket, current.name);
  current.version = entry.version;
  current.cache_control = entry.cache_control;
  current.user_metadata = entry.user_metadata;
  takeEntry(world, entry);
  assertTaken(world, current.bucket, current.version);
  assertRoom(world, needOf(world, current));
}

/** What is restored is not kept any more, nor is the deletion that it takes back. */
function takeEntry(world: World, taken: Entry): void {
  world.entries = world.entries.filter((each) => each !== taken);
  const own = entriesAt(world, taken.bucket, taken.name);
  const above = new Set(own.slice(own.findLastIndex(isKept) + 1));
  world.entries = world.entries.filter((each) => !above.has(each));
}

/** What of a name is purged: a version by its text, or the delete marker at a place from the newest. */
export type PurgeTarget = { readonly text: string } | { readonly marker: number };

/** Purges one version for ever; answers whether anything went. */
export function purge(world: World, who: Who, at: Place, target: PurgeTarget): boolean {
  const current = seen(world, who, at.bucket, at.name);
  const own = entriesSeen(world, who, at);
  if ('marker' in target) {
    const all = entriesAt(world, at.bucket, at.name).filter((each) => each.version === null);
    const marker = all.at(-1 - target.marker);
    if (marker === undefined || !own.includes(marker)) return false;
    world.entries = world.entries.filter((each) => each !== marker);
    if (marker === own.at(-1) && current === undefined) uncover(world, who, at);
    return true;
  }
  const { text } = target;
  const isCurrent = current?.version.text === text;
  refuseIf(isCurrent && !mayDelete(world, who, current), 'not_allowed');
  const before = new Set(world.entries);
  if (isCurrent) removeItem(world, current);
  const gone = entriesSeen(world, who, at).filter(
    (each) => each.version?.text === text || (isCurrent && each.version === null && !before.has(each)),
  );
  world.entries = world.entries.filter((each) => !gone.includes(each));
  clearMarkers(world);
  if (isCurrent) uncover(world, who, at);
  return isCurrent || gone.length > 0;
}

/** What is on top now is what the name has, unless that is a delete marker. */
function uncover(world: World, who: Who, at: Place): void {
  const top = entriesSeen(world, who, at).at(-1);
  if (top !== undefined && isKept(top)) restoreVersion(world, who, at, top.version.text);
}

/** The time of everything that was deleted softly is over. */
export function expire(world: World): void {
  const touched = new Set(
    world.entries
      .filter(({ expires, version }) => expires && version !== null)
      .map(({ bucket, name }) => `${bucket}/${name}`),
  );
  world.entries = world.entries.filter(({ expires }) => !expires);
  if (touched.size > 0) clearMarkers(world);
}
