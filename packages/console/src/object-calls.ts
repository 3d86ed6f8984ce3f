/**
 * Requests of the console that its client has no method for: a page of a folder, one object away with the exact reason
 * where it stays, a variant's bytes. They go through the client, with its key and its errors.
 */
import { type Entry, isRowlockError, type StorageClient } from '@rowlock/client';

export interface FolderPage {
  /** Empty, or ending in a slash. */
  readonly prefix: string;
  /** Only names that contain it. */
  readonly search: string;
  readonly offset: number;
  readonly limit: number;
}

/** The service is beside the console: a proxy may have put both below any path. */
export function serviceAddress(): string {
  return new URL('..', document.baseURI).href;
}

/** The path of an object below the service's address. */
export function objectPath(kind: string, bucket: string, name: string): string {
  return `/storage/v1/${kind}/${[bucket, ...name.split('/')].map(encodeURIComponent).join('/')}`;
}

/** One page of a folder, names relative to it. */
export async function listPage(client: StorageClient, bucket: string, page: FolderPage): Promise<readonly Entry[]> {
  const path = `/storage/v1/object/list/${encodeURIComponent(bucket)}`;
  return (await client.send({ method: 'POST', path, json: page })).json();
}

/** Deletes one object. @throws RowlockError `object_not_found`, `not_allowed` */
export async function deleteObject(client: StorageClient, bucket: string, name: string): Promise<void> {
  await client.send({ method: 'DELETE', path: objectPath('object', bucket, name) });
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
