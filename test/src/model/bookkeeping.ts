/**
 * What follows from every change of an object in the model, whoever made it: what is kept of it, what a bucket takes, and
 * what counts against quotas. Invariant: quotas are never stored, only summed.
 */
import {
  type Bucket,
  entriesAt,
  type Item,
  type Need,
  objectAt,
  Refused,
  refuseIf,
  sizeOf,
  type Version,
  type World,
} from './world.ts';

/** Whether a version is kept that its name stops pointing at; `livesOn`: the object took it along to another name. */
function keeping(bucket: Bucket, version: Version, livesOn: boolean): { readonly expires: boolean } | undefined {
  const isSuspended = bucket.versioning === 'suspended' && version.stored <= bucket.versioned_until;
  if (bucket.versioning === 'on' || isSuspended) return { expires: false };
  return bucket.soft && !livesOn ? { expires: true } : undefined;
}

/** Keeps what a name has until now, where its bucket says so; answers whether it did. */
export function keep(world: World, item: Item, livesOn = false): boolean {
  const bucket = world.buckets[item.bucket];
  const kept = bucket && keeping(bucket, item.version, livesOn);
  if (kept === undefined) return false;
  world.entries.push({ ...entryOf(item), version: item.version, ...kept });
  return true;
}

/** A delete marker, where something stays below it. */
export function mark(world: World, item: Item): void {
  const bucket = world.buckets[item.bucket];
  if (entriesAt(world, item.bucket, item.name).every(({ version }) => version === null)) return;
  const expires = bucket?.versioning === 'off' && bucket.soft;
  world.entries.push({ ...entryOf(item), cache_control: null, user_metadata: null, version: null, expires });
}

const entryOf = ({ bucket, name, id, owner, cache_control, user_metadata }: Item) => ({
  bucket,
  name,
  object: id,
  owner,
  cache_control,
  user_metadata,
});

/** Lets go of the oldest versions of a name where its bucket keeps only so many. */
export function prune(world: World, bucketName: string, name: string): void {
  const most = world.buckets[bucketName]?.history_keep ?? null;
  if (most === null) return;
  let kept = 0;
  const gone = new Set(
    [...entriesAt(world, bucketName, name)].reverse().filter(({ version }) => {
      kept += version === null ? 0 : 1;
      return kept > most || (version === null && kept === most);
    }),
  );
  world.entries = world.entries.filter((each) => !gone.has(each));
}

/** Delete markers over nothing go. */
export function clearMarkers(world: World): void {
  world.entries = world.entries.filter((each) =>
    entriesAt(world, each.bucket, each.name).some(({ version }) => version !== null),
  );
}

/** Takes an object away, as a DELETE does. */
export function removeItem(world: World, item: Item): void {
  world.objects = world.objects.filter((each) => each !== item);
  keep(world, item);
  mark(world, item);
  prune(world, item.bucket, item.name);
}

/** @throws Refused for what the bucket does not take */
export function assertTaken(world: World, bucketName: string, version: Version): void {
  const bucket = world.buckets[bucketName];
  if (bucket === undefined) throw new Refused('bucket_not_found');
  refuseIf(bucket.size_max !== null && sizeOf(version) > bucket.size_max, 'too_large');
  refuseIf(!typeIsAllowed(bucket, version.type), 'media_type_not_allowed');
}

export const typeIsAllowed = ({ types }: Bucket, type: string): boolean =>
  types === null || types.some((each) => each === type || (each.endsWith('/*') && type.startsWith(each.slice(0, -1))));

/** The accounts that something of this owner in this bucket counts in. */
export function accountsOf(world: World, bucketName: string, owner: string | null): readonly string[] {
  const bucket = world.buckets[bucketName];
  if (bucket === undefined) return [];
  const ofBucket = bucket.quota_bytes === null && bucket.quota_objects === null ? [] : [`${bucket.incarnation}/`];
  const ofOwner = bucket.owner_quota_objects === null || owner === null ? [] : [`${bucket.incarnation}/${owner}`];
  return [...ofBucket, ...ofOwner];
}

/** What rows need in each account; `sign` -1 for what they give back. */
export function needOf(world: World, row: Pick<Item, 'bucket' | 'owner' | 'version'>, sign: 1 | -1 = 1): Need[] {
  return accountsOf(world, row.bucket, row.owner).map((account) => ({
    account,
    bytes: sign * sizeOf(row.version),
    objects: sign,
  }));
}

export interface Usage {
  readonly bytes: number;
  readonly objects: number;
  readonly reserved_bytes: number;
  readonly reserved_objects: number;
}

export function usageOf(world: World, account: string): Usage {
  const usage = { bytes: 0, objects: 0, reserved_bytes: 0, reserved_objects: 0 };
  const kept = world.entries.flatMap((each) => (each.version === null ? [] : [{ ...each, version: each.version }]));
  for (const need of [...world.objects, ...kept].flatMap((row) => needOf(world, row))) {
    if (need.account !== account) continue;
    usage.bytes += need.bytes;
    usage.objects += need.objects;
  }
  for (const need of world.uploads.flatMap(({ reserved }) => reserved)) {
    if (need.account !== account) continue;
    usage.reserved_bytes += need.bytes;
    usage.reserved_objects += need.objects;
  }
  return usage;
}

/** What an account may hold. */
function limitsOf(world: World, account: string): { readonly bytes: number; readonly objects: number } {
  const [incarnation, owner] = account.split('/');
  const bucket = Object.values(world.buckets).find((each) => String(each.incarnation) === incarnation);
  const most = owner === '' ? bucket : { quota_bytes: null, quota_objects: bucket?.owner_quota_objects };
  return {
    bytes: most?.quota_bytes ?? Number.POSITIVE_INFINITY,
    objects: most?.quota_objects ?? Number.POSITIVE_INFINITY,
  };
}

/** Judges a change that was made already by what its rows need. @throws Refused where an account has not enough */
export function assertRoom(world: World, needs: readonly Need[]): void {
  for (const account of new Set(needs.map((need) => need.account))) {
    const own = needs.filter((need) => need.account === account);
    const [bytes, objects] = [sum(own.map((need) => need.bytes)), sum(own.map((need) => need.objects))];
    const usage = usageOf(world, account);
    const limits = limitsOf(world, account);
    const isFull =
      (bytes > 0 && usage.bytes + usage.reserved_bytes > limits.bytes) ||
      (objects > 0 && usage.objects + usage.reserved_objects > limits.objects);
    refuseIf(isFull, 'quota_exceeded');
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

/** Puts other bytes under an object; answers what that needs. */
export function replaceBytes(world: World, item: Item, version: Version): Need[] {
  const before = { ...item };
  const isKept = before.version.text !== version.text && keep(world, before);
  item.version = version;
  prune(world, item.bucket, item.name);
  return isKept ? needOf(world, item) : [...needOf(world, item), ...needOf(world, before, -1)];
}

/** Gives an object another place; answers what that needs. */
export function relocate(world: World, item: Item, bucket: string, name: string): Need[] {
  const before = { ...item };
  const isKept = keep(world, before, true);
  item.bucket = bucket;
  item.name = name;
  mark(world, before);
  prune(world, before.bucket, before.name);
  return isKept ? needOf(world, item) : [...needOf(world, item), ...needOf(world, before, -1)];
}

/** Adds an object under a name that must be free, hidden or not. @throws Refused `object_exists` */
export function addItem(world: World, item: Omit<Item, 'id'>): Item {
  refuseIf(objectAt(world, item.bucket, item.name) !== undefined, 'object_exists');
  const added = { ...item, id: world.clock * 100 + world.objects.length };
  world.objects.push(added);
  return added;
}
