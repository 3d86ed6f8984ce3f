/** Buckets on the wire: what is sent and what is answered. Snake_case, as in the database. */

export type BucketPolicy = 'private' | 'public' | 'authenticated';

/** `suspended` keeps what was written before, and nothing that is written then. */
export type Versioning = 'off' | 'on' | 'suspended';

/** `async`: what comes is read until it was found to be infected. `before_read`: not before it was found to be clean. */
export type Scan = 'off' | 'async' | 'before_read';

/** What is kept of what is overwritten and deleted, and how much a bucket may hold. Null is no limit. */
export interface BucketLimits {
  readonly soft_delete_seconds: number | null;
  /** The most versions that a name keeps besides its own. */
  readonly history_keep: number | null;
  readonly noncurrent_days: number | null;
  /** Bytes. */
  readonly quota_bytes: number | null;
  readonly quota_objects: number | null;
  readonly owner_quota_bytes: number | null;
  readonly owner_quota_objects: number | null;
}

export interface Bucket extends BucketLimits {
  readonly id: string;
  readonly name: string;
  readonly owner_id: string | null;
  readonly policy: BucketPolicy;
  readonly public: boolean;
  /** Bytes; null for no limit of the bucket's own. */
  readonly file_size_limit: number | null;
  readonly allowed_mime_types: readonly string[] | null;
  readonly overwrite: 'allow' | 'deny';
  /** Whether browsers show active content, in a sandbox, instead of saving it. */
  readonly inline: boolean;
  /** Whether what comes is scanned, and whether nobody reads it before. */
  readonly scan: Scan;
  /** Kinds of jobs that look at what comes, besides. */
  readonly checks: readonly string[];
  /** The set of presets that variants of its images are made in; `none` for no variants. */
  readonly preset_set: string;
  readonly versioning: Versioning;
  readonly created_at: string;
  readonly updated_at: string;
}

/** What the owner of a bucket may change. What is not named stays. */
export interface BucketChanges extends Partial<BucketLimits> {
  readonly policy?: BucketPolicy;
  /** Bytes, or a text such as `20MB`. */
  readonly file_size_limit?: number | string | null;
  readonly allowed_mime_types?: readonly string[] | null;
  readonly overwrite?: 'allow' | 'deny';
  readonly inline?: boolean;
  /** Only the service loosens it. */
  readonly scan?: Scan;
  /** Only the service sets it. */
  readonly checks?: readonly string[];
  readonly preset_set?: string;
  readonly versioning?: Versioning;
}

export interface NewBucket extends BucketChanges {
  readonly name: string;
}
