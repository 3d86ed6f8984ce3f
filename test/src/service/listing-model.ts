/**
 * What a listing must say of a set of objects, computed from all of them at once: the reference beside which the service
 * lists page by page. It knows no database and no pages. Names are compared by their bytes.
 */

export interface ModelObject {
  readonly name: string;
  /** Milliseconds since 1970, for every time that can be sorted by. */
  readonly at: number;
}

export interface ModelListing {
  readonly prefix: string;
  readonly delimited: boolean;
  readonly descending: boolean;
  readonly by: 'name' | 'time';
}

/** Compares two names as PostgreSQL does under the collation "C". */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The whole names of all entries in order; folders end in a slash. */
export function expectedEntries(objects: readonly ModelObject[], listing: ModelListing): string[] {
  const { prefix, delimited, descending, by } = listing;
  const below = objects.filter(({ name }) => name.startsWith(prefix));
  const cutAt = ({ name }: ModelObject): number => (delimited ? name.indexOf('/', prefix.length) : -1);
  const folders = [...new Set(below.filter((o) => cutAt(o) >= 0).map((o) => o.name.slice(0, cutAt(o) + 1)))];
  const direct = below.filter((object) => cutAt(object) < 0);
  const sign = descending ? -1 : 1;
  if (by === 'name') {
    return [...folders, ...direct.map(({ name }) => name)].sort((a, b) => sign * compareBytes(a, b));
  }
  const byTime = direct.sort((a, b) => sign * (a.at - b.at || compareBytes(a.name, b.name)));
  return [...folders.sort(compareBytes), ...byTime.map(({ name }) => name)];
}
