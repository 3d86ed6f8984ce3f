/**
 * Verifies bearer tokens by WebCrypto alone, by the server's rules: the algorithm belongs to the key that is configured
 * and is never the token's choice, and a token without an end is refused. It fetches no keys and knows no roles.
 */
import { RowlockError } from '../contract/errors.ts';

/** The fields of a JWK that are looked at here. */
export interface EdgeJwk {
  readonly kty?: string;
  readonly kid?: string;
  readonly alg?: string;
  readonly use?: string;
  readonly n?: string;
  readonly e?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
}

export interface EdgeTokenOptions {
  /** The secret of HS256 tokens, of at least 32 bytes; without one they are refused. */
  readonly secret?: string | undefined;
  /** Public keys of RS256 and ES256 tokens. */
  readonly jwks?: { readonly keys: readonly EdgeJwk[] } | undefined;
  /** The `iss` that tokens must have. */
  readonly issuer?: string | undefined;
  /** The `aud` that tokens must have. */
  readonly audience?: string | undefined;
  /** Tolerated difference between clocks, in seconds. */
  readonly clock_tolerance_seconds?: number | undefined;
}

export type EdgeClaims = Readonly<Record<string, unknown>>;

const tokenCharactersMax = 16_384;
const secretBytesMin = 32;
const rsaBitsMin = 2048;
/** Of the server's signed URLs: they open one object and are nobody's identity. */
const signedUrlType = 'rowlock-url+jwt';
const encoder = new TextEncoder();

const algorithms = {
  HS256: { name: 'HMAC', hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  ES256: { name: 'ECDSA', hash: 'SHA-256', namedCurve: 'P-256' },
} as const;
type Algorithm = keyof typeof algorithms;

interface Key {
  readonly alg: Algorithm;
  readonly kid: string | undefined;
  readonly key: Promise<CryptoKey>;
}

const refusal = (message: string, cause?: unknown): RowlockError =>
  new RowlockError('invalid_token', message, { cause });

/** Verifies tokens of the configured keys. */
export class EdgeTokenVerifier {
  readonly #options: EdgeTokenOptions;
  readonly #keys: readonly Key[];

  /** @throws TypeError without any key, or with a secret that could be guessed */
  constructor(options: EdgeTokenOptions) {
    this.#options = options;
    const published = (options.jwks?.keys ?? []).flatMap(publicKey);
    this.#keys = options.secret === undefined ? published : [secretKey(options.secret), ...published];
    if (this.#keys.length === 0) throw new TypeError('tokens can be verified by no key: give a secret or public keys');
  }

  /**
   * The claims of a valid token.
   *
   * @throws RowlockError `invalid_token`
   */
  async verify(token: string, now: Date = new Date()): Promise<EdgeClaims> {
    const parts = token.split('.');
    if (token.length > tokenCharactersMax || parts.length !== 3) throw refusal('The token is not a JWT');
    const [head = '', body = '', signature = ''] = parts;
    const header = jsonOf(head);
    const key = this.#keyFor(header);
    const signed = encoder.encode(`${head}.${body}`);
    const isValid = await crypto.subtle.verify(algorithms[key.alg], await key.key, bytesOf(signature), signed);
    if (!isValid) throw refusal('The token is not valid');
    const claims = jsonOf(body);
    this.#assertTimes(claims, now.getTime() / 1000);
    this.#assertParties(claims);
    return claims;
  }

  /** Exactly one key, whose algorithm the token names. */
  #keyFor(header: EdgeClaims): Key {
    const { alg, kid, typ, crit } = header;
    if (typ === signedUrlType) throw refusal('The token of a signed URL is no bearer token');
    if (crit !== undefined) throw refusal('The token asks for an extension that is not known');
    const found = this.#keys.filter(
      (key) => key.alg === alg && (kid === undefined || key.kid === undefined || key.kid === kid),
    );
    const [first, ...more] = found;
    if (first === undefined) throw refusal('No key is configured for such tokens');
    if (more.length > 0) throw refusal('The token does not say which key it was signed with');
    return first;
  }

  #assertTimes({ exp, nbf }: EdgeClaims, seconds: number): void {
    const tolerance = this.#options.clock_tolerance_seconds ?? 0;
    if (typeof exp !== 'number') throw refusal('The token has no end');
    if (exp <= seconds - tolerance) throw refusal('The token has expired');
    if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= seconds + tolerance)) {
      throw refusal('The token is not valid yet');
    }
  }

  #assertParties({ iss, aud }: EdgeClaims): void {
    const { issuer, audience } = this.#options;
    const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
    if (issuer !== undefined && iss !== issuer) throw refusal('The token is of another issuer');
    if (audience !== undefined && !audiences.includes(audience)) throw refusal('The token is for somebody else');
  }
}

function secretKey(secret: string): Key {
  const bytes = encoder.encode(secret);
  if (bytes.length < secretBytesMin) throw new TypeError(`the secret of tokens has fewer than ${secretBytesMin} bytes`);
  return { alg: 'HS256', kid: undefined, key: imported('raw', bytes, 'HS256') };
}

/** A public key that is one of ours to use, with the algorithm of its type; none for others. */
function publicKey(jwk: EdgeJwk): readonly Key[] {
  const alg = jwk.kty === 'RSA' ? 'RS256' : jwk.kty === 'EC' && jwk.crv === 'P-256' ? 'ES256' : undefined;
  if (alg === undefined || (jwk.alg ?? alg) !== alg || (jwk.use ?? 'sig') !== 'sig') return [];
  const { kty, n, e, crv, x, y } = jwk;
  const bare = kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y };
  return [{ alg, kid: jwk.kid, key: imported('jwk', bare as JsonWebKey, alg) }];
}

/** Begun at once, so that a request finds it there; whoever verifies with it hears of a key that is none. */
function imported(format: 'raw' | 'jwk', data: BufferSource | JsonWebKey, alg: Algorithm): Promise<CryptoKey> {
  const key = importKey(format, data, alg);
  key.catch(() => undefined);
  return key;
}

async function importKey(format: 'raw' | 'jwk', data: BufferSource | JsonWebKey, alg: Algorithm): Promise<CryptoKey> {
  const key = await (format === 'raw'
    ? crypto.subtle.importKey('raw', data as BufferSource, algorithms[alg], false, ['verify'])
    : crypto.subtle.importKey('jwk', data as JsonWebKey, algorithms[alg], false, ['verify']));
  const { modulusLength } = key.algorithm as { readonly modulusLength?: number };
  if (modulusLength !== undefined && modulusLength < rsaBitsMin) throw refusal('The key of tokens is too short');
  return key;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw refusal('The token is not a JWT');
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  } catch (cause) {
    throw refusal('The token is not a JWT', cause);
  }
}

function jsonOf(text: string): EdgeClaims {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(text)));
  } catch (cause) {
    throw refusal('The token is not a JWT', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refusal('The token is not a JWT');
  return value as EdgeClaims;
}
