/**
 * What a blob store must be able to do so that its objects may be uploaded in parts: begin an upload, take or sign its parts,
 * tell which have arrived, put them together, give it up. It knows keys, numbers and bytes; who may do what, and of which size a
 * part is, is decided before. Invariant: nothing is visible under the key until the upload is completed, and from then on no URL
 * of a part changes anything.
 */
import { isRowlockError } from '@rowlock/client/contract';

/** A part that has arrived. */
export interface StoredPart {
  readonly part_number: number;
  readonly size: number;
  /** Opaque and without quotes; differs whenever the part was replaced. */
  readonly etag: string;
}

/** A part as whoever completes names it. */
export interface NamedPart {
  readonly part_number: number;
  readonly etag: string;
}

/** What a store with HTTP of its own answers with, and the canned ACL, as of a put. */
export interface CreateOptions {
  readonly contentType?: string;
  readonly acl?: string;
}

export interface PresignPartOptions {
  readonly part_number: number;
  /** Signed: the PUT must send exactly this many bytes. */
  readonly contentLength: number;
  /** Whole seconds, 1 to 604,800. */
  readonly expirySeconds: number;
  readonly now?: Date;
}

/** Which upload: the key and what the store called it. */
export interface PartsPlace {
  readonly key: string;
  readonly store_id: string;
}

/** S3's limit on parts of one upload. */
export const partNumberMax = 10_000;

/** Parts of one answer of `list`. */
export const listedPartsMax = 1000;

/**
 * Uploads in parts at one store. Of an upload that the store does not have, or not any more, every method but `abort` throws
 * what `isUploadGone` tells.
 */
export interface PartStore {
  /** Scheme and host of the URLs that `presignPart` signs. */
  readonly origin: string;

  /** Begins an upload and returns the store's name for it: 1 to 1,024 printable ASCII characters. */
  create(key: string, options?: CreateOptions): Promise<string>;

  /** The next parts behind a number, in order: as many as were asked for, at most a thousand, unless there are no more. */
  list(
    place: PartsPlace,
    options?: { readonly after?: number; readonly limit?: number },
  ): Promise<readonly StoredPart[]>;

  /**
   * Makes these parts, in this order, the bytes under the key, durably. Where the key has bytes already, an earlier call was
   * faster, and nothing happens.
   *
   * @throws RowlockError `invalid_part` where one is missing, was replaced, or is too small not to be the last
   */
  complete(place: PartsPlace, parts: readonly NamedPart[]): Promise<void>;

  /** Removes the upload and all that has arrived; idempotent, tells whether there was one. */
  abort(place: PartsPlace): Promise<boolean>;

  /** Signs a URL that lets its holder PUT one part. Nothing is looked up. */
  presignPart(place: PartsPlace, options: PresignPartOptions): Promise<string>;

  /** Takes the bytes of a part, durably; replaces an earlier one. Only of stores that have no HTTP of their own. */
  receive?(
    place: PartsPlace,
    part: { readonly part_number: number; readonly body: AsyncIterable<Uint8Array>; readonly signal?: AbortSignal },
  ): Promise<StoredPart>;
}

/** Tells whether the error says that there is no such upload at the store, or not any more. */
export function isUploadGone(error: unknown): boolean {
  return isRowlockError(error, 'upload_gone');
}
