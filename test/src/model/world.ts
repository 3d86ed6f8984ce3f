/**
 * What the reference model of the storage service knows: buckets, objects, what is kept of older versions, uploads under
 * way, signed URLs. Plain data that can be copied, without a word of how the service does it. Invariant: a version is
 * known by its text, which no other upload has; entries are in the order in which they came to be.
 */

/** Who asks: without a token, two people, and the service. */
export type Who = 'anon' | 'ann' | 'ben' | 'service';
export const everybody: readonly Who[] = ['anon', 'ann', 'ben', 'service'];

export type Versioning = 'off' | 'on' | 'suspended';
export type BucketPolicy = 'private' | 'public' | 'authenticated';

/** One immutable set of bytes. */
export interface Version {
  readonly text: string;
  readonly type: string;
  /** When it was committed, on the model's clock. */
  readonly stored: number;
}

export interface BucketSettings {
  policy: BucketPolicy;
  /** Most bytes of one object; null for no limit. */
  size_max: number | null;
  types: readonly string[] | null;
  overwrite: 'allow' | 'deny';
  versioning: Versioning;
  soft: boolean;
  history_keep: number | null;
  /** Bytes and objects of the whole bucket; fixed as none or some when the bucket is made. */
  quota_bytes: number | null;
  quota_objects: number | null;
  owner_quota_objects: number | null;
}

export interface Bucket extends BucketSettings {
  readonly name: string;
  readonly owner: string | null;
  /** Of several buckets of one name, one after the other, which it is. */
  readonly incarnation: number;
  versioned_until: number;
}

/** What a name has, or had. */
export interface Metadata {
  cache_control: string | null;
  user_metadata: Readonly<Record<string, string>> | null;
}

export interface Item extends Metadata {
  readonly id: number;
  bucket: string;
  name: string;
  readonly owner: string | null;
  version: Version;
}

/** Something that is kept under a name: an older version, or a delete marker. */
export interface Entry extends Metadata {
  readonly bucket: string;
  readonly name: string;
  readonly object: number;
  readonly owner: string | null;
  /** Null for a delete marker. */
  readonly version: Version | null;
  /** Whether it goes when the time of soft deletion is over. */
  readonly expires: boolean;
}

/** What an upload was asked to be. */
export interface UploadRequest extends Metadata {
  readonly who: Who;
  readonly bucket: string;
  readonly name: string;
  readonly text: string;
  readonly type: string;
  /** True and false as asked, null for the bucket's own setting. */
  readonly overwrite: boolean | null;
  /** The text whose ETag the object must have; null for no condition. */
  readonly if_match: string | null;
  /** `If-None-Match: *`. */
  readonly is_free: boolean;
}

export interface Need {
  readonly account: string;
  readonly bytes: number;
  readonly objects: number;
}

/** An intent: under way, or left behind by a process that was killed. */
export interface Upload {
  readonly id: number;
  readonly request: UploadRequest;
  readonly overwrite: boolean;
  readonly size_max: number;
  readonly ticket: number | null;
  reserved: readonly Need[];
  is_alive: boolean;
}

/** A signed URL that somebody holds. */
export interface Link {
  readonly id: number;
  readonly object: number;
  readonly bucket: string;
  readonly name: string;
  /** The text of the version that it is bound to. */
  readonly text: string | null;
  readonly issuer: Who;
  uses_left: number | null;
  is_revoked: boolean;
}

/** The right to upload one object once. */
export interface Ticket {
  readonly id: number;
  readonly request: Pick<UploadRequest, 'who' | 'bucket' | 'name'>;
  readonly overwrite: boolean;
}

/** One state that the service may be in. */
export interface World {
  /** The number of the step that is made; the same in all worlds. */
  clock: number;
  buckets: Record<string, Bucket>;
  objects: Item[];
  entries: Entry[];
  uploads: Upload[];
  links: Link[];
  tickets: Ticket[];
  /** Ids of objects as the service says them, by the model's. */
  real_ids: Record<number, string>;
}

export const emptyWorld = (): World => ({
  clock: 0,
  buckets: {},
  objects: [],
  entries: [],
  uploads: [],
  links: [],
  tickets: [],
  real_ids: {},
});

/** Why something is refused; where an order is not promised, one of several. */
export class Refused extends Error {
  readonly reasons: readonly string[];

  constructor(...reasons: readonly string[]) {
    super(reasons.join(' or '));
    this.reasons = reasons;
  }
}

export function refuseIf(isRefused: boolean, reason: string): void {
  if (isRefused) throw new Refused(reason);
}

export const objectAt = (world: World, bucket: string, name: string): Item | undefined =>
  world.objects.find((each) => each.bucket === bucket && each.name === name);

export const entriesAt = (world: World, bucket: string, name: string): readonly Entry[] =>
  world.entries.filter((each) => each.bucket === bucket && each.name === name);

export const sizeOf = ({ text }: Pick<Version, 'text'>): number => text.length;
