/**
 * The backend that keeps objects in a bucket of an S3 store. Transfers are the AWS SDK's, presigned URLs our own. What
 * stores do differently is in `s3-quirks.ts`. Invariant: a key shows all of its bytes or none, and what a put leaves
 * that did not finish is a multipart upload, which is listed.
 */
import type { ObjectCannedACL } from '@aws-sdk/client-s3';
import { RowlockError } from '@rowlock/client/contract';
import type {
  Backend,
  ByteRange,
  CopyOptions,
  ForeignEntry,
  GetResult,
  HeadResult,
  ListedObject,
  ListOptions,
  PresignGetOptions,
  PresignPutOptions,
  PutGuards,
  PutOptions,
  UnfinishedObject,
  WalkOptions,
} from '../backend.ts';
import { isAlreadyExists, isNotFound } from '../backend.ts';
import { uriEncodePath } from './canonical.ts';
import { type DayKey, dayKeys } from './day-keys.ts';
import { presignGetUrl, presignPutUrl } from './presign-object.ts';
import { S3Check } from './s3-check.ts';
import { S3Store } from './s3-client.ts';
import { type S3BackendConfig, s3Settings } from './s3-config.ts';
import { Gate } from './s3-gate.ts';
import { getObject } from './s3-get.ts';
import { walkObjects } from './s3-list.ts';
import { PartBuffers } from './s3-part-buffers.ts';
import { S3PartStore } from './s3-part-store.ts';
import { S3Presigners } from './s3-presigners.ts';
import { type PutMeans, putObject } from './s3-put.ts';
import { removeUpload, walkUploads } from './s3-unfinished.ts';

export type { S3BackendConfig } from './s3-config.ts';

/**
 * Opens an S3 store. Nothing is asked of it yet: `check` says whether it can be reached.
 *
 * @throws RangeError for an option that cannot be
 */
export async function openS3Backend(config: S3BackendConfig): Promise<S3Backend> {
  return new S3Backend(new S3Store(s3Settings(config)));
}

/** Derived keys are renewed with the credentials behind them, well before these end. */
const signingKeySecondsMin = 900;

/** Objects in a bucket; made by `openS3Backend`. */
export class S3Backend implements Backend {
  readonly name: string;
  readonly bucket: string;
  readonly parts: S3PartStore;
  readonly region: string;
  readonly keyPrefix: string;
  readonly putGuards: PutGuards;
  readonly #store: S3Store;
  readonly #means: PutMeans;
  readonly #presigners: S3Presigners;
  readonly #check: S3Check;

  constructor(store: S3Store) {
    this.name = store.settings.name;
    this.bucket = store.settings.bucket;
    this.region = store.settings.region;
    this.keyPrefix = store.settings.key_prefix;
    this.putGuards = store.settings.put_guards;
    this.#store = store;
    this.#means = { gate: new Gate(store.settings.parts_at_once), buffers: new PartBuffers() };
    this.#presigners = new S3Presigners(store);
    this.parts = new S3PartStore(store, this.#presigners);
    this.#check = new S3Check(store);
  }

  async put(key: string, source: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<{ size: number }> {
    const place = this.#store.place(key);
    const { signal, contentType, cacheControl, metadata, acl } = options;
    const answered = {
      ...(contentType !== undefined && { ContentType: contentType }),
      ...(cacheControl !== undefined && { CacheControl: cacheControl }),
      ...(acl !== undefined && { ACL: acl as ObjectCannedACL }),
    };
    return { size: await putObject(this.#store, this.#means, { place, source, signal, metadata, answered }) };
  }

  async get(key: string, range?: ByteRange): Promise<GetResult> {
    return await getObject(this.#store, this.#store.place(key), range);
  }

  async head(key: string): Promise<HeadResult | undefined> {
    const place = this.#store.place(key);
    try {
      const found = await this.#store.call((options) => this.#store.client.headObject(place, options));
      const { ContentLength: size, LastModified, ETag } = found;
      if (size === undefined || ETag === undefined)
        throw new Error('the store described an object without size or etag');
      return { size, last_modified: LastModified ?? new Date(0), etag: ETag.replace(/^(W\/)?"|"$/g, '') };
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await this.#store.proveBucket();
      return undefined;
    }
  }

  /** Removes an object; of two at the same time both may say that there was one. */
  async delete(key: string): Promise<boolean> {
    const place = this.#store.place(key);
    const isThere = (await this.head(key)) !== undefined;
    if (isThere) await this.#store.call((options) => this.#store.client.deleteObject(place, options));
    return isThere;
  }

  async *list({ prefix = '' }: ListOptions = {}): AsyncGenerator<ListedObject, void> {
    for await (const entry of walkObjects(this.#store, { prefix })) {
      if ('key' in entry) yield entry;
    }
  }

  walk({ after = '' }: WalkOptions = {}): AsyncIterable<ListedObject | ForeignEntry> {
    return walkObjects(this.#store, { after });
  }

  async *listUnfinished(): AsyncGenerator<UnfinishedObject, void> {
    for await (const { id, size, age_ms, store_id } of walkUploads(this.#store)) yield { id, size, age_ms, store_id };
  }

  async removeUnfinished(olderThanMs: number, kept: ReadonlySet<string> = new Set()): Promise<number> {
    let removed = 0;
    for await (const upload of walkUploads(this.#store)) {
      if (kept.has(upload.store_id)) continue;
      if (upload.age_ms > olderThanMs && (await removeUpload(this.#store, upload))) removed += 1;
    }
    return removed;
  }

  async presignPut(key: string, options: PresignPutOptions): Promise<string> {
    const { Key } = this.#store.place(key);
    return presignPutUrl(await this.#presigners.get(options.expirySeconds), Key, options);
  }

  async presignGet(key: string, options: PresignGetOptions): Promise<string> {
    const { Key } = this.#store.place(key);
    return presignGetUrl(await this.#presigners.get(options.expirySeconds), Key, options);
  }

  async signingKeys(days: readonly string[]): Promise<readonly DayKey[]> {
    const { public_endpoint: endpoint, region, bucket, force_path_style, key_prefix } = this.#store.settings;
    const { valid_until, ...credentials } = await this.#presigners.credentials(signingKeySecondsMin);
    const addressing = force_path_style ? 'path' : 'virtual';
    return dayKeys({ endpoint, region, bucket, credentials, addressing, key_prefix }, days, valid_until);
  }

  async copyWithin(source: string, target: string, { etag, acl }: CopyOptions): Promise<void> {
    const { settings } = this.#store;
    const from = this.#store.place(source);
    const input = {
      ...this.#store.place(target),
      CopySource: `${from.Bucket}/${uriEncodePath(from.Key)}`,
      ...(settings.quirks.conditional_copy && { CopySourceIfMatch: `"${etag}"` }),
      ...(acl !== undefined && { ACL: acl as ObjectCannedACL }),
    };
    try {
      await this.#store.call((options) => this.#store.client.copyObject(input, options));
    } catch (error) {
      if (!isAlreadyExists(error) && !isNotFound(error)) throw error;
      throw new RowlockError('precondition_failed', 'The bytes were replaced while they were copied', { cause: error });
    }
  }

  /** Lists, and writes and removes a few bytes; a good answer is remembered for ten seconds. */
  async check(): Promise<void> {
    await this.#check.run();
  }

  async close(): Promise<void> {
    this.#store.close();
  }
}
