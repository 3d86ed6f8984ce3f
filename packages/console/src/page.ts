/**
 * The pages of the console, as the part of the address behind `#`. Files are below `#/`, as places; every other page is a
 * word with what it is about behind it: `#jobs`, `#jobs/120`. An address is read from any text and never fails.
 */
import { home, type Place, placeOf } from './place.ts';

/** Pages that show the service itself; the service answers its own role only. */
export type ServicePageName = 'jobs' | 'access' | 'health';

export type Page =
  | { readonly name: 'files'; readonly place: Place }
  /** `about` is what stands behind the name, decoded; empty for the page as a whole. */
  | { readonly name: ServicePageName; readonly about: readonly string[] };

/** What the navigation shows, in its order. */
export const pageTitles: Readonly<Record<Page['name'], string>> = {
  files: 'Files',
  jobs: 'Jobs',
  access: 'Access',
  health: 'Health',
};

/** Reads an address's fragment; what names no page is the list of buckets. */
export function pageOf(hash: string): Page {
  const [, name, rest = ''] = /^#(jobs|access|health)(?:\/(.*))?$/s.exec(hash) ?? [];
  if (name === undefined) {
    return { name: 'files', place: placeOf(hash) };
  }
  try {
    const about = rest.split('/').filter((segment) => segment !== '');
    return { name: name as ServicePageName, about: about.map(decodeURIComponent) };
  } catch (error) {
    if (error instanceof URIError) {
      return { name: 'files', place: home };
    }
    throw error;
  }
}

/** Spells the address of a page of the service so that `pageOf` reads the same. */
export function addressOfPage(name: ServicePageName, ...about: readonly string[]): string {
  return `#${[name, ...about.map(encodeURIComponent)].join('/')}`;
}
