/**
 * Derives Signature Version 4's signing keys and keeps the last few, since deriving one takes four HMACs and
 * signing with it takes one. It holds keys in memory only and never logs or returns a secret. Invariant: a
 * kept key is found only by exactly its own secret, day, region and service.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

/** What a signing key is good for, beside its secret. */
export interface SigningScope {
  /** `YYYYMMDD`, UTC. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** The text form of a scope: `20130524/us-east-1/s3/aws4_request`. */
export function scopeText(scope: SigningScope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
}

/** Two days around midnight for a hundred credentials; beyond that the oldest is derived anew. */
const keptMax = 200;
const kept = new Map<string, KeyObject>();

/**
 * Returns the signing key of a secret for a scope, derived or remembered.
 *
 * HMAC chain of AWS's "Create a derived signing key": date, region, service, `aws4_request`.
 */
export function signingKey(secret: string, scope: SigningScope): KeyObject {
  // NUL separates, so that no two different inputs share a name.
  const name = `${scope.date}\0${scope.region}\0${scope.service}\0${secret}`;
  const found = kept.get(name);
  if (found !== undefined) return found;
  const key = createSecretKey(derive(secret, scope));
  if (kept.size >= keptMax) kept.delete(kept.keys().next().value ?? '');
  kept.set(name, key);
  return key;
}

/** Signs the hash of a canonical request: lower-case hex HMAC of the string to sign. */
export function signature(key: KeyObject, timestamp: string, scope: string, canonicalHash: string): string {
  return createHmac('sha256', key).update(`AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${canonicalHash}`).digest('hex');
}

function derive(secret: string, scope: SigningScope): Buffer {
  const dateKey = hmac(`AWS4${secret}`, scope.date);
  const regionKey = hmac(dateKey, scope.region);
  const serviceKey = hmac(regionKey, scope.service);
  return hmac(serviceKey, 'aws4_request');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
