/**
 * Finds what is known of a picture, by its name or by an id. One function of the database answers, through the service or through
 * PostgREST; the policies of objects, files and variants decide there.
 */
import type { StorageClient } from './client.ts';
import { RowlockError } from './contract/errors.ts';
import type { Picture } from './contract/pictures.ts';

/** An object by its name, an object or an entity's file by its id, or what an upload answered. */
export type PicturePlace =
  | { readonly fileId: string }
  | { readonly objectId: string }
  | {
      readonly bucket: string;
      readonly name: string;
      readonly fileId?: string | undefined;
      readonly objectId?: string | undefined;
    };

export interface PictureOptions {
  /** Asks for URLs of the variants, which live so long. */
  readonly expirySeconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws RowlockError `object_not_found` for what the caller does not see */
export async function pictureOf(
  client: StorageClient,
  place: PicturePlace,
  { expirySeconds, signal }: PictureOptions = {},
): Promise<Picture> {
  const p_id = await idOf(client, place, signal);
  const args = { p_id, ...(expirySeconds === undefined ? {} : { p_expires_in: expirySeconds }) };
  const picture = p_id === undefined ? null : await client.rpc<Picture | null>('get_picture', args, 'GET', signal);
  if (picture === null) throw new RowlockError('object_not_found', 'Object not found');
  return picture;
}

async function idOf(
  client: StorageClient,
  place: PicturePlace,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if ('fileId' in place && place.fileId !== undefined) return place.fileId;
  if ('objectId' in place && place.objectId !== undefined) return place.objectId;
  const { bucket, name } = place as { readonly bucket: string; readonly name: string };
  if (!client.isPostgrest) return (await client.info(bucket, name, { signal })).id;
  const query = new URLSearchParams({ select: 'id', bucket_id: `eq.${bucket}`, name: `eq.${name}` });
  const call = { method: 'GET', path: `/storage_objects?${query}`, signal };
  return (await client.ask<readonly { readonly id: string }[]>(call))[0]?.id;
}
