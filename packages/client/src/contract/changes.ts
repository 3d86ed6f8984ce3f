/** Changes on the wire: one event of the feed, and a page of them. Times are ISO 8601, sizes are bytes. */

export type ChangeType =
  | 'storage.object.created'
  | 'storage.object.updated'
  | 'storage.object.deleted'
  | 'storage.bucket.created'
  | 'storage.bucket.deleted';

/** What changed. Of an object that is not there any more for the reader, only `object_id` and `bucket` are told. */
export interface Change {
  readonly type: ChangeType;
  /** Null for events of buckets. */
  readonly object_id: string | null;
  readonly bucket: string;
  readonly path: string | null;
  /** The bucket that the object was moved from, with an update, for those who may know it. */
  readonly previous_bucket: string | null;
  readonly size: number | null;
  readonly content_type: string | null;
  readonly owner_id: string | null;
  /** Goes up with each change of an object. An event with a lower one than is known already is old news. */
  readonly revision: number | null;
  readonly timestamp: string;
  /** Where to go on behind this event. */
  readonly cursor: string;
}

export interface ChangePage {
  readonly changes: readonly Change[];
  /** Where to go on; opaque. */
  readonly cursor: string;
  /** Whether there is more to read now. */
  readonly more: boolean;
}
