/**
 * Tokens of the example's people: HS256 with the secret that Rowlock has too, so that one token is good for the
 * application and for its files. An application with an identity provider has no use for `signToken`.
 */
import { jwtVerify, SignJWT } from 'jose';

/** Signs a token of somebody for a day. */
export function signToken(secret, subject) {
  return new SignJWT({ role: 'authenticated', sub: subject })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setExpirationTime('1d')
    .sign(new TextEncoder().encode(secret));
}

/** Returns the claims of a request's bearer token, or undefined where there is none that is valid. */
export async function claimsOf(secret, authorization) {
  const [, token] = /^Bearer (\S+)$/i.exec(authorization ?? '') ?? [];
  if (token === undefined) return undefined;
  try {
    const { payload } = await jwtVerify(token, new TextEncoder().encode(secret), { algorithms: ['HS256'] });
    return payload.role === 'authenticated' && typeof payload.sub === 'string' ? payload : undefined;
  } catch {
    return undefined; // expired, forged or no token at all
  }
}
