/**
 * The calls of the storage service that the console makes, with one key. It knows addresses and shapes and no page.
 * Every failure is a RowlockError: with the service's own reason, or `unavailable` where no answer came.
 */
import { type ErrorBody, type ErrorReason, errorSpellings, RowlockError } from '@rowlock/client/contract';

export type BucketPolicy = 'private' | 'authenticated' | 'public';

export interface Bucket {
  readonly id: string;
  readonly owner_id: string | null;
  readonly policy: BucketPolicy;
  /** Bytes of one file; null for no limit of the bucket's own. */
  readonly file_size_limit: number | null;
  /** Such as `image/png` or `image/*`; null for any. */
  readonly allowed_mime_types: readonly string[] | null;
  readonly created_at: string;
}

export interface NewBucket {
  readonly name: string;
  readonly policy: BucketPolicy;
  /** A number of bytes or a text such as `20MB`; no limit when absent. */
  readonly file_size_limit?: string;
  /** Any type when absent. */
  readonly allowed_mime_types?: readonly string[];
}

/** A file or, with null for an id, a folder; its name is relative to the folder that was listed. */
export interface Entry {
  readonly name: string;
  readonly id: string | null;
  readonly created_at: string | null;
  readonly updated_at: string | null;
  readonly metadata: { readonly size?: number; readonly mimetype?: string } | null;
}

export interface ObjectFacts {
  readonly id: string;
  readonly name: string;
  readonly owner_id: string | null;
  readonly size: number;
  readonly content_type: string;
  readonly detected_type: string | null;
  readonly sha256: string | null;
  readonly created_at: string;
  readonly last_modified: string;
}

export interface SignedLink {
  readonly url: string;
  readonly expires_at: string;
}

export interface ListPage {
  readonly prefix: string;
  readonly search: string;
  readonly offset: number;
  readonly limit: number;
}

/** Where an object's bytes are sent to and read from. */
export function objectAddress(bucket: string, name: string): URL {
  return serviceAddress(`object/${encodePath(bucket, name)}`);
}

/** Makes the calls of one key; `signal` ends all that are under way. */
export class StorageCalls {
  readonly #key: string;
  readonly #signal: AbortSignal;

  constructor(key: string, signal: AbortSignal) {
    this.#key = key;
    this.#signal = signal;
  }

  async listBuckets(): Promise<readonly Bucket[]> {
    return this.#json('GET', 'bucket');
  }

  async getBucket(id: string): Promise<Bucket> {
    return this.#json('GET', `bucket/${encodeURIComponent(id)}`);
  }

  async createBucket(bucket: NewBucket): Promise<Bucket> {
    return this.#json('POST', 'bucket', bucket);
  }

  async deleteBucket(id: string): Promise<void> {
    await this.#json('DELETE', `bucket/${encodeURIComponent(id)}`);
  }

  async listFolder(bucket: string, page: ListPage): Promise<readonly Entry[]> {
    return this.#json('POST', `object/list/${encodeURIComponent(bucket)}`, page);
  }

  async describeObject(bucket: string, name: string): Promise<ObjectFacts> {
    return this.#json('GET', `object/info/${encodePath(bucket, name)}`);
  }

  async deleteObject(bucket: string, name: string): Promise<void> {
    await this.#json('DELETE', `object/${encodePath(bucket, name)}`);
  }

  /** Signs a link that opens the object for anybody who has it, for so many seconds. */
  async signLink(bucket: string, name: string, seconds: number): Promise<SignedLink> {
    return this.#json('POST', `object/sign/${encodePath(bucket, name)}`, { expiresIn: seconds });
  }

  /** The picture of a preset; undefined where there is none, or none yet. */
  async readVariant(bucket: string, name: string, preset: 'small' | 'large'): Promise<Blob | undefined> {
    const path = `render/image/authenticated/${encodePath(bucket, name)}?preset=${preset}`;
    try {
      const answer = await this.#send('GET', path);
      return await answer.blob();
    } catch (error) {
      if (error instanceof RowlockError && error.reason === 'variant_not_found') {
        return undefined;
      }
      throw error;
    }
  }

  async #json<Body>(method: string, path: string, body?: object): Promise<Body> {
    return (await this.#send(method, path, body)).json() as Promise<Body>;
  }

  async #send(method: string, path: string, body?: object): Promise<Response> {
    const headers = new Headers({ authorization: `Bearer ${this.#key}` });
    if (body !== undefined) {
      headers.set('content-type', 'application/json');
    }
    const init = { method, headers, signal: this.#signal, body: body === undefined ? null : JSON.stringify(body) };
    const answer = await fetch(serviceAddress(path), init).catch((cause: unknown) => {
      this.#signal.throwIfAborted();
      throw new RowlockError('unavailable', 'The service cannot be reached', { cause });
    });
    if (!answer.ok) {
      throw refusalOf(answer.status, await answer.text());
    }
    return answer;
  }
}

/** Reads the error of an answer; a body that is not the service's own (a proxy's page, say) says nothing. */
export function refusalOf(status: number, text: string): RowlockError {
  const body = bodyOf(text);
  return body === undefined
    ? new RowlockError(status >= 500 ? 'unavailable' : 'internal', `The answer was ${status}, without a reason`)
    : new RowlockError(body.reason, body.message);
}

function bodyOf(text: string): ErrorBody | undefined {
  try {
    const body = JSON.parse(text) as Partial<ErrorBody> | null;
    const isOurs = typeof body?.message === 'string' && Object.hasOwn(errorSpellings, String(body.reason));
    return isOurs ? (body as ErrorBody & { readonly reason: ErrorReason }) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  }
}

/** The service is beside the console: a proxy may have put both below any path. */
function serviceAddress(path: string): URL {
  return new URL(`../storage/v1/${path}`, document.baseURI);
}

function encodePath(bucket: string, name: string): string {
  return [bucket, ...name.split('/')].map(encodeURIComponent).join('/');
}
