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

/** An object of a listing of everything below a prefix, with its whole name. */
export interface ListedObject {
  readonly name: string;
  readonly id: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** What its uploader said of it; null where that has more than 4 KiB, and in `info` whole. */
  readonly user_metadata: Readonly<Record<string, unknown>> | null;
}

/** One page of `list-v2`: whole names, a folder's with its slash. */
export interface ListPage {
  readonly hasNext: boolean;
  /** Of the same listing, the next page. */
  readonly nextCursor?: string;
  readonly folders: readonly { readonly name: string }[];
  readonly objects: readonly ListedObject[];
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

/** What a move, a copy or a restore has made. */
export interface WrittenObject {
  readonly Id: string | null;
  /** Bucket and name. */
  readonly Key: string;
}

/** What `request_upload` and `get_upload_request` answer. */
export interface UploadRequest {
  readonly request_id: string;
  readonly file_id: string;
  readonly status: 'pending' | 'processing' | 'completed' | 'failed';
  /** Where the bytes are PUT, with `headers` and nothing else; null until it is signed, as are those. */
  readonly url: string | null;
  readonly method: 'PUT';
  readonly headers: Readonly<Record<string, string>> | null;
  readonly bucket: string | null;
  /** Where the file will be; its bytes may be PUT elsewhere, to `put_key`. */
  readonly key: string;
  readonly put_key: string;
  readonly expires_at: string | null;
  readonly error: string | null;
}

/** One row of `get_upload_url`. */
export interface UploadRequestState {
  readonly status: 'pending' | 'processing' | 'completed' | 'failed';
  readonly url: string | null;
  readonly file_id: string | null;
  readonly error: string | null;
}
