/**
 * Verifies URLs signed with Signature Version 4 in the query, as S3 does it and stricter where S3 is lax. It
 * answers only whether the holder of a secret signed this very request; who that is and what they may do is
 * decided by the caller. Invariant: nothing unsigned that could change the request's meaning gets an `ok`.
 */
import { timingSafeEqual } from 'node:crypto';
import { canonicalQuery, canonicalRequestHash, type QueryPair, unsignedPayload, uriEncodePath } from './canonical.ts';
import { type PresignedParameters, parsePresigned } from './parse-presigned.ts';
import type { SigningCredentials } from './presigner.ts';
import { type RefusalReason, Refused } from './refusal.ts';
import { scopeText, signature, signingKey } from './signing-key.ts';

/** How far the signer's clock may be ahead of ours: S3's fifteen minutes. */
const skewSecondsDefault = 900;

export interface PresignedRequest {
  readonly method: string;
  /** Further methods whose URL is good for this request: `['GET']` lets a GET URL answer a HEAD. */
  readonly alsoMethods?: readonly string[];
  /** What the client saw as the host: the `Host` header, or what a trusted proxy says it was. */
  readonly host: string;
  /** The path as it came over the wire, still encoded. */
  readonly rawPath: string;
  /** The query as it came over the wire, without `?`. */
  readonly rawQuery: string;
  /** Lower-case names, as `node:http` gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly credentials: SigningCredentials;
  readonly region: string;
  /** `s3` unless given. */
  readonly service?: string;
  readonly now: Date;
  readonly skewSeconds?: number;
}

export type VerifiedPresigned =
  | {
      readonly ok: true;
      /** Of `method` and `alsoMethods`, the one that was signed. */
      readonly method: string;
      /** The path that was signed, decoded: use this one and no other reading of the request. */
      readonly path: string;
      /** The parameters that are not the signature's own, decoded. */
      readonly query: readonly QueryPair[];
      readonly expires_at: Date;
      /** Lower-case names of the headers that the signature covers; `host` is always one. */
      readonly signed_headers: readonly string[];
    }
  | { readonly ok: false; readonly reason: RefusalReason; readonly message: string };

/**
 * Verifies a presigned request.
 *
 * A GET URL is good for GET alone unless the caller names it in `alsoMethods`. In paths a raw `+` is a plus,
 * in queries a space, as HTTP frameworks read them. Signed headers, content type and length included, must
 * have been sent exactly as signed. Unsigned `x-amz-*` headers are refused as S3 does; the one exception is
 * `x-amz-content-sha256: UNSIGNED-PAYLOAD`, which says what is true anyway. An unsigned `x-amz-date` header
 * is refused too: the date that counts stands in the query, and S3 would refuse it. A request that also has
 * an `Authorization` header is refused. The time is judged after the signature, so that only a URL that was
 * really signed is called expired. Never throws for hostile input.
 */
export function verifyPresigned(request: PresignedRequest): VerifiedPresigned {
  try {
    return verify(request);
  } catch (error) {
    if (error instanceof Refused) return { ok: false, reason: error.reason, message: error.message };
    throw error;
  }
}

function verify(request: PresignedRequest): VerifiedPresigned {
  const parameters = parsePresigned(request.rawQuery);
  const path = decodedPath(request.rawPath);
  assertScope(request, parameters);
  assertHeaders(request, parameters);
  const method = signedMethod(request, parameters, path);
  const expires_at = assertInTime(request, parameters);
  return {
    ok: true,
    method,
    path,
    query: parameters.others,
    expires_at,
    signed_headers: parameters.signed_headers,
  };
}

function decodedPath(rawPath: string): string {
  try {
    return decodeURIComponent(rawPath);
  } catch {
    throw new Refused('malformed', 'The path is not percent-encoded UTF-8.');
  }
}

function assertScope(request: PresignedRequest, parameters: PresignedParameters): void {
  const { credentials, region, service = 's3' } = request;
  if (parameters.access_key_id !== credentials.access_key_id) {
    throw new Refused('unknown_key', 'The access key id is not known.');
  }
  if (parameters.session_token !== credentials.session_token) {
    throw new Refused('unknown_key', 'The session token is not that of the access key.');
  }
  const scope = scopeText({ date: parameters.timestamp.slice(0, 8), region, service });
  if (parameters.scope !== scope) {
    throw new Refused('wrong_scope', 'The credential is for another date, region or service than this request.');
  }
}

function assertHeaders(request: PresignedRequest, parameters: PresignedParameters): void {
  if (headerText(request, 'authorization') !== undefined) {
    throw new Refused('malformed', 'A presigned URL and an Authorization header exclude each other.');
  }
  const signed = new Set(parameters.signed_headers);
  for (const name of signed) {
    if (name !== 'host' && headerText(request, name) === undefined) {
      throw new Refused('missing_header', `The header ${name} was signed and was not sent.`);
    }
  }
  for (const [given, value] of Object.entries(request.headers)) {
    const name = given.toLowerCase();
    if (!name.startsWith('x-amz-') || value === undefined || signed.has(name)) continue;
    if (name === 'x-amz-content-sha256' && value === unsignedPayload) continue;
    throw new Refused('unsigned_header', 'There were headers present in the request which were not signed.');
  }
}

/** Tries the methods in turn; throws unless the signature is that of one. */
function signedMethod(request: PresignedRequest, parameters: PresignedParameters, path: string): string {
  const { credentials, region, service = 's3', host } = request;
  const encodedPath = uriEncodePath(path);
  const query = canonicalQuery(parameters.signed_pairs);
  const key = signingKey(credentials.secret_access_key, {
    date: parameters.timestamp.slice(0, 8),
    region,
    service,
  });
  const headers = parameters.signed_headers.map((name) => {
    return [name, name === 'host' ? host : (headerText(request, name) ?? '')] as const;
  });
  for (const method of [request.method, ...(request.alsoMethods ?? [])]) {
    const hashed = canonicalRequestHash({ method, path: encodedPath, query, headers, payloadHash: unsignedPayload });
    if (equalHex(signature(key, parameters.timestamp, parameters.scope, hashed), parameters.signature)) return method;
  }
  throw new Refused('signature', 'The signature is not that of this request.');
}

function assertInTime(request: PresignedRequest, parameters: PresignedParameters): Date {
  const skewMs = (request.skewSeconds ?? skewSecondsDefault) * 1000;
  const expiresAt = new Date(parameters.issued_at.getTime() + parameters.expiry_seconds * 1000);
  if (parameters.issued_at.getTime() > request.now.getTime() + skewMs) {
    throw new Refused('not_yet_valid', 'The URL was signed for a later time.');
  }
  if (request.now.getTime() > expiresAt.getTime()) throw new Refused('expired', 'The URL has expired.');
  return expiresAt;
}

/** A header's value; own properties only, since a signer may name a header `constructor`. */
function headerText({ headers }: PresignedRequest, name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return value === undefined || typeof value === 'string' ? value : value.join(',');
}

/** Compares in constant time; what has another length than a signature differs anyway. */
function equalHex(expected: string, given: string): boolean {
  const a = Buffer.from(expected, 'latin1');
  const b = Buffer.from(given, 'latin1');
  return a.length === b.length && timingSafeEqual(a, b);
}
