/**
 * Signs URLs with Signature Version 4 in the query, for S3 stores and for our own backends alike. It signs
 * whatever it is asked to: who may have which URL, and for how long within AWS's seven days, is decided
 * before. Invariant: every header and parameter that is given is covered by the signature.
 */
import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { RowlockError } from '@rowlock/client/contract';
import {
  canonicalQuery,
  canonicalRequestHash,
  compareBytes,
  type QueryPair,
  unsignedPayload,
  uriEncode,
  uriEncodePath,
} from './canonical.ts';
import { scopeText, signature, signingKey } from './signing-key.ts';

/** AWS's limit: seven days. */
export const expirySecondsMax = 604_800;

export interface SigningCredentials {
  readonly access_key_id: string;
  readonly secret_access_key: string;
  /** Of temporary credentials; becomes a signed parameter of the URL. */
  readonly session_token?: string;
}

export interface PresignerConfig {
  /** Scheme, host, port and perhaps a base path: `http://127.0.0.1:8000`. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly credentials: SigningCredentials;
  /** `path` is `endpoint/bucket/key` (default), `virtual` is `bucket.endpoint/key`. */
  readonly addressing?: 'path' | 'virtual';
  /** The service of the scope, `s3` unless given. */
  readonly service?: string;
}

export interface PresignRequest {
  /** Upper case. */
  readonly method: string;
  readonly key: string;
  /** Whole seconds, 1 to 604,800. */
  readonly expirySeconds: number;
  readonly now: Date;
  /** Signed beside `host`, never moved into the query: the request must send them exactly so. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Added to the URL and signed: `response-content-type` and the like. */
  readonly query?: Readonly<Record<string, string>>;
}

/** What stays the same for a UTC day. */
interface SigningDay {
  readonly date: string;
  readonly scope: string;
  readonly key: KeyObject;
  /** The first two parameters of every URL, encoded. */
  readonly parameters: string;
}

/** What stands in front of the key in every URL of a bucket. */
export interface BucketAddress {
  /** Scheme and host. */
  readonly origin: string;
  /** As it is signed. */
  readonly host: string;
  /** Encoded, with a slash at its end. */
  readonly pathPrefix: string;
}

/** Where the objects of a bucket are, by path or as a virtual host. */
export function addressOf(config: Pick<PresignerConfig, 'endpoint' | 'bucket' | 'addressing'>): BucketAddress {
  const endpoint = new URL(config.endpoint);
  const virtual = config.addressing === 'virtual';
  const host = virtual ? `${config.bucket}.${endpoint.host}` : endpoint.host;
  const folder = endpoint.pathname.replace(/\/$/, '');
  return {
    origin: `${endpoint.protocol}//${host}`,
    host,
    pathPrefix: virtual ? `${folder}/` : `${folder}/${uriEncode(config.bucket)}/`,
  };
}

/** Signs URLs of one bucket with one credential; keeps the day's key, so a URL costs one hash and one HMAC. */
export class Presigner {
  readonly #config: PresignerConfig;
  /** Scheme and host of every URL. */
  readonly origin: string;
  readonly #host: string;
  /** Encoded path in front of the key. */
  readonly #basePath: string;
  #day: SigningDay | undefined;

  constructor(config: PresignerConfig) {
    this.#config = config;
    const { host, origin, pathPrefix } = addressOf(config);
    this.#host = host;
    this.origin = origin;
    this.#basePath = pathPrefix;
  }

  /**
   * Signs one URL.
   *
   * Throws `invalid_expiry` unless `expirySeconds` is a whole number from 1 to 604,800, and `invalid_request`
   * for a header value that HTTP cannot carry as it stands.
   */
  presign(request: PresignRequest): string {
    const { expirySeconds } = request;
    if (!Number.isInteger(expirySeconds) || expirySeconds < 1 || expirySeconds > expirySecondsMax) {
      throw new RowlockError(
        'invalid_expiry',
        `The expiry is not a whole number of seconds from 1 to ${expirySecondsMax}.`,
      );
    }
    const timestamp = amzTimestamp(request.now);
    const day = this.#dayOf(timestamp.slice(0, 8));
    const headers = this.#headers(request.headers);
    const path = this.#basePath + uriEncodePath(request.key);
    const query = this.#query(request, day, timestamp, headers);
    const hashed = canonicalRequestHash({ method: request.method, path, query, headers, payloadHash: unsignedPayload });
    return `${this.origin}${path}?${query}&X-Amz-Signature=${signature(day.key, timestamp, day.scope, hashed)}`;
  }

  #dayOf(date: string): SigningDay {
    if (this.#day?.date === date) return this.#day;
    const { credentials, region, service = 's3' } = this.#config;
    const scope = scopeText({ date, region, service });
    this.#day = {
      date,
      scope,
      key: signingKey(credentials.secret_access_key, { date, region, service }),
      parameters: `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${uriEncode(`${credentials.access_key_id}/${scope}`)}`,
    };
    return this.#day;
  }

  #headers(given: Readonly<Record<string, string>> | undefined): (readonly [string, string])[] {
    if (given === undefined) return [['host', this.#host]];
    const headers: (readonly [string, string])[] = [['host', this.#host]];
    for (const [name, value] of Object.entries(given)) {
      assert.match(name, /^(?!host$)[a-z0-9-]+$/, 'a signed header is named in lower case and is not host');
      if (!/^[\x20-\x7e]+$/.test(value)) {
        throw new RowlockError('invalid_request', `The header ${name} has no value, or one that is not plain ASCII.`);
      }
      headers.push([name, value]);
    }
    return headers.sort(([a], [b]) => compareBytes(a, b));
  }

  #query(
    request: PresignRequest,
    day: SigningDay,
    timestamp: string,
    headers: readonly (readonly [string, string])[],
  ): string {
    const { session_token: token } = this.#config.credentials;
    const names = headers.map(([name]) => name).join(';');
    if (request.query === undefined) {
      // Already in canonical order, which spares encoding and sorting five constants for every URL.
      const tokenParameter = token === undefined ? '' : `&X-Amz-Security-Token=${uriEncode(token)}`;
      const when = `&X-Amz-Date=${timestamp}&X-Amz-Expires=${request.expirySeconds}`;
      return `${day.parameters}${when}${tokenParameter}&X-Amz-SignedHeaders=${uriEncode(names)}`;
    }
    const pairs: QueryPair[] = [
      ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
      ['X-Amz-Credential', `${this.#config.credentials.access_key_id}/${day.scope}`],
      ['X-Amz-Date', timestamp],
      ['X-Amz-Expires', String(request.expirySeconds)],
      ['X-Amz-SignedHeaders', names],
    ];
    if (token !== undefined) pairs.push(['X-Amz-Security-Token', token]);
    const own = new Set([...pairs.map(([name]) => name.toLowerCase()), 'x-amz-signature', 'x-amz-security-token']);
    for (const [name, value] of Object.entries(request.query)) {
      assert.ok(!own.has(name.toLowerCase()), 'a parameter of the signature is not for the caller to give');
      pairs.push([name, value]);
    }
    return canonicalQuery(pairs);
  }
}

/** Spells a time as the signature does: `20130524T000000Z`, cut to the second. */
export function amzTimestamp(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}
