/**
 * Pictures that the service made, as addresses that an image may show: the variant that fits, read with the caller's key
 * through the service or by its signed URL. Never the bytes that somebody uploaded.
 */
import { isRowlockError, type Picture, type StorageClient, type Variant } from '@rowlock/client';

/** An address, and how to let go of what is behind it. */
export interface ShownPicture {
  readonly url: string;
  readonly release: () => void;
}

/** The smallest variant that is wide enough, else the widest; undefined where none is made. */
export function variantFor({ variants }: Pick<Picture, 'variants'>, widthPixels: number): Variant | undefined {
  const made = variants
    .filter(({ status, content_type }) => status === 'completed' && (content_type?.startsWith('image/') ?? false))
    .toSorted((one, other) => (one.width ?? 0) - (other.width ?? 0));
  return made.find(({ width }) => (width ?? 0) >= widthPixels) ?? made.at(-1);
}

/** How far a variant's shape may be from that of its picture before it counts as cut. */
const cutShare = 0.05;
const wholePixels = 1080;

/** Reads a whole picture where the variant shows a part of it, else the variant; undefined while it is being made. */
export async function showWhole(
  client: StorageClient,
  picture: Picture,
  variant: Variant,
  signal: AbortSignal,
): Promise<ShownPicture | undefined> {
  if (client.isPostgrest || !isCut(picture, variant)) {
    return showVariant(client, picture, variant, signal);
  }
  try {
    const query = `width=${wholePixels}&height=${wholePixels}&resize=contain`;
    return await readThrough(client, `${pathOf(picture)}?${query}`, signal);
  } catch (error) {
    if (!isRowlockError(error) || signal.aborted) {
      throw error;
    }
    return showVariant(client, picture, variant, signal);
  }
}

function isCut(whole: Pick<Picture, 'width' | 'height'>, part: Pick<Variant, 'width' | 'height'>): boolean {
  if (!whole.width || !whole.height || !part.width || !part.height) {
    return false;
  }
  return Math.abs((part.width / part.height) * (whole.height / whole.width) - 1) > cutShare;
}

/** Reads a variant; undefined while it is being made. */
export async function showVariant(
  client: StorageClient,
  { bucket, name }: { readonly bucket: string; readonly name: string },
  variant: Variant,
  signal: AbortSignal,
): Promise<ShownPicture | undefined> {
  if (client.isPostgrest) {
    return variant.url === null ? undefined : { url: variant.url, release: () => undefined };
  }
  return readThrough(client, `${pathOf({ bucket, name })}?preset=${encodeURIComponent(variant.preset)}`, signal);
}

function pathOf({ bucket, name }: { readonly bucket: string; readonly name: string }): string {
  const segments = [bucket, ...name.split('/')].map(encodeURIComponent).join('/');
  return `/storage/v1/render/image/authenticated/${segments}`;
}

async function readThrough(
  client: StorageClient,
  path: string,
  signal: AbortSignal,
): Promise<ShownPicture | undefined> {
  const answer = await client.send({ method: 'GET', path, signal });
  if (answer.status === 202) {
    return undefined;
  }
  const url = URL.createObjectURL(await answer.blob());
  return { url, release: () => URL.revokeObjectURL(url) };
}
