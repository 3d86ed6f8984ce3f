/**
 * What a blob store must be able to do: about ten methods that every backend implements alike and that
 * `conformance.ts` tests alike. It knows keys and bytes; it knows nothing of objects, buckets' policies or
 * callers, and decides nothing. Invariant: a key is written at most once and shows either all of its bytes
 * or none.
 */
import type { Readable } from 'node:stream';
import { isRowlockError } from '@rowlock/client/contract';
import type { PartStore } from './parts.ts';
import type { DayKey } from './s3/day-keys.ts';

/** The bytes of an object from `start` to `end`, both counted from 0 and both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface PutOptions {
  /** Ends the put early; nothing stays behind and the put rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** The media type that a store with HTTP of its own answers with; others ignore it. */
  readonly contentType?: string;
  /** What such a store says of how long the object may be kept by whoever reads it there. */
  readonly cacheControl?: string;
  /** What such a store keeps beside the object, for whoever looks at it there: names in [a-z0-9-], values in ASCII. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The canned ACL that such a store gives the object, where clients read it without us. */
  readonly acl?: string;
}

export interface GetResult {
  /** Size of the whole object in bytes, also when a range was asked for. */
  readonly size: number;
  /** The bytes asked for. The caller reads it to its end or destroys it. */
  readonly stream: Readable;
  /** The same bytes where they are few and in memory already: whoever takes them leaves the stream alone. */
  readonly bytes?: Buffer;
}

export interface HeadResult {
  readonly size: number;
  readonly last_modified: Date;
  /** Opaque and without quotes; differs whenever the bytes were replaced. */
  readonly etag: string;
}

export interface ListOptions {
  /** Only keys that begin with exactly these characters. */
  readonly prefix?: string;
}

export interface WalkOptions {
  /** Only what comes behind this place. */
  readonly after?: string;
}

/** Something in the store that is no object: nobody serves it, and nothing here removes it. */
export interface ForeignEntry {
  /** Where it is, as far as it can be said in text; not a key. */
  readonly place: string;
  readonly foreign: 'name' | 'link' | 'special';
}

export interface ListedObject {
  readonly key: string;
  readonly size: number;
  readonly last_modified: Date;
}

/** What a put left behind that did not finish. */
export interface UnfinishedObject {
  /** Names the leftover in reports; it is not a key. */
  readonly id: string;
  readonly size: number;
  /** Milliseconds since it was last written. */
  readonly age_ms: number;
  /** Of an upload in parts: what the store calls it. */
  readonly store_id?: string;
}

export interface PresignPutOptions {
  /** Whole seconds, 1 to 604,800. */
  readonly expirySeconds: number;
  /** Signed when given and not empty: the PUT must then send exactly this type. */
  readonly contentType?: string;
  /** Signed when given: the PUT must then send exactly this many bytes. */
  readonly contentLength?: number;
  /** Signed as the header `x-amz-acl` when given: the PUT must then send it. */
  readonly acl?: string;
  /** SHA-256 in hex, signed as the header `x-amz-checksum-sha256` when given: the store then takes these bytes only. */
  readonly sha256?: string;
  /** Signs the header `if-none-match: *`: the PUT must then send it, and the store takes it only where the key is free. */
  readonly onlyNew?: boolean;
  readonly now?: Date;
}

/**
 * How a presigned PUT that is used once more is kept from changing what was committed. `condition`: the store refuses it,
 * because the PUT says `if-none-match: *`. `incoming`: it goes to a key of its own, and the commit copies. `recheck`: its key
 * is kept, and the ETag is compared after the URL has expired.
 */
export type PutGuard = 'condition' | 'incoming' | 'recheck';

export interface PutGuards {
  /** For clients that send the headers which they are told to send. */
  readonly with_headers: PutGuard;
  /** For clients that send only the type that they declared. */
  readonly without_headers: Exclude<PutGuard, 'condition'>;
}

export interface CopyOptions {
  /** Copies nothing else than what has this ETag, where the store can be told so. */
  readonly etag: string;
  /** The canned ACL of the copy. */
  readonly acl?: string | undefined;
}

export interface PresignGetOptions {
  /** Whole seconds, 1 to 604,800. */
  readonly expirySeconds: number;
  /** Becomes the answer's `Content-Disposition`. */
  readonly contentDisposition?: string;
  /** Becomes the answer's `Content-Type`. */
  readonly contentType?: string;
  readonly now?: Date;
}

/**
 * A blob store.
 *
 * Every method that takes a key refuses one that `assertKey` refuses (`invalid_name`, `name_too_long`).
 * Errors are `RowlockError`s to be told apart with `isNotFound`, `isAlreadyExists` and `isOutOfSpace`;
 * whatever else a store throws is a failure of the store.
 */
export interface Backend {
  /** Its name in this deployment, as stored in `versions.backend`: `disk`, `s3`, `postgres`, or what was chosen. */
  readonly name: string;
  /** The largest object that it keeps, in bytes; no limit of its own when undefined. */
  readonly bytesMax?: number;
  /** The store's own bucket, as it stands in presigned URLs. */
  readonly bucket: string;
  /** Uploads in parts; undefined for a store that takes none. */
  readonly parts?: PartStore | undefined;
  /** Where it is, as its store's requests are signed for; undefined where nobody knows. */
  readonly region?: string | undefined;
  /** What stands before each key in the store's own bucket; undefined for a store that tells of no events. */
  readonly keyPrefix?: string | undefined;
  /** What its presigned PUTs need; undefined where our own door answers them, which takes no second one. */
  readonly putGuards?: PutGuards | undefined;

  /**
   * Writes a new object; an existing one is never replaced (`isAlreadyExists`).
   *
   * When it resolves the bytes are durable; until then nothing is visible under the key; when it rejects,
   * nothing stays behind. The chunks of `source` belong to the backend once yielded. When the put fails
   * before the source has ended, the source's iterator is told to `return()` and not waited for, so a
   * caller who wants to keep a request's socket passes `request.iterator({ destroyOnReturn: false })`.
   */
  put(key: string, source: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<{ size: number }>;

  /** Opens an object for reading; a range is cut at the object's end and must begin inside of it. */
  get(key: string, range?: ByteRange): Promise<GetResult>;

  /** Tells size, time and etag of an object, or undefined where there is none. */
  head(key: string): Promise<HeadResult | undefined>;

  /** Removes an object durably; idempotent, tells whether there was one. */
  delete(key: string): Promise<boolean>;

  /** Walks over all objects in the bytewise order of their keys, without holding all keys in memory. */
  list(options?: ListOptions): AsyncIterable<ListedObject>;

  /** The same from any place on, and with what is there and is no object; links are told and never followed. */
  walk(options?: WalkOptions): AsyncIterable<ListedObject | ForeignEntry>;

  /** Walks over what unfinished puts left behind, running ones included. */
  listUnfinished(): AsyncIterable<UnfinishedObject>;

  /**
   * Removes unfinished puts not written to for longer than the given milliseconds, but for uploads in parts that are to be
   * kept; returns how many.
   */
  removeUnfinished(olderThanMs: number, kept?: ReadonlySet<string>): Promise<number>;

  /**
   * Signs a URL that lets its holder PUT this key. Nothing is looked up: the key need not exist. It waits only where
   * credentials have to be fetched anew; a URL that temporary ones signed dies with them.
   */
  presignPut(key: string, options: PresignPutOptions): Promise<string>;

  /** Signs a URL that lets its holder GET this key. */
  presignGet(key: string, options: PresignGetOptions): Promise<string>;

  /**
   * What URLs of this store are signed with on some days (`YYYYMMDD`, UTC), for a signer that must not know its secret;
   * none where the store signs no URLs.
   */
  signingKeys(days: readonly string[]): Promise<readonly DayKey[]>;

  /**
   * Copies an object within the store, over what is under the other key; for stores with `putGuards`. Rejects with
   * `precondition_failed` where the source is known to have changed.
   */
  copyWithin?(source: string, target: string, options: CopyOptions): Promise<void>;

  /** Resolves when the store accepts writes now; throws what is wrong otherwise. */
  check(): Promise<void>;

  close(): Promise<void>;
}

/** Tells whether the error says that the key has no bytes. */
export function isNotFound(error: unknown): boolean {
  return isRowlockError(error, 'object_not_found');
}

/** Tells whether the error says that the key has bytes already. */
export function isAlreadyExists(error: unknown): boolean {
  return isRowlockError(error, 'object_exists');
}

/** Tells whether the error says that just these bytes cannot be read any more, whatever the state of the store. */
export function isUnreadable(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    ['EIO', 'EBADMSG', 'EUCLEAN', 'ENODATA'].includes(error.code)
  );
}

/** Tells whether the error says that the store is full. */
export function isOutOfSpace(error: unknown): boolean {
  return isRowlockError(error, 'out_of_space');
}
