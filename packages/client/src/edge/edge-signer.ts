/**
 * The signer where no server of ours runs: a request with a token becomes presigned URLs, by WebCrypto alone. Lambda
 * and Workers handlers are adapters of it. It never signs before the rules have said yes to this caller and this key.
 */
import { errorBody, isRowlockError, RowlockError } from '../contract/errors.ts';
import { EdgePresigner, type EdgeStore } from './presigner.ts';
import type { EdgeCaller, EdgeFile, EdgeRules } from './rules.ts';
import { type EdgeTokenOptions, EdgeTokenVerifier } from './token-verifier.ts';

export interface EdgeSignerConfig {
  readonly store: EdgeStore;
  readonly tokens: EdgeTokenOptions;
  readonly rules: EdgeRules;
  /** How long an upload URL lives, 1 to 3,600 s. Default 900. */
  readonly upload_expiry_seconds?: number;
  /** How long a download URL lives, 1 to 3,600 s. Default 3,600. */
  readonly download_expiry_seconds?: number;
  /** Whether the store refuses a PUT with `if-none-match: *` where the key is taken. Default true; PostgREST's rules need it. */
  readonly conditional_put?: boolean;
  /** The origin that browsers may call from. Default `*`: nothing is answered without a bearer token. */
  readonly allowed_origin?: string;
  /** Told of what is nobody's fault but ours. */
  readonly report?: (error: unknown) => void;
  readonly now?: () => Date;
}

/** What the adapters make of their requests. */
export interface EdgeRequest {
  readonly method: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

export interface EdgeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const batchKeysMax = 1000;
/** A thousand keys of 1,024 bytes, and what is around them. */
const bodyCharactersMax = 1_100_000;
const keyBytesMax = 1024;
const uploadBytesMax = 5 * 2 ** 30;
const mediaType = /^[A-Za-z0-9!#$&^_.+-]{1,127}\/[A-Za-z0-9!#$&^_.+-]{1,127}( *;[ -~]{0,200})?$/;
/** Control characters are looked for here. */
const isPlain = (text: string): boolean => ![...text].some((c) => c < ' ' || (c >= '\u007f' && c <= '\u009f'));
const bytesIn = (text: string): number => new TextEncoder().encode(text).length;

type Body = Readonly<Record<string, unknown>>;

/** Signs uploads and downloads for whoever has a token. */
export class EdgeSigner {
  readonly #config: EdgeSignerConfig;
  readonly #presigner: EdgePresigner;
  readonly #verifier: EdgeTokenVerifier;

  /** @throws TypeError for a configuration that could verify nobody */
  constructor(config: EdgeSignerConfig) {
    this.#config = config;
    this.#presigner = new EdgePresigner(config.store);
    this.#verifier = new EdgeTokenVerifier(config.tokens);
  }

  /** One upload: `{fileName, fileType, entityType?, entityId?, fileSize?}` becomes `{url, method, key, headers, …}`. */
  presignUpload(request: EdgeRequest): Promise<EdgeAnswer> {
    return this.#answer(request, async (caller, body, now) => {
      const file = fileOf(body);
      const { key, ...ids } = await this.#config.rules.grantUpload(caller, file);
      const expirySeconds = this.#config.upload_expiry_seconds ?? 900;
      // A key is new: whoever keeps the URL cannot put other bytes there.
      const onlyNew = this.#config.conditional_put === false ? {} : { 'if-none-match': '*' };
      const headers = { ...(file.fileType === '' ? {} : { 'content-type': file.fileType }), ...onlyNew };
      // A browser sets the length by itself, and must not be told to.
      const signed = file.fileSize === undefined ? headers : { ...headers, 'content-length': String(file.fileSize) };
      const url = await this.#presigner.presign({ method: 'PUT', key, expirySeconds, headers: signed, now });
      return { url, method: 'PUT', key, headers, expires_at: expiresAt(now, expirySeconds), ...ids };
    });
  }

  /**
   * Downloads: `{keys}`, at most 1,000, becomes `{urls, expires_at}` in their order, null for what the caller may not
   * read. All are answered as attachments, since what they are is not known here; a page's images show all the same.
   */
  presignDownloads(request: EdgeRequest): Promise<EdgeAnswer> {
    return this.#answer(request, async (caller, body, now) => {
      const keys = keysOf(body);
      const readable = await this.#config.rules.readableKeys(caller, [...new Set(keys)]);
      const expirySeconds = this.#config.download_expiry_seconds ?? 3600;
      const query = { 'response-content-disposition': 'attachment' };
      const urls = await Promise.all(
        keys.map((key) =>
          readable.has(key) ? this.#presigner.presign({ method: 'GET', key, expirySeconds, query, now }) : null,
        ),
      );
      return { urls, expires_at: expiresAt(now, expirySeconds) };
    });
  }

  /** @returns what a request gets that is for no route */
  unknownRoute(): EdgeAnswer {
    return this.#refused(new RowlockError('route_not_found', 'There are POST /presign and POST /presign/batch'));
  }

  async #answer(
    { method, authorization = '', body }: EdgeRequest,
    work: (caller: EdgeCaller, body: Body, now: Date) => Promise<object>,
  ): Promise<EdgeAnswer> {
    if (method === 'OPTIONS') return { status: 204, headers: this.#preflight(), body: '' };
    try {
      if (method !== 'POST') throw new RowlockError('method_not_allowed', 'It is called with POST');
      const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
      if (token === undefined) throw new RowlockError('auth_required', 'Send a token: Authorization: Bearer …');
      const now = this.#config.now?.() ?? new Date();
      const caller = { token, claims: await this.#verifier.verify(token, now) };
      return this.#json(200, await work(caller, objectOf(body), now));
    } catch (error) {
      return this.#refused(error);
    }
  }

  #refused(error: unknown): EdgeAnswer {
    const known = isRowlockError(error) ? error : new RowlockError('internal', 'Something went wrong on our side');
    if (known.reason === 'internal') this.#config.report?.(error);
    const answer = this.#json(known.status, errorBody(known.reason, known.message));
    const retry = known.retryAfterSeconds;
    return retry === undefined ? answer : { ...answer, headers: { ...answer.headers, 'retry-after': String(retry) } };
  }

  #json(status: number, body: object): EdgeAnswer {
    const headers = { ...this.#cors(), 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };
    return { status, headers, body: JSON.stringify(body) };
  }

  #cors(): Readonly<Record<string, string>> {
    const origin = this.#config.allowed_origin ?? '*';
    return { 'access-control-allow-origin': origin, ...(origin === '*' ? {} : { vary: 'origin' }) };
  }

  #preflight(): Readonly<Record<string, string>> {
    return {
      ...this.#cors(),
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-max-age': '3600',
    };
  }
}

const expiresAt = (now: Date, seconds: number): string =>
  new Date((Math.floor(now.getTime() / 1000) + seconds) * 1000).toISOString();

function objectOf(text: string): Body {
  if (text.length > bodyCharactersMax) throw new RowlockError('too_large', 'The body is too large');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RowlockError('invalid_request', 'The body is no JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RowlockError('invalid_request', 'The body is no JSON object');
  }
  return value as Body;
}

function textOf(body: Body, name: string, bytesMax: number): string | undefined {
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || bytesIn(value) > bytesMax || !isPlain(value)) {
    throw new RowlockError('invalid_request', `${name} is a text of at most ${bytesMax} bytes`);
  }
  return value;
}

function fileOf(body: Body): EdgeFile {
  const fileName = textOf(body, 'fileName', 1024) ?? '';
  const fileType = textOf(body, 'fileType', 400) ?? '';
  const fileSize = body['fileSize'] ?? undefined;
  if (fileName === '') throw new RowlockError('invalid_request', 'fileName is missing');
  if (fileType !== '' && !mediaType.test(fileType)) {
    throw new RowlockError('invalid_request', 'fileType is a media type such as image/jpeg');
  }
  if (fileSize !== undefined && !(Number.isSafeInteger(fileSize) && Number(fileSize) >= 0)) {
    throw new RowlockError('invalid_request', 'fileSize is a number of bytes');
  }
  if (Number(fileSize) > uploadBytesMax) throw new RowlockError('too_large', 'One PUT carries at most 5 GiB');
  const entity = { entityType: textOf(body, 'entityType', 100), entityId: textOf(body, 'entityId', 100) };
  return { fileName, fileType, ...entity, fileSize: fileSize === undefined ? undefined : Number(fileSize) };
}

function keysOf({ keys }: Body): readonly string[] {
  const isKey = (key: unknown): key is string =>
    typeof key === 'string' && key !== '' && !key.startsWith('/') && bytesIn(key) <= keyBytesMax && isPlain(key);
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > batchKeysMax || !keys.every(isKey)) {
    throw new RowlockError('invalid_request', `keys are 1 to ${batchKeysMax} keys of at most ${keyBytesMax} bytes`);
  }
  return keys;
}
