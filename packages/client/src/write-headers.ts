/**
 * How an object is written, as headers carry it. It checks nothing: the service says what it takes. Invariant: whatever JSON can
 * say of an object arrives as it was, in any alphabet.
 */

export interface Writing {
  /** True to overwrite, false to refuse a name that is taken, undefined for the bucket's own setting. */
  readonly overwrite?: boolean | undefined;
  /** Seconds that caches may keep it, or a whole header. */
  readonly cacheControl?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** Those of a request that writes; undefined are those that it does not need. */
export function writeHeaders({ overwrite, cacheControl, metadata }: Writing): Record<string, string | undefined> {
  return {
    'x-upsert': overwrite?.toString(),
    'cache-control': cacheControlOf(cacheControl),
    'x-metadata': metadata && metadataHeader(metadata),
  };
}

/** Seconds as a whole header. */
export function cacheControlOf(given: string | undefined): string | undefined {
  return given && /^\d+$/.test(given) ? `max-age=${given}` : given;
}

/** Base64 of JSON in UTF-8. */
function metadataHeader(metadata: Readonly<Record<string, unknown>>): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(metadata))));
}
