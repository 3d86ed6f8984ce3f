/**
 * Multipart uploads that were begun under our prefix and are neither completed nor aborted. Those of other programs,
 * whose keys are none of ours, are left alone. Invariant: an upload is as old as its last part, by the store's clock, so
 * one that still moves is never taken for a leftover.
 */
import { isRowlockError } from '@rowlock/client/contract';
import type { UnfinishedObject } from '../backend.ts';
import { isKey } from '../keys.ts';
import type { S3Store } from './s3-client.ts';
import { isCalled, s3Error } from './s3-errors.ts';
import { decodedName } from './s3-list.ts';

interface UnfinishedUpload extends UnfinishedObject {
  readonly store_id: string;
  /** With the prefix. */
  readonly key: string;
}

/** Walks over unfinished uploads; over nothing where the store cannot list them. */
export async function* walkUploads(store: S3Store): AsyncGenerator<UnfinishedUpload, void> {
  const { bucket, key_prefix, page_keys, quirks } = store.settings;
  if (!quirks.lists_uploads) return;
  let markers: { KeyMarker: string; UploadIdMarker?: string } | undefined;
  do {
    const page = await store.call((options) =>
      store.client.listMultipartUploads(
        { Bucket: bucket, Prefix: key_prefix, MaxUploads: page_keys, EncodingType: 'url', ...markers },
        options,
      ),
    );
    for (const { Key = '', UploadId = '', Initiated } of page.Uploads ?? []) {
      const key = decodedName(Key, page.EncodingType);
      const name = key.slice(key_prefix.length);
      if (!isKey(name)) continue;
      const parts = await partsOf(store, key, UploadId);
      if (parts === undefined) continue;
      const writtenAt = Math.max(parts.last_written_at, Initiated?.getTime() ?? 0);
      const id = `${name} (upload ${UploadId})`;
      yield { id, size: parts.size, age_ms: store.now() - writtenAt, store_id: UploadId, key };
    }
    markers =
      page.IsTruncated === true && page.NextKeyMarker !== undefined
        ? {
            KeyMarker: decodedName(page.NextKeyMarker, page.EncodingType),
            ...(page.NextUploadIdMarker !== undefined && { UploadIdMarker: page.NextUploadIdMarker }),
          }
        : undefined;
  } while (markers !== undefined);
}

/** Aborts an upload; false where it has ended meanwhile. */
export async function removeUpload(store: S3Store, { key, store_id }: UnfinishedUpload): Promise<boolean> {
  const input = { Bucket: store.settings.bucket, Key: key, UploadId: store_id };
  return await unlessGone(async () => {
    await store.callRaw((options) => store.client.abortMultipartUpload(input, options));
    return true;
  }, false);
}

interface PartsSoFar {
  readonly size: number;
  readonly last_written_at: number;
}

/** What has arrived of an upload; undefined where it has ended meanwhile. */
async function partsOf(store: S3Store, key: string, uploadId: string): Promise<PartsSoFar | undefined> {
  let size = 0;
  let lastWrittenAt = 0;
  let marker: string | undefined;
  do {
    const input = { Bucket: store.settings.bucket, Key: key, UploadId: uploadId, PartNumberMarker: marker };
    const page = await unlessGone(
      async () => await store.callRaw((options) => store.client.listParts(input, options)),
      undefined,
    );
    if (page === undefined) return undefined;
    for (const { Size = 0, LastModified } of page.Parts ?? []) {
      size += Size;
      lastWrittenAt = Math.max(lastWrittenAt, LastModified?.getTime() ?? 0);
    }
    marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
  } while (marker !== undefined);
  return { size, last_written_at: lastWrittenAt };
}

async function unlessGone<T, Gone>(work: () => Promise<T>, gone: Gone): Promise<T | Gone> {
  try {
    return await work();
  } catch (error) {
    if (isCalled(error, 'NoSuchUpload')) return gone;
    const mapped = s3Error(error);
    if (isRowlockError(mapped, 'object_not_found')) return gone;
    throw mapped;
  }
}
