/** Objects on the wire: what is sent and what is answered. Times are ISO 8601, sizes are bytes. */

export interface UploadedObject {
  readonly id: string;
  readonly bucket: string;
  readonly path: string;
  readonly size: number;
  readonly content_type: string;
  readonly owner_id: string | null;
  readonly sha256: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

/** An entry of a folder: an object, or a folder (its id is null). The name is relative to the folder. */
export interface Entry {
  readonly name: string;
  readonly id: string | null;
  readonly created_at: string | null;
  readonly updated_at: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

export interface ObjectInfo {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly bucket_id: string;
  readonly owner_id: string | null;
  readonly size: number;
  readonly content_type: string;
  readonly detected_type: string | null;
  readonly etag: string;
  readonly sha256: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly last_modified: string;
  readonly created_at: string;
}

export interface SignedLink {
  /** Revokes it. */
  readonly id: string;
  /** Absolute. */
  readonly url: string;
  readonly expires_at: string;
}

/** One row of `get_upload_url`. */
export interface UploadRequestState {
  readonly status: 'pending' | 'processing' | 'completed' | 'failed';
  readonly url: string | null;
  readonly file_id: string | null;
  readonly error: string | null;
}
