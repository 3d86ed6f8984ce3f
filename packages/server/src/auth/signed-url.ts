/**
 * Tokens of our own signed URLs: which object, for what, until when. Verifying one needs no database. A token names
 * the object's id beside its name, so it never opens another object that took the name later.
 */
import { RowlockError } from '@rowlock/client/contract';
import { errors, jwtVerify, SignJWT } from 'jose';

/** What a signed URL allows. */
export interface SignedUrlGrant {
  readonly bucket: string;
  readonly name: string;
  readonly object_id: string;
  /** The variant, or `undefined` for the object itself. */
  readonly preset: string | undefined;
}

export interface SignedUrlKeys {
  /** Signs now. */
  readonly current: { readonly id: string; readonly secret: string };
  /** Still verify: keys of before a rotation. */
  readonly previous?: readonly { readonly id: string; readonly secret: string }[];
}

/** The `typ` of these tokens (RFC 8725, section 3.11): none of them is a bearer token, and no bearer token is one. */
export const signedUrlType = 'rowlock-url+jwt';

/** Longest lifetime of a signed URL, in seconds: seven days. */
export const signedUrlSecondsMax: number = 7 * 24 * 3600;

/** Default lifetime, in seconds. */
export const signedUrlSecondsDefault = 3600;

/**
 * Checks a lifetime.
 *
 * @throws RowlockError `invalid_expiry` unless it is a whole number of seconds from 1 to seven days
 */
export function assertExpiry(seconds: number): void {
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > signedUrlSecondsMax) {
    throw new RowlockError('invalid_expiry', `A signed URL lives from 1 to ${signedUrlSecondsMax} seconds`);
  }
}

export interface UrlSigner {
  sign(grant: SignedUrlGrant, expiresAt: Date): Promise<string>;
  /** @throws RowlockError `invalid_signature`, or `url_expired` when the signature is right */
  verify(token: string, bucket: string, name: string): Promise<SignedUrlGrant & { readonly expires_at: Date }>;
}

/** Makes a signer of HS256 tokens with a key id, so that keys can be rotated with an overlap. */
export function createUrlSigner(keys: SignedUrlKeys, now: () => Date = () => new Date()): UrlSigner {
  const secrets = new Map(
    [keys.current, ...(keys.previous ?? [])].map((key) => [key.id, new TextEncoder().encode(key.secret)]),
  );
  const current = new TextEncoder().encode(keys.current.secret);

  return {
    sign: (grant, expiresAt) =>
      new SignJWT({
        b: grant.bucket,
        p: grant.name,
        o: grant.object_id,
        op: 'download',
        ...(grant.preset === undefined ? {} : { v: grant.preset }),
      })
        .setProtectedHeader({ alg: 'HS256', typ: signedUrlType, kid: keys.current.id })
        .setIssuedAt(now())
        .setExpirationTime(expiresAt)
        .sign(current),

    async verify(token, bucket, name) {
      try {
        const { payload } = await jwtVerify(
          token,
          (header) => {
            const secret = secrets.get(header.kid ?? '');
            if (secret === undefined) {
              throw new RowlockError('invalid_signature', 'Invalid signature');
            }
            return secret;
          },
          {
            algorithms: ['HS256'],
            typ: signedUrlType,
            requiredClaims: ['exp', 'b', 'p', 'o'],
            currentDate: now(),
          },
        );
        const { b, p, o, v, op, exp } = payload;
        if (b !== bucket || p !== name || op !== 'download' || typeof o !== 'string' || exp === undefined) {
          throw new RowlockError('invalid_signature', 'The URL is signed for something else');
        }
        return {
          bucket,
          name,
          object_id: o,
          preset: typeof v === 'string' ? v : undefined,
          expires_at: new Date(exp * 1000),
        };
      } catch (error) {
        throw asUrlRefusal(error);
      }
    },
  };
}

function asUrlRefusal(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) {
    return new RowlockError('url_expired', 'The signed URL has expired');
  }
  if (error instanceof errors.JOSEError) {
    return new RowlockError('invalid_signature', 'Invalid signature', { cause: error });
  }
  return error;
}
