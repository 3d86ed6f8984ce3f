/**
 * What a gallery shows: the files of a row, or the objects below a prefix, and what is known of one of them. It reads as
 * the client's caller and shows nothing. Invariant: what the caller may not see is not in it.
 */
import {
  type EntityFile,
  isRowlockError,
  type ListedObject,
  type Picture,
  type StorageClient,
  type ThumbnailStatus,
} from '@rowlock/client';

export type GalleryPlace =
  | { readonly bucket: string; readonly prefix: string }
  | { readonly entityType: string; readonly entityId: string };

/** `none`: nothing is made of a file of this type. */
export type GalleryState = 'queued' | 'processing' | 'failed' | 'ready' | 'none';

export interface GalleryItem {
  /** Another one when the file has changed. */
  readonly key: string;
  readonly bucket: string;
  readonly name: string;
  /** What a person reads. */
  readonly label: string;
  readonly type: string;
  readonly fileId: string | undefined;
  readonly objectId: string | undefined;
  readonly thumbhash: string | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** Undefined until it was asked. */
  readonly state: GalleryState | undefined;
  readonly error: string | undefined;
}

const states: Readonly<Record<ThumbnailStatus, GalleryState>> = {
  pending: 'queued',
  processing: 'processing',
  completed: 'ready',
  failed: 'failed',
  not_applicable: 'none',
};

/** Types that the service makes variants of. */
const pictured = /^(image\/|application\/pdf$)/;

/** The first items of a place, and whether there are more. */
export async function readItems(
  client: StorageClient,
  place: GalleryPlace,
  { countMax, signal }: { readonly countMax: number; readonly signal: AbortSignal },
): Promise<{ readonly items: readonly GalleryItem[]; readonly more: boolean }> {
  if ('entityType' in place) {
    const args = { p_entity_type: place.entityType, p_entity_id: place.entityId };
    const files = await client.rpc<readonly EntityFile[]>('get_entity_files', args, 'GET', signal);
    return { items: files.slice(0, countMax).map(itemOfFile), more: files.length > countMax };
  }
  const items: GalleryItem[] = [];
  for await (const object of client.listAll(place.bucket, place.prefix, { signal })) {
    const item = itemOfObject(place, object);
    if (item !== undefined && items.length === countMax) {
      return { items, more: true };
    }
    if (item !== undefined) {
      items.push(item);
    }
  }
  return { items, more: false };
}

/** What is known of an item's picture now; undefined where it is gone. */
export async function readPicture(
  client: StorageClient,
  item: GalleryItem,
  signal: AbortSignal,
): Promise<Picture | undefined> {
  const { bucket, name, fileId, objectId } = item;
  try {
    return await client.picture({ bucket, name, fileId, objectId }, { signal, expirySeconds: 3600 });
  } catch (error) {
    if (isRowlockError(error, 'object_not_found')) {
      return undefined;
    }
    throw error;
  }
}

/** An item with what was learned of its picture. */
export function withPicture(item: GalleryItem, picture: Picture): GalleryItem {
  return {
    ...item,
    objectId: picture.object_id ?? item.objectId,
    thumbhash: picture.thumbhash ?? item.thumbhash,
    width: picture.width ?? item.width,
    height: picture.height ?? item.height,
    state: states[picture.status],
    error: picture.error ?? undefined,
  };
}

function itemOfFile(file: EntityFile): GalleryItem {
  return {
    key: `${file.id} ${file.object_id ?? ''}`,
    bucket: file.bucket,
    name: file.name,
    label: file.file_name,
    type: file.file_type,
    fileId: file.id,
    objectId: file.object_id ?? undefined,
    thumbhash: file.thumbhash ?? undefined,
    width: file.width ?? undefined,
    height: file.height ?? undefined,
    state: states[file.thumbnail_status],
    error: file.thumbnail_error ?? undefined,
  };
}

function itemOfObject(
  { bucket, prefix }: { bucket: string; prefix: string },
  object: ListedObject,
): GalleryItem | undefined {
  const type = object.metadata['mimetype'];
  if (typeof type !== 'string' || !pictured.test(type)) {
    return undefined;
  }
  return {
    key: `${object.id} ${object.updated_at}`,
    bucket,
    name: object.name,
    label: object.name.slice(prefix.lastIndexOf('/') + 1),
    type,
    fileId: undefined,
    objectId: object.id,
    thumbhash: undefined,
    width: undefined,
    height: undefined,
    state: undefined,
    error: undefined,
  };
}
