/**
 * Signs URLs with Signature Version 4 in the query by WebCrypto alone, for runtimes that have nothing else. It signs
 * what it is asked to: who may have which URL is decided before. Invariant: for the same input its URL is, byte by
 * byte, that of the server's own signer.
 */
import { RowlockError } from '../contract/errors.ts';

/** AWS's limit: seven days. */
const expirySecondsMax = 604_800;
const encoder = new TextEncoder();

export interface EdgeStore {
  /** Scheme, host, port and perhaps a base path: `https://<account>.r2.cloudflarestorage.com`. */
  readonly endpoint: string;
  /** `auto` for R2. */
  readonly region: string;
  readonly bucket: string;
  readonly access_key_id: string;
  readonly secret_access_key: string;
  /** Of temporary credentials, as a Lambda function has them. */
  readonly session_token?: string | undefined;
  /** `path` is `endpoint/bucket/key` (default), `virtual` is `bucket.endpoint/key`. */
  readonly addressing?: 'path' | 'virtual';
}

export interface EdgePresignRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT';
  readonly key: string;
  /** Whole seconds, 1 to 604,800. */
  readonly expirySeconds: number;
  readonly now?: Date;
  /** Signed beside `host`: the request must send them exactly so. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Added to the URL and signed: `response-content-disposition` and the like. */
  readonly query?: Readonly<Record<string, string>>;
}

interface SigningDay {
  readonly date: string;
  readonly key: Promise<CryptoKey>;
}

/** Signs URLs of one bucket with one credential; keeps the key of the day. */
export class EdgePresigner {
  readonly #store: EdgeStore;
  readonly #origin: string;
  readonly #host: string;
  readonly #pathPrefix: string;
  #day: SigningDay | undefined;

  constructor(store: EdgeStore) {
    const endpoint = new URL(store.endpoint);
    const isVirtual = store.addressing === 'virtual';
    const folder = endpoint.pathname.replace(/\/$/, '');
    this.#store = store;
    this.#host = isVirtual ? `${store.bucket}.${endpoint.host}` : endpoint.host;
    this.#origin = `${endpoint.protocol}//${this.#host}`;
    this.#pathPrefix = isVirtual ? `${folder}/` : `${folder}/${uriEncode(store.bucket)}/`;
  }

  /**
   * Signs one URL.
   *
   * @throws RowlockError `invalid_expiry`; `invalid_request` for a header that HTTP cannot carry as it stands
   */
  async presign(request: EdgePresignRequest): Promise<string> {
    const { method, expirySeconds, now = new Date() } = request;
    if (!Number.isInteger(expirySeconds) || expirySeconds < 1 || expirySeconds > expirySecondsMax) {
      throw new RowlockError(
        'invalid_expiry',
        `The expiry is not a whole number of seconds from 1 to ${expirySecondsMax}.`,
      );
    }
    const timestamp = `${now.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
    const scope = `${timestamp.slice(0, 8)}/${this.#store.region}/s3/aws4_request`;
    const headers = headerLines({ ...request.headers, host: this.#host });
    const names = headers.map(([name]) => name).join(';');
    const path = this.#pathPrefix + request.key.split('/').map(uriEncode).join('/');
    const query = canonicalQuery({
      ...request.query,
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': `${this.#store.access_key_id}/${scope}`,
      'X-Amz-Date': timestamp,
      'X-Amz-Expires': String(expirySeconds),
      'X-Amz-SignedHeaders': names,
      ...(this.#store.session_token === undefined ? {} : { 'X-Amz-Security-Token': this.#store.session_token }),
    });
    const lines = headers.map(([name, value]) => `${name}:${value}\n`).join('');
    const canonical = `${method}\n${path}\n${query}\n${lines}\n${names}\nUNSIGNED-PAYLOAD`;
    const hashed = hex(await crypto.subtle.digest('SHA-256', encoder.encode(canonical)));
    const toSign = `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${hashed}`;
    const signature = await hmac(await this.#keyOf(timestamp.slice(0, 8)), toSign);
    return `${this.#origin}${path}?${query}&X-Amz-Signature=${hex(signature)}`;
  }

  #keyOf(date: string): Promise<CryptoKey> {
    if (this.#day?.date !== date) this.#day = { date, key: this.#derive(date) };
    return this.#day.key;
  }

  async #derive(date: string): Promise<CryptoKey> {
    let key = await hmacKey(encoder.encode(`AWS4${this.#store.secret_access_key}`));
    for (const part of [date, this.#store.region, 's3', 'aws4_request']) {
      key = await hmacKey(await hmac(key, part));
    }
    return key;
  }
}

function hmacKey(bytes: BufferSource): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
}

function hmac(key: CryptoKey, text: string): Promise<ArrayBuffer> {
  return crypto.subtle.sign('HMAC', key, encoder.encode(text));
}

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Percent-encodes all but RFC 3986's unreserved characters. */
function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

const byName = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : 1);

function canonicalQuery(parameters: Readonly<Record<string, string>>): string {
  const encoded = Object.entries(parameters).map(([name, value]) => [uriEncode(name), uriEncode(value)] as const);
  return encoded
    .sort(byName)
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function headerLines(headers: Readonly<Record<string, string>>): (readonly [string, string])[] {
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[a-z0-9-]+$/.test(name) || !/^[\x20-\x7e]+$/.test(value)) {
      throw new RowlockError('invalid_request', `The header ${name} has no value, or one that is not plain ASCII.`);
    }
  }
  return Object.entries(headers)
    .map(([name, value]) => [name, value.trim().replace(/\s+/g, ' ')] as const)
    .sort(byName);
}
