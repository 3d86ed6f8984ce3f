/**
 * Buckets in the model: made, changed, emptied, deleted. Invariant: a bucket that has anything, current or kept, stays.
 */

import { clearMarkers, removeItem } from './bookkeeping.ts';
import { idOf, mayChangeBucket, mayDelete, seesBucket, seesEntry, seesObject } from './rights.ts';
import { type Bucket, type BucketSettings, Refused, refuseIf, type Who, type World } from './world.ts';

export function createBucket(world: World, who: Who, name: string, settings: BucketSettings): void {
  refuseIf(who === 'anon', 'not_allowed');
  refuseIf(world.buckets[name] !== undefined, 'bucket_exists');
  world.buckets[name] = { ...settings, name, owner: idOf(who), incarnation: world.clock, versioned_until: -1 };
}

/** The bucket, for whoever may change it. @throws Refused as a request for it is refused */
function changeable(world: World, who: Who, name: string): Bucket {
  const bucket = world.buckets[name];
  if (bucket === undefined || !seesBucket(world, who, name)) throw new Refused('bucket_not_found');
  refuseIf(!mayChangeBucket(who, bucket), 'not_allowed');
  return bucket;
}

export function changeBucket(world: World, who: Who, name: string, changes: Partial<BucketSettings>): void {
  const bucket = changeable(world, who, name);
  const now = world.clock;
  if (bucket.versioning === 'on' && (changes.versioning ?? 'on') !== 'on') bucket.versioned_until = now;
  Object.assign(bucket, changes);
}

/** Deletes every object that the caller may delete; answers how many went, and whether any that they see is left. */
export function emptyBucket(world: World, who: Who, name: string): { deleted: number; is_empty: boolean } {
  changeable(world, who, name);
  const going = world.objects.filter((each) => each.bucket === name && mayDelete(world, who, each));
  for (const item of going) removeItem(world, item);
  return { deleted: going.length, is_empty: !seesAny(world, who, name) };
}

const seesAny = (world: World, who: Who, name: string): boolean =>
  world.objects.some((each) => each.bucket === name && seesObject(world, who, each));

/** What goes of a bucket's history before it is deleted by force; it stays gone where the bucket then stays. */
export function purgeHistory(world: World, who: Who, name: string): void {
  const bucket = world.buckets[name];
  if (bucket === undefined || !seesBucket(world, who, name) || !mayChangeBucket(who, bucket)) return;
  if (seesAny(world, who, name)) return;
  world.entries = world.entries.filter((each) => each.bucket !== name || !seesEntry(world, who, each));
  clearMarkers(world);
}

export function deleteBucket(world: World, who: Who, name: string): void {
  changeable(world, who, name);
  const isUsed = [...world.objects, ...world.entries].some((each) => each.bucket === name);
  refuseIf(isUsed, 'bucket_not_empty');
  delete world.buckets[name];
}

/** In SQL, all in one transaction of the service: objects, what is kept of them, and the bucket. */
export function dropBucket(world: World, name: string): number {
  for (const item of world.objects.filter((each) => each.bucket === name)) removeItem(world, item);
  world.entries = world.entries.filter((each) => each.bucket !== name);
  const isThere = world.buckets[name] !== undefined;
  delete world.buckets[name];
  return isThere ? 1 : 0;
}
