/** Tokens for tests: real JWTs with a secret that only tests know. */
import { SignJWT } from 'jose';

/** The HS256 secret of test services. */
export const jwtSecret = 'a-secret-for-tests-only-of-more-than-32-bytes';

/** Signs claims; valid for an hour unless `exp` is among them. */
export function signToken(claims: Readonly<Record<string, unknown>>, secret: string = jwtSecret): Promise<string> {
  const token = new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' });
  return ('exp' in claims ? token : token.setExpirationTime('1h')).sign(new TextEncoder().encode(secret));
}
