/**
 * Tokens that no library would make: any header, any payload text, any key. For attacks on who verifies them, and
 * never for callers of other tests, who have real ones.
 */
import { constants, createHmac, type KeyObject, sign } from 'node:crypto';

const part = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Signs whatever header and payload with HMAC-SHA256. */
export function handMadeToken(header: object | string, payload: object | string, key: string | Buffer): string {
  const signed = `${part(header)}.${part(payload)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

/** The same without a signature, or with what is given as one. */
export function unsignedToken(header: object, payload: object, signature = ''): string {
  return `${part(header)}.${part(payload)}.${signature}`;
}

/** Signs with a private key, by the algorithm that the header names: RS256, PS256 or ES256. */
export function privatelySignedToken(
  header: Readonly<Record<string, unknown>>,
  payload: object,
  key: KeyObject,
): string {
  const signed = `${part(header)}.${part(payload)}`;
  const padding = header['alg'] === 'PS256' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  const form =
    key.asymmetricKeyType === 'ec' ? ({ key, dsaEncoding: 'ieee-p1363' } as const) : { key, padding, saltLength: 32 };
  return `${signed}.${sign('sha256', Buffer.from(signed), form).toString('base64url')}`;
}
