/**
 * Uploads in parts straight to an S3 store: its own multipart uploads, begun and completed by the server, with parts that
 * clients put. What a store does differently is in `s3-quirks.ts`. Invariant: only completing makes bytes visible, and the store
 * has then forgotten the upload that its URLs of parts name.
 */
import type { ListPartsCommandInput, ListPartsCommandOutput, ObjectCannedACL } from '@aws-sdk/client-s3';
import { RowlockError } from '@rowlock/client/contract';
import { isAlreadyExists, isNotFound } from '../backend.ts';
import {
  type CreateOptions,
  isUploadGone,
  listedPartsMax,
  type NamedPart,
  type PartStore,
  type PartsPlace,
  type PresignPartOptions,
  type StoredPart,
} from '../parts.ts';
import { presignPartUrl } from './presign-object.ts';
import { addressOf } from './presigner.ts';
import type { CallOptions, S3Store } from './s3-client.ts';
import { isCalled, s3Error } from './s3-errors.ts';
import type { S3Presigners } from './s3-presigners.ts';

/** Multipart uploads of one store. */
export class S3PartStore implements PartStore {
  readonly #store: S3Store;
  readonly #presigners: S3Presigners;

  constructor(store: S3Store, presigners: S3Presigners) {
    this.#store = store;
    this.#presigners = presigners;
  }

  get origin(): string {
    const { public_endpoint: endpoint, bucket, force_path_style } = this.#store.settings;
    return addressOf({ endpoint, bucket, addressing: force_path_style ? 'path' : 'virtual' }).origin;
  }

  async create(key: string, { contentType, acl }: CreateOptions = {}): Promise<string> {
    const input = {
      ...this.#store.place(key),
      ...(contentType !== undefined && { ContentType: contentType }),
      ...(acl !== undefined && { ACL: acl as ObjectCannedACL }),
    };
    const { UploadId } = await this.#store.call((options) => this.#store.client.createMultipartUpload(input, options));
    if (UploadId === undefined) throw new Error('the store began a multipart upload without an id');
    return UploadId;
  }

  async list(
    place: PartsPlace,
    { after = 0, limit = listedPartsMax }: { readonly after?: number; readonly limit?: number } = {},
  ): Promise<readonly StoredPart[]> {
    const wanted = Math.min(limit, listedPartsMax);
    const found: StoredPart[] = [];
    let marker: string | undefined = String(after);
    while (marker !== undefined && found.length < wanted) {
      const input: ListPartsCommandInput = {
        ...this.#input(place),
        PartNumberMarker: marker,
        MaxParts: wanted - found.length,
      };
      const page: ListPartsCommandOutput = await this.#call((options) => this.#store.client.listParts(input, options));
      for (const { PartNumber: part_number = 0, Size: size = 0, ETag = '' } of page.Parts ?? []) {
        found.push({ part_number, size, etag: unquoted(ETag) });
      }
      marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
    }
    return found;
  }

  async complete(place: PartsPlace, parts: readonly NamedPart[]): Promise<void> {
    const { conditional_complete } = this.#store.settings.quirks;
    const input = {
      ...this.#input(place),
      MultipartUpload: {
        Parts: parts.map(({ part_number, etag }) => ({ PartNumber: part_number, ETag: `"${etag}"` })),
      },
      ...(conditional_complete && { IfNoneMatch: '*' }),
    };
    try {
      await this.#call((options) => this.#store.client.completeMultipartUpload(input, options));
    } catch (error) {
      if (isAlreadyExists(error)) return; // nobody but an earlier completion writes this key
      if (isCalled(error, 'InvalidPart', 'InvalidPartOrder', 'EntityTooSmall')) {
        throw new RowlockError('invalid_part', 'The store does not take these parts as they are', { cause: error });
      }
      throw error;
    }
  }

  async abort(place: PartsPlace): Promise<boolean> {
    try {
      await this.#call((options) => this.#store.client.abortMultipartUpload(this.#input(place), options));
      return true;
    } catch (error) {
      if (isUploadGone(error)) return false;
      throw error;
    }
  }

  async presignPart({ key, store_id }: PartsPlace, options: PresignPartOptions): Promise<string> {
    const { Key } = this.#store.place(key);
    return presignPartUrl(await this.#presigners.get(options.expirySeconds), { key: Key, store_id }, options);
  }

  #input({ key, store_id }: PartsPlace): { Bucket: string; Key: string; UploadId: string } {
    return { ...this.#store.place(key), UploadId: store_id };
  }

  async #call<T>(request: (options: CallOptions) => Promise<T>): Promise<T> {
    try {
      return await this.#store.callRaw(request);
    } catch (error) {
      const mapped = s3Error(error);
      // Some call the key missing instead of the upload.
      if (isCalled(error, 'NoSuchUpload') || isNotFound(mapped)) {
        throw new RowlockError('upload_gone', 'The store does not have this upload any more', { cause: error });
      }
      throw mapped;
    }
  }
}

function unquoted(etag: string): string {
  return etag.replace(/^(W\/)?"|"$/g, '');
}
