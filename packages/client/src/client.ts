/**
 * The HTTP client for browsers, Node and edge runtimes: buckets, objects, links and functions of one service, as one
 * caller. It needs nothing but `fetch`; errors are the service's own reasons.
 */
import { answered } from './answered.ts';
import type { Bucket, BucketChanges, NewBucket } from './contract/buckets.ts';
import type { Change } from './contract/changes.ts';
import { RowlockError } from './contract/errors.ts';
import type { Entry, ListedObject, ObjectInfo, SignedLink, UploadedObject, WrittenObject } from './contract/objects.ts';
import type { Picture, Variant } from './contract/pictures.ts';
import type { ObjectVersion } from './contract/versions.ts';
import { errorOfAnswer } from './error-of-answer.ts';
import { filled, queryOf } from './filled.ts';
import { type FollowOptions, followChanges } from './follow-changes.ts';
import { type ListOptions, listAll, listFolder, listVersionsOf } from './list-objects.ts';
import { objectPath } from './object-path.ts';
import { type PictureOptions, type PicturePlace, pictureOf } from './picture-of.ts';
import { startUpload } from './upload/start-upload.ts';
import { canTell, tellingFetch } from './upload/telling-fetch.ts';
import type { Upload, UploadChoices, UploadSource, UploadTarget } from './upload/upload-options.ts';
import { type WaitOptions, waitForThumbnails } from './wait-for-thumbnails.ts';
import { writeHeaders } from './write-headers.ts';

export interface ClientOptions {
  /** Address of the service, without `/storage/v1`. */
  readonly url: string;
  /** Bearer token; none for an anonymous caller. A function is asked before every request. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /** Another `fetch`, for tests and proxies. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** True where PostgREST answers at the address, and not the service: then functions and views are all there is. */
  readonly postgrest?: boolean | undefined;
}

export interface PutOptions {
  readonly contentType?: string | undefined;
  /** True to overwrite, false to refuse a name that is taken, undefined for the bucket's own setting. */
  readonly overwrite?: boolean | undefined;
  /** Seconds that caches may keep it, or a whole header. */
  readonly cacheControl?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  /** Bytes, where the body is a stream of known size. */
  readonly size?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Where an object is. */
export interface ObjectPlace {
  readonly bucket: string;
  readonly name: string;
}

export type Body = string | Blob | ArrayBuffer | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

interface Call {
  readonly method: string;
  readonly path: string;
  readonly json?: unknown;
  readonly body?: Body | undefined;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** Told as bytes of the body leave, in browsers; elsewhere nobody knows. */
  readonly onSent?: ((bytes: number) => void) | undefined;
}

/** Makes a client. */
export function createClient(options: ClientOptions): StorageClient {
  return new StorageClient(options);
}

/** What a link is bound to. */
export interface SignOptions {
  /** At most seven days; an hour unless given. */
  readonly expirySeconds?: number;
  /** A thumbnail instead of the object. */
  readonly preset?: string;
  /** A picture of just this size and format instead of the object, made when somebody first opens it. */
  readonly transform?: {
    /** In pixels, up to 2,000. */
    readonly width?: number;
    readonly height?: number;
    readonly resize?: 'cover' | 'contain' | 'fill';
    /** 20 to 100. */
    readonly quality?: number;
    readonly format?: 'auto' | 'origin' | 'jpeg' | 'png' | 'webp' | 'avif';
  };
  /** The name to save the file as, or `true` for its own. */
  readonly download?: string | true;
  /** How often it may be opened. */
  readonly usesMax?: number;
  /** From where: addresses, or ranges such as `192.0.2.0/24`. */
  readonly addresses?: readonly string[];
}

/** One service as one caller; made by `createClient`. */
export class StorageClient {
  readonly url: string;
  /** Whether PostgREST answers there, and not the service. */
  readonly isPostgrest: boolean;
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.isPostgrest = options.postgrest === true;
    this.#options = options;
  }

  /** @throws RowlockError `bucket_exists`, `invalid_bucket_name`, `not_allowed` */
  createBucket(bucket: NewBucket): Promise<Bucket> {
    return this.ask({ method: 'POST', path: '/storage/v1/bucket', json: bucket });
  }

  /** The buckets that the caller may see. */
  listBuckets(): Promise<readonly Bucket[]> {
    return this.ask({ method: 'GET', path: '/storage/v1/bucket' });
  }

  getBucket(name: string): Promise<Bucket> {
    return this.ask({ method: 'GET', path: objectPath('bucket', name) });
  }

  /** Changes what is named; the rest stays. @throws RowlockError `bucket_not_found`, `not_allowed`, `invalid_request` */
  updateBucket(name: string, changes: BucketChanges): Promise<Bucket> {
    return this.ask({ method: 'PATCH', path: objectPath('bucket', name), json: changes });
  }

  /** @throws RowlockError `bucket_not_empty` */
  async deleteBucket(name: string): Promise<void> {
    await this.send({ method: 'DELETE', path: objectPath('bucket', name) });
  }

  /** Puts a body as one object, in one request through the service. @throws RowlockError as the service says */
  put(bucket: string, name: string, body: Body, options: PutOptions = {}): Promise<UploadedObject> {
    const { contentType, size, signal } = options;
    const headers = {
      ...writeHeaders(options),
      'content-type': contentType,
      'content-length': size?.toString(),
    };
    return this.ask({ method: 'POST', path: objectPath('object', bucket, name), body, headers, signal });
  }

  /**
   * Uploads a file of any size by the way that suits it, tries again what may succeed, and goes on where a closed page stopped.
   * It runs from now on.
   *
   * @throws RowlockError as the service says; `client_closed` for one that was cancelled
   */
  upload(file: UploadSource, options: UploadTarget & UploadChoices): Upload {
    return startUpload(this, file, options);
  }

  /** Opens an object for reading, or one of its versions; `range` is a header's value such as `bytes=0-99`. */
  download(
    bucket: string,
    name: string,
    options: { readonly range?: string; readonly version?: string; readonly signal?: AbortSignal } = {},
  ): Promise<Response> {
    const { range, version, signal } = options;
    const path = objectPath('object', bucket, name) + queryOf({ version });
    return this.send({ method: 'GET', path, headers: { range }, signal });
  }

  info(bucket: string, name: string, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<ObjectInfo> {
    return this.ask({ method: 'GET', path: objectPath('object/info', bucket, name), signal: options.signal });
  }

  /** Whether the caller can see the object. */
  async exists(bucket: string, name: string): Promise<boolean> {
    try {
      await this.send({ method: 'HEAD', path: objectPath('object', bucket, name) });
      return true;
    } catch (error) {
      if (error instanceof RowlockError && (error.status === 404 || error.status === 401)) {
        return false;
      }
      throw error;
    }
  }

  /** Deletes exact names, at most a thousand; answers those that were there and the caller's to delete. */
  async remove(bucket: string, names: readonly string[]): Promise<readonly string[]> {
    const path = objectPath('object', bucket);
    const gone = await this.ask<readonly { name: string }[]>({ method: 'DELETE', path, json: { prefixes: names } });
    return gone.map(({ name }) => name);
  }

  /** Walks a folder: objects and folders, or with `recursive` everything below; names from the folder on. */
  list(bucket: string, folder = '', options: ListOptions = {}): AsyncGenerator<Entry, void, undefined> {
    return listFolder(this, bucket, folder, options);
  }

  /** Walks all objects whose names begin with a prefix, with whole names and what their uploaders said of them. */
  listAll(
    bucket: string,
    prefix = '',
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<ListedObject, void, undefined> {
    return listAll(this, bucket, { prefix, signal: options.signal });
  }

  /** Versions and delete markers of a name, newest first. */
  listVersions(bucket: string, name: string): AsyncGenerator<ObjectVersion, void, undefined> {
    return listVersionsOf(this, objectPath('object/versions', bucket, name), {});
  }

  /** What was deleted below a prefix and can be restored: of each name the version that comes back. */
  listDeleted(bucket: string, prefix = ''): AsyncGenerator<ObjectVersion, void, undefined> {
    return listVersionsOf(this, objectPath('object/versions', bucket), { prefix });
  }

  /** Makes a version current again, or takes a deletion back. @throws RowlockError `object_exists`, `object_not_found` */
  restore(bucket: string, name: string, version?: string): Promise<WrittenObject> {
    return this.ask({ method: 'POST', path: objectPath('object/restore', bucket, name), json: { version } });
  }

  /** Purges one version, or a delete marker, for ever. Idempotent. */
  async purge(bucket: string, name: string, version: string): Promise<void> {
    const path = objectPath('object', bucket, name) + queryOf({ version });
    await this.send({ method: 'DELETE', path });
  }

  /** Gives an object another name or bucket, in constant time. @throws RowlockError `object_exists`, `object_not_found` */
  move(from: ObjectPlace, to: ObjectPlace, options: { readonly overwrite?: boolean } = {}): Promise<WrittenObject> {
    return this.ask(relocation('move', from, to, options.overwrite));
  }

  /** Makes another object of the same bytes, in constant time. @throws RowlockError `object_exists`, `object_not_found` */
  copy(from: ObjectPlace, to: ObjectPlace, options: { readonly overwrite?: boolean } = {}): Promise<WrittenObject> {
    return this.ask(relocation('copy', from, to, options.overwrite));
  }

  /**
   * What is known of a picture and of its variants: of an object, or of an entity's file by `fileId`. With `expirySeconds` each
   * variant has a URL straight to the store.
   *
   * @throws RowlockError `object_not_found`
   */
  picture(place: PicturePlace, options: PictureOptions = {}): Promise<Picture> {
    return pictureOf(this, place, options);
  }

  /** The variants of a picture as they are now; none of what is no picture. @throws RowlockError `object_not_found` */
  async variants(bucket: string, name: string, options: PictureOptions = {}): Promise<readonly Variant[]> {
    return (await pictureOf(this, { bucket, name }, options)).variants;
  }

  /**
   * Waits until the thumbnails of a picture are made, or known not to be: told by the change feed, else by asking less and less.
   * What has no thumbnails is not waited for.
   *
   * @throws RowlockError `request_timeout` where it takes longer than `timeoutMs`, `client_closed` where the signal ended it
   */
  waitForThumbnails(place: PicturePlace, options: WaitOptions = {}): Promise<Picture> {
    return waitForThumbnails(this, place, options);
  }

  /** Follows what changes, from now on or from a cursor, through lost connections and tokens that end. */
  follow(options: FollowOptions = {}): AsyncGenerator<Change, void, undefined> {
    return followChanges(this, options);
  }

  /** Makes a link that works without a token, for an object, one of its thumbnails, or a picture of another size. */
  sign(bucket: string, name: string, options: SignOptions = {}): Promise<SignedLink> {
    const { expirySeconds, preset, transform, download, usesMax, addresses } = options;
    // What is undefined JSON leaves out.
    const json = {
      expiresIn: expirySeconds,
      transform: preset === undefined && transform === undefined ? undefined : { ...transform, preset },
      download,
      max_uses: usesMax,
      addresses,
    };
    return this.ask({ method: 'POST', path: objectPath('object/sign', bucket, name), json });
  }

  /** Makes links for up to 1,000 objects at once, in their order; undefined where an object is hidden or missing. */
  async signAll(
    bucket: string,
    names: readonly string[],
    options: { readonly expirySeconds?: number } = {},
  ): Promise<(string | undefined)[]> {
    const json = { expiresIn: options.expirySeconds ?? 3600, paths: names };
    const path = objectPath('object/sign', bucket);
    const signed = await this.ask<readonly { readonly signedURL: string | null }[]>({ method: 'POST', path, json });
    return signed.map(({ signedURL }, place) => {
      // The answer's path is decoded, so that a name may have a question mark; a token has none.
      const token = signedURL?.slice(signedURL.lastIndexOf('?'));
      return token === undefined
        ? undefined
        : `${this.url}${objectPath('object/sign', bucket, names[place] ?? '')}${token}`;
    });
  }

  /** Ends every link that was signed for an object, or the one with an id. */
  async revoke(bucket: string, name: string, id?: string): Promise<void> {
    await this.send({ method: 'DELETE', path: objectPath('object/sign', bucket, name) + queryOf({ id }) });
  }

  /** Calls a function as PostgREST would. Answers undefined where the function returns nothing. */
  async rpc<T>(
    name: string,
    args: Readonly<Record<string, unknown>>,
    method: 'GET' | 'POST' = 'POST',
    signal?: AbortSignal,
  ): Promise<T> {
    const path = `/rpc/${encodeURIComponent(name)}`;
    const query = method === 'GET' ? `?${new URLSearchParams(args as Record<string, string>)}` : '';
    const json = method === 'POST' ? { json: args } : {};
    return await this.ask({ method, path: `${path}${query}`, ...json, signal });
  }

  /** Sends one request as the caller and reads its JSON; undefined where there is none. @throws RowlockError as `send` does */
  async ask<T>(call: Call): Promise<T> {
    const answer = await this.send(call);
    return (answer.status === 204 ? undefined : await answered(answer.json(), call.signal)) as T;
  }

  /** Sends one request as the caller. @throws RowlockError with the service's reason; `unavailable` where nothing answers */
  async send(call: Call): Promise<Response> {
    const { token } = this.#options;
    const bearer = typeof token === 'function' ? await token() : token;
    const headers = {
      'content-type': call.json === undefined ? undefined : 'application/json',
      ...call.headers,
      authorization: bearer === undefined ? undefined : `Bearer ${bearer}`,
    };
    const body = call.json === undefined ? call.body : JSON.stringify(call.json);
    const { method, signal = null } = call;
    const request = this.#request(
      `${this.url}${call.path}`,
      { method, headers: filled(headers), body: body ?? null, signal },
      call.onSent,
    );
    const answer = await answered(request, signal, `nothing answers at ${this.url}`);
    if (!answer.ok) throw await errorOfAnswer(answer, call.signal);
    return answer;
  }

  /** Sends bytes to a URL that was signed for them, without this caller's token. @throws RowlockError `unavailable` */
  putTo(
    url: string,
    { body, headers = {}, signal, onSent }: Pick<Call, 'body' | 'headers' | 'signal' | 'onSent'>,
  ): Promise<Response> {
    const init = { method: 'PUT', headers: filled(headers), body: body ?? null, signal: signal ?? null };
    return answered(this.#request(url, init, onSent), signal);
  }

  #request(url: string, init: RequestInit, onSent: Call['onSent']): Promise<Response> {
    const { fetch: given } = this.#options;
    if (onSent !== undefined && given === undefined && canTell()) return tellingFetch(url, init, onSent);
    // A body that is a stream needs `duplex`, which the types of `fetch` do not know.
    const duplex = init.body instanceof ReadableStream ? { duplex: 'half' } : {};
    return (given ?? fetch)(url, { ...init, ...duplex });
  }
}

function relocation(kind: 'move' | 'copy', from: ObjectPlace, to: ObjectPlace, overwrite: boolean | undefined): Call {
  const json = {
    bucketId: from.bucket,
    sourceKey: from.name,
    destinationBucket: to.bucket,
    destinationKey: to.name,
  };
  return { method: 'POST', path: `/storage/v1/object/${kind}`, json, headers: writeHeaders({ overwrite }) };
}
