/** Uploads in parts on the wire. Times are ISO 8601, sizes are bytes. */

/** A part that the store has. */
export interface ArrivedPart {
  readonly part_number: number;
  readonly size: number;
  readonly etag: string;
}

/** A URL for the PUT of one part, which must have exactly `size` bytes. */
export interface SignedPart {
  readonly part_number: number;
  readonly size: number;
  readonly url: string;
}

/** An upload in parts that was begun. */
export interface BegunMultipart {
  readonly upload_id: string;
  readonly bucket: string;
  readonly path: string;
  readonly size: number;
  readonly part_size: number;
  readonly part_count: number;
  readonly content_type: string | null;
  readonly expires_at: string;
}

/** The same as it is now, and some of the parts that have arrived. */
export interface MultipartState extends BegunMultipart {
  /** `pending` until the store has begun it, `completing` while a worker puts it together. */
  readonly status: 'pending' | 'open' | 'completing' | 'completed';
  readonly error: string | null;
  readonly parts: readonly ArrivedPart[];
  /** For `?after=` of the next page; null on the last one. */
  readonly next_after: number | null;
}

/** What the functions about uploads in parts answer. */
export interface MultipartRequestState {
  readonly upload_id: string;
  readonly request_id: string | null;
  readonly file_id: string | null;
  readonly status: 'pending' | 'open' | 'completing' | 'completed' | 'failed';
  readonly bucket: string | null;
  readonly key: string;
  readonly size: number;
  readonly part_size: number;
  readonly part_count: number;
  readonly expires_at: string | null;
  readonly error: string | null;
}
