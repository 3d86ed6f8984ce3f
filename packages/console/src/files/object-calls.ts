/**
 * Requests of the console that its client has no method for: listings by offset and their length, facts, what is said of an
 * object, links that are kept, whole folders. They go through the client, with its key and its errors.
 */
import {
  type Entry,
  type ImageFacts,
  isRowlockError,
  type ObjectInfo,
  type SignedLink,
  type StorageClient,
} from '@rowlock/client';
import type { Listing } from './folder-rows.ts';

/** The service is beside the console: a proxy may have put both below any path. */
export function serviceAddress(): string {
  return new URL('..', document.baseURI).href;
}

/** The path of an object below the service's address. */
export function objectPath(kind: string, bucket: string, name: string): string {
  return `/storage/v1/${kind}/${[bucket, ...name.split('/')].map(encodeURIComponent).join('/')}`;
}

async function post<Answer>(client: StorageClient, path: string, json: unknown): Promise<Answer> {
  return (await (await client.send({ method: 'POST', path, json })).json()) as Answer;
}

/** One page of a listing by its offset, names relative to the folder. */
export function listPage(
  client: StorageClient,
  { bucket, prefix, search, recursive, sort }: Listing,
  page: { readonly offset: number; readonly limit: number },
): Promise<readonly Entry[]> {
  const sortBy = sort === 'newest' ? { column: 'updated_at', order: 'desc' } : { column: 'name', order: 'asc' };
  const asked = { prefix, search, recursive, sortBy, ...page };
  return post(client, `/storage/v1/object/list/${encodeURIComponent(bucket)}`, asked);
}

/** How many rows a listing has; `complete` is false where nobody counted further. */
export function countEntries(
  client: StorageClient,
  { bucket, prefix, search, recursive }: Listing,
): Promise<{ readonly count: number; readonly complete: boolean }> {
  return post(client, `/storage/v1/object/count/${encodeURIComponent(bucket)}`, { prefix, search, recursive });
}

/** Deletes one object. @throws RowlockError `object_not_found`, `not_allowed` */
export async function deleteObject(client: StorageClient, bucket: string, name: string): Promise<void> {
  await client.send({ method: 'DELETE', path: objectPath('object', bucket, name) });
}

/** Deletes everything below a prefix; counts what went and what is not the caller's to delete. */
export function deleteFolder(
  client: StorageClient,
  bucket: string,
  prefix: string,
): Promise<{ readonly deleted: number; readonly withheld: number }> {
  return post(client, '/storage/v1/object/delete-prefix', { bucketId: bucket, prefix });
}

/** Where a folder goes. Prefixes end in a slash, or are empty. */
export interface FolderRelocation {
  readonly bucketId: string;
  readonly sourcePrefix: string;
  readonly destinationBucket: string;
  readonly destinationPrefix: string;
}

/** Moves or copies everything below a prefix; counts what was not the caller's to move. @throws RowlockError `object_exists` where one name is taken */
export function relocateFolder(
  client: StorageClient,
  kind: 'move' | 'copy',
  at: FolderRelocation,
): Promise<{ readonly withheld?: number }> {
  return post(client, `/storage/v1/object/${kind}-prefix`, at);
}

/** @throws RowlockError `object_not_found` */
export async function readImageFacts(client: StorageClient, bucket: string, name: string): Promise<ImageFacts> {
  return (await client.send({ method: 'GET', path: objectPath('object/facts', bucket, name) })).json();
}

/** Changes what is said of an object while it has the version. @throws RowlockError `precondition_failed`, `not_allowed` */
export async function describeObject(
  client: StorageClient,
  at: { readonly bucket: string; readonly name: string; readonly version: string },
  said: { readonly metadata?: Readonly<Record<string, unknown>>; readonly cache_control?: string },
): Promise<ObjectInfo> {
  const path = objectPath('object/info', at.bucket, at.name);
  return (await client.send({ method: 'PATCH', path, json: { ...said, version: at.version } })).json();
}

/** What a link that is kept is bound to. */
export interface LinkTerms {
  readonly expiresIn: number;
  readonly max_uses?: number;
  readonly version_id?: string;
  readonly download?: boolean | string;
  /** Whether the service lists it until it expires. */
  readonly register?: boolean;
}

/** Signs a link with all of its terms; the client's own method knows some. */
export function signLink(client: StorageClient, bucket: string, name: string, terms: LinkTerms): Promise<SignedLink> {
  return post(client, objectPath('object/sign', bucket, name), terms);
}

/** A link that was signed, is kept by the service and has not expired. */
export interface LiveLink {
  readonly id: string;
  readonly uses_max: number | null;
  readonly uses_left: number | null;
  readonly signed_at: string;
  readonly expires_at: string;
  readonly last_used_at: string | null;
}

/** Live links of one object. */
export async function listLinks(client: StorageClient, bucket: string, name: string): Promise<readonly LiveLink[]> {
  const query = new URLSearchParams({ bucket, name, limit: '100' });
  return (await client.send({ method: 'GET', path: `/storage/v1/signed-urls?${query}` })).json();
}

/** The picture of a preset; undefined where there is none, or none yet. */
export async function readVariant(
  client: StorageClient,
  bucket: string,
  name: string,
  preset: 'small' | 'large',
): Promise<Blob | undefined> {
  const path = `${objectPath('render/image/authenticated', bucket, name)}?preset=${preset}`;
  try {
    const answer = await client.send({ method: 'GET', path });
    return answer.status === 202 ? undefined : await answer.blob(); // 202: it is being made
  } catch (error) {
    if (isRowlockError(error, 'variant_not_found', 'render_failed')) {
      return undefined;
    }
    throw error;
  }
}
