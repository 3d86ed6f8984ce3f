/** Buckets on the wire: what is sent and what is answered. Snake_case, as in the database. */

export type BucketPolicy = 'private' | 'public' | 'authenticated';

export interface Bucket {
  readonly id: string;
  readonly name: string;
  readonly owner_id: string | null;
  readonly policy: BucketPolicy;
  readonly public: boolean;
  /** Bytes; null for no limit of the bucket's own. */
  readonly file_size_limit: number | null;
  readonly allowed_mime_types: readonly string[] | null;
  readonly overwrite: 'allow' | 'deny';
  readonly created_at: string;
  readonly updated_at: string;
}

export interface NewBucket {
  readonly name: string;
  readonly policy?: BucketPolicy;
  /** Bytes, or a text such as `20MB`. */
  readonly file_size_limit?: number | string | null;
  readonly allowed_mime_types?: readonly string[] | null;
  readonly overwrite?: 'allow' | 'deny';
}
