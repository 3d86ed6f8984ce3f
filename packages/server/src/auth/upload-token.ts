/**
 * Tokens of signed uploads: they name a ticket and where its object goes, and nothing that decides. What a ticket allows
 * its row says; the token only keeps strangers from asking for one. A token of a download is none of these.
 */
import { RowlockError } from '@rowlock/client/contract';
import { CompactTokens, type TokenKeys } from './compact-tokens.ts';

/** The `typ` of these tokens: none of them is a bearer token or opens a download. */
const uploadTokenType = 'rowlock-upload+jwt';

/** Longest lifetime of a signed upload, in seconds: a day. */
const signedUploadSecondsMax: number = 24 * 3600;

/** Default lifetime, in seconds: two hours, as storage-js documents it. */
export const signedUploadSecondsDefault = 7200;

/**
 * Checks a lifetime.
 *
 * @throws RowlockError `invalid_expiry` unless it is a whole number of seconds from 1 to a day
 */
export function assertUploadExpiry(seconds: number): void {
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > signedUploadSecondsMax) {
    throw new RowlockError('invalid_expiry', `A signed upload can begin for 1 to ${signedUploadSecondsMax} seconds`);
  }
}

export interface UploadTicket {
  readonly ticket_id: string;
  readonly bucket: string;
  readonly name: string;
}

export interface UploadTokens {
  sign(ticket: UploadTicket, expiresAt: Date): string;
  /** @throws RowlockError `invalid_signature`, or `url_expired` when the signature is right */
  verify(token: string, bucket: string, name: string): UploadTicket;
}

/** Makes a signer of tokens with the keys of signed URLs, so that both rotate together. */
export function createUploadTokens(keys: TokenKeys, now: () => Date = () => new Date()): UploadTokens {
  const tokens = new CompactTokens(keys, uploadTokenType);
  return {
    sign: ({ ticket_id, bucket, name }, expiresAt) => {
      const claims = { op: 'upload', u: ticket_id, b: bucket, p: name, exp: Math.floor(expiresAt.getTime() / 1000) };
      return tokens.signing('')(JSON.stringify(claims));
    },
    verify: (token, bucket, name) => {
      const { op, u, b, p, exp } = tokens.open(token) ?? {};
      if (op !== 'upload' || typeof u !== 'string' || b !== bucket || p !== name || typeof exp !== 'number') {
        throw new RowlockError('invalid_signature', 'Invalid signature');
      }
      if (exp * 1000 <= now().getTime()) {
        throw new RowlockError('url_expired', 'The signed upload has expired');
      }
      return { ticket_id: u, bucket, name };
    },
  };
}
