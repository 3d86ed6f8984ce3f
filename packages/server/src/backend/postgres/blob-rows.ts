/**
 * What the PostgreSQL backend asks of the database, in its own words. The statements are in the room of the database, which
 * knows no backends. Invariant: a blob is seen under a key only when it is whole, and is then never changed.
 */

/** A blob that is whole. */
export interface BlobRow {
  /** Differs whenever the bytes were replaced. */
  readonly id: string;
  readonly key: string;
  readonly size: number;
  readonly created_at: Date;
}

/** Each call is one statement; none leaves a connection behind. */
export interface BlobRows {
  /** Writes few bytes at once. @throws RowlockError `object_exists` */
  put(id: string, key: string, bytes: Uint8Array): Promise<void>;
  /** Writes the next chunk of an unfinished blob, from place 0 on. @throws RowlockError `unavailable` where it was swept */
  append(id: string, place: number, chunk: Uint8Array): Promise<void>;
  /** Makes it visible and durable. @throws RowlockError `object_exists`, `unavailable` where it was swept */
  finish(id: string, key: string, size: number): Promise<void>;
  /** Removes what a put wrote. */
  discard(id: string): Promise<void>;
  head(key: string): Promise<BlobRow | undefined>;
  /** What it is, with its bytes from a place on, as many as there are up to the count. */
  read(
    key: string,
    start: number,
    count: number,
  ): Promise<{ readonly row: BlobRow; readonly bytes: Buffer } | undefined>;
  /** Further bytes; undefined where there are none any more. */
  readOn(id: string, start: number, count: number): Promise<Buffer | undefined>;
  delete(key: string): Promise<boolean>;
  /** The next blobs in bytewise order: behind `after`, and not before `from`. */
  page(after: string, from: string, limit: number): Promise<readonly BlobRow[]>;
  unfinished(): Promise<readonly { readonly id: string; readonly size: number; readonly age_ms: number }[]>;
  removeUnfinished(olderThanMs: number): Promise<number>;
  /** @throws RowlockError `unavailable` where nothing can be written now */
  check(): Promise<void>;
  close(): Promise<void>;
}
