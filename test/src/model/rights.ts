/**
 * Who may do what in the model: the shipped policies, said once more in another language. Nothing here knows of versions
 * or sizes. Invariant: what is not asked for by a name of a bucket that exists is nobody's, the service's apart.
 */
import type { Bucket, Entry, Item, Who, World } from './world.ts';

/** The id that owners are compared with; nobody and the service have none. */
export const idOf = (who: Who): string | null => (who === 'ann' || who === 'ben' ? who : null);

const isPerson = (who: Who): boolean => idOf(who) !== null;

/** The bucket that a row is in, where it is the caller's to be asked of at all. */
function mine(who: Who, owner: string | null | undefined): boolean {
  return isPerson(who) && owner === idOf(who);
}

export function seesBucket(world: World, who: Who, name: string): boolean {
  const bucket = world.buckets[name];
  if (bucket === undefined) return false;
  if (who === 'service' || bucket.policy === 'public') return true;
  if (!isPerson(who)) return false;
  const ownsSome = world.objects.some((each) => each.bucket === name && mine(who, each.owner));
  return bucket.policy === 'authenticated' || bucket.owner === null || mine(who, bucket.owner) || ownsSome;
}

export const mayChangeBucket = (who: Who, bucket: Bucket): boolean => who === 'service' || mine(who, bucket.owner);

export function seesObject(world: World, who: Who, row: Pick<Item, 'bucket' | 'owner'>): boolean {
  const bucket = world.buckets[row.bucket];
  if (who === 'service' || bucket?.policy === 'public') return true;
  if (!isPerson(who)) return false;
  return mine(who, row.owner) || bucket?.policy === 'authenticated' || mine(who, bucket?.owner);
}

/** Whether the bucket takes what this caller brings. */
function isOpenTo(world: World, who: Who, name: string): boolean {
  const bucket = world.buckets[name];
  if (bucket === undefined || !isPerson(who)) return false;
  return bucket.policy === 'authenticated' || bucket.owner === null || mine(who, bucket.owner);
}

/** INSERT of a row of this owner. */
export const mayCreate = (world: World, who: Who, row: Pick<Item, 'bucket' | 'owner'>): boolean =>
  who === 'service' || (mine(who, row.owner) && isOpenTo(world, who, row.bucket));

/** INSERT of what comes back to its owner. */
export const mayRestore = (world: World, who: Who, row: Pick<Item, 'bucket' | 'owner'>): boolean =>
  mayCreate(world, who, row) || mine(who, world.buckets[row.bucket]?.owner);

/** UPDATE and DELETE are asked of rows that the caller sees. */
export function mayChange(world: World, who: Who, row: Pick<Item, 'bucket' | 'owner'>): boolean {
  if (who === 'service') return true;
  const bucket = world.buckets[row.bucket];
  if (!isPerson(who) || !seesObject(world, who, row)) return false;
  return mine(who, row.owner) || bucket?.policy === 'authenticated' || mine(who, bucket?.owner);
}

/** What a row may be changed to. */
export function mayBecome(world: World, who: Who, row: Pick<Item, 'bucket' | 'owner'>): boolean {
  if (who === 'service') return true;
  return seesObject(world, who, row) && (isOpenTo(world, who, row.bucket) || mine(who, row.owner));
}

/** Another name or bucket: for the owner of the object, or of the bucket that it leaves. */
export const mayMove = (world: World, who: Who, row: Pick<Item, 'bucket' | 'owner'>): boolean =>
  who === 'service' || mine(who, row.owner) || mine(who, world.buckets[row.bucket]?.owner);

export const mayDelete = (world: World, who: Who, row: Pick<Item, 'bucket' | 'owner'>): boolean =>
  seesObject(world, who, row) && mayMove(world, who, row);

/** Older versions are seen and purged by the owner of the object and of the bucket. */
export const seesEntry = (world: World, who: Who, row: Pick<Entry, 'bucket' | 'owner'>): boolean =>
  mayMove(world, who, row);
