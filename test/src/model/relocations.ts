/**
 * Moves and copies in the model, of one object and of folders, and what plain SQL does to names and buckets. Invariant:
 * each happens wholly or is refused; whoever calls throws away a world in which something was refused.
 */
import { addItem, assertRoom, assertTaken, needOf, relocate, removeItem, replaceBytes } from './bookkeeping.ts';
import { idOf, mayBecome, mayChange, mayCreate, mayDelete, mayMove, seesBucket, seesObject } from './rights.ts';
import {
  type Entry,
  type Item,
  type Metadata,
  type Need,
  objectAt,
  Refused,
  refuseIf,
  type Who,
  type World,
} from './world.ts';
import { deleteRow, seen } from './writes.ts';

export interface Place {
  readonly bucket: string;
  readonly name: string;
}

export interface Relocation {
  readonly who: Who;
  readonly from: Place;
  readonly to: Place;
  readonly overwrite: boolean;
  /** The text whose ETag the source must have. */
  readonly if_match: string | null;
}

/** The object that is moved or copied, as the caller sees it. */
function sourceOf(world: World, { who, from, if_match }: Relocation): Item {
  const source = seen(world, who, from.bucket, from.name);
  if (source === undefined) throw new Refused('object_not_found');
  refuseIf(if_match !== null && source.version.text !== if_match, 'precondition_failed');
  return source;
}

export function move(world: World, request: Relocation): void {
  const { who, to, from, overwrite } = request;
  const source = sourceOf(world, request);
  refuseIf(to.bucket !== from.bucket && !seesBucket(world, who, to.bucket), 'bucket_not_found');
  const target = seen(world, who, to.bucket, to.name);
  if (target === source) return;
  if (target !== undefined) {
    refuseIf(!overwrite, 'object_exists');
    refuseIf(!mayDelete(world, who, target), 'not_allowed');
    removeItem(world, target);
  }
  refuseIf(!mayChange(world, who, source), 'not_allowed');
  settle(world, to.bucket, placeAt(world, { who, item: source, to }));
}

interface Placing {
  readonly who: Who;
  readonly item: Item;
  readonly to: Place;
}

/** One row's new place, as its triggers and policies have it. */
function placeAt(
  world: World,
  { who, item, to }: Placing,
): { readonly needs: readonly Need[]; readonly items: Item[] } {
  refuseIf(!mayMove(world, who, item), 'not_allowed');
  const isElsewhere = to.bucket !== item.bucket;
  refuseIf(isElsewhere && !mayCreate(world, who, { bucket: to.bucket, owner: idOf(who) }), 'not_allowed');
  refuseIf(!mayBecome(world, who, { bucket: to.bucket, owner: item.owner }), 'not_allowed');
  refuseIf(objectAt(world, to.bucket, to.name) !== undefined, 'object_exists');
  return { needs: relocate(world, item, to.bucket, to.name), items: isElsewhere ? [item] : [] };
}

/** What is asked once a statement has changed its rows: limits of what came in, then quotas. */
function settle(
  world: World,
  bucket: string,
  { needs, items }: { readonly needs: readonly Need[]; readonly items: readonly Item[] },
): void {
  for (const { version } of items) assertTaken(world, bucket, version);
  assertRoom(world, needs);
}

export function copy(world: World, request: Relocation & { readonly given: Metadata | null }): boolean {
  const { who, to, overwrite } = request;
  const source = sourceOf(world, request);
  const { cache_control, user_metadata } = request.given ?? source;
  refuseIf(!seesBucket(world, who, to.bucket), 'bucket_not_found');
  const target = seen(world, who, to.bucket, to.name);
  if (target === undefined) {
    const owner = idOf(who);
    refuseIf(!mayCreate(world, who, { bucket: to.bucket, owner }), 'not_allowed');
    const item = addItem(world, { ...to, owner, version: source.version, cache_control, user_metadata });
    settle(world, to.bucket, { needs: needOf(world, item), items: [item] });
    return true;
  }
  refuseIf(!overwrite, 'object_exists');
  refuseIf(!mayChange(world, who, target) || !mayBecome(world, who, target), 'not_allowed');
  const isOther = target.version.text !== source.version.text;
  const needs = replaceBytes(world, target, source.version);
  target.cache_control = cache_control;
  target.user_metadata = user_metadata;
  settle(world, to.bucket, { needs, items: isOther ? [target] : [] });
  return false;
}

/** `INSERT … (bucket_id, name, version_id)`: another object of bytes that the caller can read; null asks only whether. */
export function insertRow(world: World, who: Who, to: Place, text: string | null): void {
  const owner = idOf(who);
  const readable = [
    ...world.objects.filter((each) => seesObject(world, who, each)),
    ...world.entries.filter((each) => mayMove(world, who, each)),
  ].find((each) => each.version !== null && each.version.text === text);
  refuseIf(text !== null && readable === undefined, 'not_allowed');
  refuseIf(!mayCreate(world, who, { bucket: to.bucket, owner }), 'not_allowed');
  if (readable === undefined || readable.version === null) throw new Refused('not_null');
  refuseIf(objectAt(world, to.bucket, to.name) !== undefined, 'object_exists');
  refuseIf(world.buckets[to.bucket] === undefined, 'bucket_not_found');
  const item = addItem(world, { ...to, owner, version: readable.version, cache_control: null, user_metadata: null });
  settle(world, to.bucket, { needs: needOf(world, item), items: [item] });
}

/** `UPDATE … SET bucket_id, name`; answers how many rows. */
export function updatePlace(world: World, who: Who, from: Place, to: Place): number {
  const item = seen(world, who, from.bucket, from.name);
  if (item === undefined || !mayChange(world, who, item)) return 0;
  if (from.bucket === to.bucket && from.name === to.name) return 1;
  if (world.buckets[to.bucket] === undefined) throw new Refused('not_allowed', 'bucket_not_found');
  settle(world, to.bucket, placeAt(world, { who, item, to }));
  return 1;
}

/** `UPDATE … SET cache_control, user_metadata`; answers how many rows. */
export function updateMetadata(world: World, who: Who, at: Place, metadata: Metadata): number {
  const item = seen(world, who, at.bucket, at.name);
  if (item === undefined || !mayChange(world, who, item)) return 0;
  refuseIf(!mayBecome(world, who, item), 'not_allowed');
  item.cache_control = metadata.cache_control;
  item.user_metadata = metadata.user_metadata;
  return 1;
}

export interface FolderRelocation {
  readonly who: Who;
  readonly from: { readonly bucket: string; readonly prefix: string };
  readonly to: { readonly bucket: string; readonly prefix: string };
}

/** What somebody sees below a prefix. */
export const below = (world: World, who: Who, bucket: string, prefix: string): readonly Item[] =>
  world.objects.filter(
    (each) => each.bucket === bucket && each.name.startsWith(prefix) && seesObject(world, who, each),
  );

function assertFolders(world: World, { who, from, to }: FolderRelocation): void {
  refuseIf(from.bucket === to.bucket && to.prefix.startsWith(from.prefix), 'invalid_request');
  for (const { bucket } of [from, to]) refuseIf(!seesBucket(world, who, bucket), 'bucket_not_found');
}

const placeBelow = ({ from, to }: FolderRelocation, { name }: Pick<Entry, 'name'>): Place => ({
  bucket: to.bucket,
  name: `${to.prefix}${name.slice(from.prefix.length)}`,
});

export function moveFolder(world: World, request: FolderRelocation): { readonly moved: number; readonly seen: number } {
  assertFolders(world, request);
  const { who, from, to } = request;
  const found = below(world, who, from.bucket, from.prefix);
  const going = found.filter((each) => mayChange(world, who, each) && mayMove(world, who, each));
  const isUp = from.bucket === to.bucket && from.prefix.startsWith(to.prefix);
  const lengths = isUp ? [...new Set(found.map(({ name }) => name.length))].sort((a, b) => a - b) : [null];
  for (const length of lengths) {
    moveTogether(
      world,
      request,
      going.filter(({ name }) => length === null || name.length === length),
    );
  }
  return { moved: going.length, seen: found.length };
}

/** One statement over many rows. Which row it meets first is not said, so neither is which refusal. */
function moveTogether(world: World, request: FolderRelocation, items: readonly Item[]): void {
  const { who, to } = request;
  const refusals = new Set(items.flatMap((item) => refusalOf(structuredClone(world), request, item)));
  if (refusals.size > 0) throw new Refused(...refusals);
  const placed = items.map((item) => placeAt(world, { who, item, to: placeBelow(request, item) }));
  // Of several that the bucket does not take, any is named.
  const limits = new Set(placed.flatMap(({ items: [item] }) => (item === undefined ? [] : limitOf(world, item))));
  if (limits.size > 0) throw new Refused(...limits);
  settle(world, to.bucket, { needs: placed.flatMap(({ needs }) => needs), items: [] });
}

function refusalOf(world: World, request: FolderRelocation, { bucket, name }: Item): readonly string[] {
  const item = objectAt(world, bucket, name);
  if (item === undefined) return [];
  return reasonsOf(() => placeAt(world, { who: request.who, item, to: placeBelow(request, item) }));
}

const limitOf = (world: World, { bucket, version }: Item): readonly string[] =>
  reasonsOf(() => assertTaken(world, bucket, version));

function reasonsOf(work: () => unknown): readonly string[] {
  try {
    work();
    return [];
  } catch (error) {
    if (error instanceof Refused) return error.reasons;
    throw error;
  }
}

export function copyFolder(world: World, request: FolderRelocation): number {
  assertFolders(world, request);
  const { who, from, to } = request;
  const found = below(world, who, from.bucket, from.prefix);
  const owner = idOf(who);
  refuseIf(found.length > 0 && !mayCreate(world, who, { bucket: to.bucket, owner }), 'not_allowed');
  const added = found.map(({ name, version, cache_control, user_metadata }) =>
    addItem(world, { ...placeBelow(request, { name }), owner, version, cache_control, user_metadata }),
  );
  const limits = new Set(added.flatMap((item) => limitOf(world, item)));
  if (limits.size > 0) throw new Refused(...limits);
  settle(world, to.bucket, { needs: added.flatMap((item) => needOf(world, item)), items: [] });
  return added.length;
}

export function deleteFolder(
  world: World,
  who: Who,
  bucket: string,
  prefix: string,
): { readonly deleted: number; readonly withheld: number } {
  refuseIf(!seesBucket(world, who, bucket), 'bucket_not_found');
  const found = below(world, who, bucket, prefix);
  const deleted = found.filter(({ name }) => deleteRow(world, who, bucket, name)).length;
  return { deleted, withheld: found.length - deleted };
}
