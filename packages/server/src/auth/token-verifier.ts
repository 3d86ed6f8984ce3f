/**
 * Verifies bearer tokens with `jose`. The algorithm is pinned to the key that is configured, never taken from the
 * token's header alone: the shared secret verifies HS256 only, published keys RS256, ES256 and EdDSA only.
 */
import { RowlockError } from '@rowlock/client/contract';
import { createLocalJWKSet, createRemoteJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { assertPlainClaims } from './plain-claims.ts';
import { signedUrlType } from './signed-url.ts';
import { VerifiedTokens } from './verified-tokens.ts';

export interface TokenVerifierOptions {
  /** The secret of HS256 tokens; without one they are refused. */
  readonly secret?: string | undefined;
  /** Public keys of RS256, ES256 and EdDSA tokens. */
  readonly jwks?: JSONWebKeySet | undefined;
  /** Where such keys are published; fetched on first use and again, at most once in 30 s, for an unknown `kid`. */
  readonly jwks_url?: string | undefined;
  /** The `iss` that tokens must have. */
  readonly issuer?: string | undefined;
  /** The `aud` that tokens must have. */
  readonly audience?: string | undefined;
  /** Tolerated difference between clocks, in seconds. */
  readonly clock_tolerance_seconds?: number | undefined;
}

export interface TokenVerifier {
  /**
   * The claims of a valid token.
   *
   * @throws RowlockError `invalid_token`; `unavailable` where the published keys cannot be fetched
   */
  verify(token: string): Promise<Readonly<Record<string, unknown>>>;
}

const tokenBytesMax = 16384;
const publicAlgorithms: readonly string[] = ['RS256', 'ES256', 'EdDSA', 'Ed25519'];
const algorithmOfKey: Readonly<Record<string, string>> = { RSA: 'RS256', EC: 'ES256', OKP: 'EdDSA' };

type KeyLookup = ReturnType<typeof createLocalJWKSet> | ReturnType<typeof createRemoteJWKSet>;

/** Makes a verifier of the configured keys. Nothing is fetched before the first token that needs it. */
export function createTokenVerifier(options: TokenVerifierOptions, now: () => Date = () => new Date()): TokenVerifier {
  const secret = options.secret === undefined ? undefined : new TextEncoder().encode(options.secret);
  const lookups: KeyLookup[] = [];
  if (options.jwks !== undefined) {
    lookups.push(createLocalJWKSet(pinAlgorithms(options.jwks)));
  }
  if (options.jwks_url !== undefined) {
    lookups.push(createRemoteJWKSet(new URL(options.jwks_url), { timeoutDuration: 5000 }));
  }
  const checks = {
    requiredClaims: ['exp'],
    clockTolerance: options.clock_tolerance_seconds ?? 0,
    ...(options.issuer === undefined ? {} : { issuer: options.issuer }),
    ...(options.audience === undefined ? {} : { audience: options.audience }),
  };

  const verified = new VerifiedTokens(checks.clockTolerance);

  const verifyOne = async (token: string, currentDate: Date): Promise<JWTPayload> => {
    const atNow = { ...checks, currentDate };
    if (algorithmOf(token) === 'HS256') {
      if (secret === undefined) {
        throw new RowlockError('invalid_token', 'HS256 tokens are not accepted here');
      }
      return (await jwtVerify(token, secret, { ...atNow, algorithms: ['HS256'] })).payload;
    }
    for (const lookup of lookups.slice(0, -1)) {
      try {
        return (await jwtVerify(token, lookup, { ...atNow, algorithms: [...publicAlgorithms] })).payload;
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) {
          throw error;
        }
      }
    }
    const last = lookups.at(-1);
    if (last === undefined) {
      throw new RowlockError('invalid_token', 'Tokens signed with a public key are not accepted here');
    }
    return (await jwtVerify(token, last, { ...atNow, algorithms: [...publicAlgorithms] })).payload;
  };

  return {
    async verify(token) {
      if (token.length > tokenBytesMax) {
        throw new RowlockError('invalid_token', `A token has at most ${tokenBytesMax} characters`);
      }
      const currentDate = now();
      const known = verified.recall(token, currentDate.getTime());
      if (known !== undefined) {
        return known;
      }
      try {
        const claims = assertUsable(await verifyOne(token, currentDate), token);
        verified.remember(token, claims, currentDate.getTime());
        return claims;
      } catch (error) {
        throw asRefusal(error);
      }
    },
  };
}

/**
 * Reads the algorithm only to choose which configured key may be tried; that key then pins it.
 *
 * @throws RowlockError `invalid_token` for what is no JWT, and for the token of a signed URL: it opens one object and
 *   is nobody's identity, even where somebody configured one secret for both
 */
function algorithmOf(token: string): unknown {
  const header = headerOf(token);
  if (header['typ'] === signedUrlType) {
    throw new RowlockError('invalid_token', 'The token of a signed URL is no bearer token');
  }
  return header['alg'];
}

function headerOf(token: string): Readonly<Record<string, unknown>> {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString());
    return typeof header === 'object' && header !== null ? (header as Record<string, unknown>) : {};
  } catch (cause) {
    throw new RowlockError('invalid_token', 'The token is not a JWT', { cause });
  }
}

/** Gives each key that names no algorithm the one of its type, so that no key serves two. */
function pinAlgorithms(set: JSONWebKeySet): JSONWebKeySet {
  return {
    keys: set.keys
      .filter((key) => key.kty !== 'oct')
      .map((key) => {
        const alg = key.alg ?? algorithmOfKey[key.kty ?? ''];
        return alg === undefined ? key : { ...key, alg };
      }),
  };
}

/** The claims of a verified token, whose text must mean one thing. */
function assertUsable(payload: JWTPayload, token: string): Readonly<Record<string, unknown>> {
  assertPlainClaims(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return payload;
}

/** Whether it was the published keys that failed and not the token: no answer, or one that is not a set of keys. */
function keysAreAway(error: unknown): boolean {
  return (
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    (error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC') ||
    (error instanceof TypeError && error.message === 'fetch failed')
  );
}

function asRefusal(error: unknown): unknown {
  if (keysAreAway(error)) {
    return new RowlockError('unavailable', 'The keys of tokens cannot be fetched now', {
      cause: error,
      retryAfterSeconds: 5,
    });
  }
  if (error instanceof errors.JWTExpired) {
    return new RowlockError('invalid_token', 'The token has expired', { cause: error });
  }
  if (error instanceof errors.JOSEError) {
    return new RowlockError('invalid_token', 'The token is not valid', { cause: error });
  }
  return error;
}
