/**
 * Where in the console somebody is, as the part of the address behind `#`. A place is read from any text and never
 * fails: what is none is the list of buckets.
 */
export interface Place {
  /** Undefined in the list of buckets. */
  readonly bucket: string | undefined;
  /** The folder's names from the top; none at the top of a bucket. */
  readonly folders: readonly string[];
}

/** The list of buckets. */
export const home: Place = { bucket: undefined, folders: [] };

/** Reads `#/bucket/folder/`. */
export function placeOf(hash: string): Place {
  const segments = hash
    .replace(/^#\/?/, '')
    .split('/')
    .filter((segment) => segment !== '');
  try {
    const [bucket, ...folders] = segments.map(decodeURIComponent);
    return { bucket, folders };
  } catch (error) {
    if (error instanceof URIError) {
      return home;
    }
    throw error;
  }
}

/** Spells a place so that `placeOf` reads the same. */
export function addressOf({ bucket, folders }: Place): string {
  return bucket === undefined ? '#/' : `#/${[bucket, ...folders].map(encodeURIComponent).join('/')}/`;
}

/** The names that objects of a place begin with: empty, or ending in a slash. */
export function prefixOf({ folders }: Place): string {
  return folders.map((folder) => `${folder}/`).join('');
}
