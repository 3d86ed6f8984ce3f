/**
 * What S3 stores do differently, as one table: the only place that knows their names. It asks no store anything, since
 * a store that lacks a feature may ignore it silently. Invariant: `generic` assumes of a store only what all have.
 */

/** The stores that are known by name; everything else is `generic`. */
export const s3Flavours = ['aws', 'r2', 'b2', 'minio', 'ceph', 'generic'] as const;

export type S3Flavour = (typeof s3Flavours)[number];

export interface S3Quirks {
  /** Refuses a PUT with `if-none-match: *` where the key exists, also among concurrent ones. */
  readonly conditional_put: boolean;
  /** The same at the end of a multipart upload. */
  readonly conditional_complete: boolean;
  /** Copies on the server only while the source has the ETag that was named. */
  readonly conditional_copy: boolean;
  /** Takes the checksums that the AWS SDK adds by default since 2025; others refuse the request or its signature. */
  readonly checksums: boolean;
  /** Takes `x-amz-acl` on single objects. */
  readonly object_acls: boolean;
  /** Lists multipart uploads by prefix. Without, what is left of them is the store's own to remove. */
  readonly lists_uploads: boolean;
  /** All parts but the last must have one size, so parts cannot grow. */
  readonly equal_parts: boolean;
}

const careful: S3Quirks = {
  conditional_put: false,
  conditional_complete: false,
  conditional_copy: false,
  checksums: false,
  object_acls: false,
  lists_uploads: true,
  equal_parts: false,
};

/** By flavour. Tried here against Ceph's RADOS gateway 16; the others as their documentation says, of November 2026. */
export const s3Quirks: Readonly<Record<S3Flavour, S3Quirks>> = {
  aws: {
    ...careful,
    conditional_put: true,
    conditional_complete: true,
    conditional_copy: true,
    checksums: true,
    object_acls: true,
  },
  r2: { ...careful, conditional_put: true, conditional_complete: true, conditional_copy: true, equal_parts: true },
  // Answers 501 to a conditional PUT.
  b2: careful,
  // Takes the prefix of a list of uploads for a whole key; it removes what is left of them itself, after a day.
  minio: {
    ...careful,
    conditional_put: true,
    conditional_complete: true,
    conditional_copy: true,
    lists_uploads: false,
  },
  // Takes the condition of a copy for a header that it does not know.
  ceph: { ...careful, conditional_put: true, object_acls: true },
  generic: careful,
};
