/** Versions on the wire: what a name pointed at, and what was deleted. Times are ISO 8601, sizes are bytes. */

/** One version of a name, or a delete marker (it has no bytes, and so neither size nor type). */
export interface ObjectVersion {
  /** Downloads, restores and purges it. */
  readonly version: string;
  readonly object_id: string;
  readonly bucket: string;
  readonly name: string;
  readonly is_current: boolean;
  /** Whether it is on top: the current version, or the marker of a deletion. */
  readonly is_latest: boolean;
  readonly delete_marker: boolean;
  readonly reason: string | null;
  readonly owner_id: string | null;
  readonly size: number | null;
  readonly content_type: string | null;
  readonly sha256: string | null;
  readonly etag: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly created_at: string;
  readonly modified_at: string;
  readonly superseded_at: string | null;
  readonly superseded_by: string | null;
  /** When it goes by itself; null for never. */
  readonly purge_after: string | null;
}

export interface VersionPage {
  readonly versions: readonly ObjectVersion[];
  readonly next_cursor: string | null;
}
