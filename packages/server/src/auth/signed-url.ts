/**
 * Tokens of our own signed URLs: which object, for what, until when, and under which further terms. Verifying one needs
 * no database; what was revoked or used up is asked in the statement that finds the object. A token names the object's
 * id beside its name, so it never opens another object that took the name later.
 */
import { RowlockError } from '@rowlock/client/contract';
import { isInRanges } from '../domain/address-ranges.ts';
import { readTransform, type Transform } from '../domain/transform.ts';
import { CompactTokens, type TokenKeys } from './compact-tokens.ts';
import { randomTexts } from './random-texts.ts';

export type SignedUrlKeys = TokenKeys;

/** What a URL is bound to beyond its object, where its signer asked for it. */
export interface SignedUrlTerms {
  /** `GET` answers HEAD as well; `HEAD` shows what is there and gives no bytes. */
  readonly method: 'GET' | 'HEAD';
  /** The variant, or `undefined` for the object itself. */
  readonly preset?: string | undefined;
  /** The form that the object is shown in, and in no other. */
  readonly transform?: Transform | undefined;
  /** The object must still have this version. */
  readonly version_id?: string | undefined;
  /** The object must have this media type. */
  readonly content_type?: string | undefined;
  /** Save as a file: under this name, or under the object's own for `true`. */
  readonly download?: string | true | undefined;
  /** The object must not be larger, in bytes. */
  readonly size_max?: number | undefined;
  /** The object must have this checksum, 64 hexadecimal digits. */
  readonly sha256?: string | undefined;
  /** From where it may be opened: addresses and ranges of them. */
  readonly addresses?: readonly string[] | undefined;
  /** Whether its uses are counted, in the database. */
  readonly counted?: true | undefined;
}

/** What a signed URL allows. */
export interface SignedUrlGrant extends SignedUrlTerms {
  readonly bucket: string;
  readonly name: string;
  readonly object_id: string;
}

/** Who signed and when, as the database says it. */
export interface SignedUrlStamp {
  /** 16 characters that stand for the signer's role and id. */
  readonly issuer: string;
  /** Seconds since 1970 with six decimals: revocations are compared with it, so both are of one clock. */
  readonly signed_at: string;
  readonly expirySeconds: number;
}

/** A grant that a token proved. */
export interface OpenedGrant extends SignedUrlGrant {
  /** 32 characters, the first 16 of which are the issuer. */
  readonly id: string;
  /** Seconds since 1970, with fractions. */
  readonly signed_at: number;
  readonly expires_at: Date;
}

/** What a request shows beside its token. */
export interface SignedUrlUse {
  readonly bucket: string;
  readonly name: string;
  readonly method: 'GET' | 'HEAD';
  /** The client's address. */
  readonly address: string;
}

export interface SignedToken {
  readonly id: string;
  readonly token: string;
}

/** The `typ` of these tokens (RFC 8725, section 3.11): none of them is a bearer token, and no bearer token is one. */
export const signedUrlType = 'rowlock-url+jwt';

/** Longest lifetime of a signed URL, in seconds: seven days. */
export const signedUrlSecondsMax: number = 7 * 24 * 3600;

/** Default lifetime, in seconds. */
export const signedUrlSecondsDefault = 3600;

/** Longest token that is looked at, in characters: a name of 1,024 bytes and every term fit in. */
const tokenCharactersMax = 8192;

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

/** When a URL that is signed now expires, in whole seconds since 1970. */
export function expiryOf(stamp: SignedUrlStamp): number {
  return Math.floor(Number(stamp.signed_at)) + stamp.expirySeconds;
}

export interface UrlSigner {
  /** Prepares the signing of any number of objects of a bucket under the same terms. */
  signing(
    bucket: string,
    terms: SignedUrlTerms,
    stamp: SignedUrlStamp,
  ): (object: { readonly name: string; readonly object_id: string }, unique?: string) => SignedToken;
  /**
   * What a token allows here.
   *
   * @throws RowlockError `invalid_signature`; `url_expired` when the signature is right; `not_allowed` from elsewhere
   */
  open(token: string, use: SignedUrlUse): OpenedGrant;
}

/** Makes a signer of HS256 tokens with a key id, so that keys can be rotated with an overlap. */
export function createUrlSigner(keys: SignedUrlKeys, now: () => Date = () => new Date()): UrlSigner {
  const tokens = new CompactTokens(keys, signedUrlType);
  return {
    signing(bucket, terms, stamp) {
      const sign = tokens.signing(headOf(bucket, terms, stamp));
      return ({ name, object_id }, unique = randomTexts.next()) => {
        const id = stamp.issuer + unique;
        return { id, token: sign(`"jti":"${id}","o":"${object_id}","p":${JSON.stringify(name)}}`) };
      };
    },

    open(token, use) {
      const claims = token.length > tokenCharactersMax ? undefined : tokens.open(token);
      const grant = claims === undefined ? undefined : grantOf(claims);
      if (grant === undefined) {
        throw new RowlockError('invalid_signature', 'Invalid signature');
      }
      if (grant.expires_at.getTime() <= now().getTime()) {
        throw new RowlockError('url_expired', 'The signed URL has expired');
      }
      assertFor(grant, use);
      return grant;
    },
  };
}

/** @throws RowlockError `invalid_signature` for another object or method, `not_allowed` for another address */
function assertFor(grant: OpenedGrant, use: SignedUrlUse): void {
  if (grant.bucket !== use.bucket || grant.name !== use.name) {
    throw new RowlockError('invalid_signature', 'The URL is signed for something else');
  }
  if (grant.method !== use.method && use.method !== 'HEAD') {
    throw new RowlockError('invalid_signature', 'The URL is signed for HEAD only');
  }
  if (grant.addresses !== undefined && !isInRanges(use.address, grant.addresses)) {
    throw new RowlockError('not_allowed', 'The URL is signed for other addresses than yours');
  }
}

/**
 * What a token is for. A picture has words of its own: who does not know them, a process of a build from before there were
 * pictures, must not open the object itself instead.
 */
const forObjects = { GET: 'download', HEAD: 'head' } as const;
const forPictures = { GET: 'render', HEAD: 'render_head' } as const;

/** The method of a token for this; `undefined` for what is no word of ours. */
function methodOf(op: unknown, isPicture: boolean): 'GET' | 'HEAD' | undefined {
  const words = isPicture ? forPictures : forObjects;
  return (['GET', 'HEAD'] as const).find((method) => words[method] === op);
}

/** The claims that URLs of one signing share, as JSON that goes on. Names are short: they are in every URL. */
function headOf(bucket: string, terms: SignedUrlTerms, stamp: SignedUrlStamp): string {
  const op = (terms.transform === undefined ? forObjects : forPictures)[terms.method];
  const head = `{"iat":${stamp.signed_at},"op":"${op}","b":${JSON.stringify(bucket)},"exp":${expiryOf(stamp)},`;
  return (
    head +
    claim('v', terms.preset) +
    claim('tr', terms.transform) +
    claim('ver', terms.version_id) +
    claim('ct', terms.content_type) +
    claim('dn', terms.download) +
    claim('max', terms.size_max) +
    claim('h', terms.sha256) +
    claim('ip', terms.addresses) +
    claim('n', terms.counted)
  );
}

/** Hardly any URL has one of these: what is not there must not cost anything. */
function claim(name: string, value: unknown): string {
  return value === undefined ? '' : `"${name}":${JSON.stringify(value)},`;
}

const idForm: RegExp = /^[A-Za-z0-9_-]{32}$/;
const uuidForm: RegExp = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Claims that were signed, as what they say; `undefined` where they are not what we sign. */
function grantOf(claims: Readonly<Record<string, unknown>>): OpenedGrant | undefined {
  const { op, b, p, o, v, tr, jti, iat, exp, ver, ct, dn, max, h, ip, n } = claims;
  const method = methodOf(op, tr !== undefined);
  const isWhole = method !== undefined && typeof b === 'string' && typeof p === 'string';
  const isTimed = isTime(iat) && isTime(exp) && exp - iat <= signedUrlSecondsMax && claims['nbf'] === undefined;
  if (!isWhole || !isTimed || !isText(o, uuidForm) || !isText(jti, idForm)) return undefined;
  if (![v, ct, h].every(isOptionalText) || !(ver === undefined || isText(ver, uuidForm))) return undefined;
  if (!(dn === undefined || dn === true || typeof dn === 'string') || !(n === undefined || n === true))
    return undefined;
  if (!isOptionalTransform(tr)) return undefined;
  if (!(max === undefined || Number.isSafeInteger(max)) || !(ip === undefined || isTexts(ip))) return undefined;
  return {
    bucket: b,
    name: p,
    object_id: o,
    method,
    preset: v as string | undefined,
    transform: tr as Transform | undefined,
    version_id: ver,
    content_type: ct as string | undefined,
    download: dn,
    size_max: max as number | undefined,
    sha256: h as string | undefined,
    addresses: ip,
    counted: n,
    id: jti,
    signed_at: iat,
    expires_at: new Date(exp * 1000),
  };
}

const isTime = (value: unknown): value is number => typeof value === 'number' && value > 0 && value < 1e11;
const isText = (value: unknown, form: RegExp): value is string => typeof value === 'string' && form.test(value);
const isOptionalText = (value: unknown): boolean => value === undefined || typeof value === 'string';
/** What we signed was read by the same function. */
function isOptionalTransform(value: unknown): boolean {
  try {
    return value === undefined || (typeof value === 'object' && readTransform({ ...value }) !== undefined);
  } catch (error) {
    if (error instanceof RowlockError) return false;
    throw error;
  }
}
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');
