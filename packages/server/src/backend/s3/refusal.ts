/**
 * Why a presigned request is refused: a closed union that the HTTP edges map to their spellings. It is thrown
 * inside the verifier only and never leaves it as an exception.
 */

/**
 * - `malformed`: not the query of a presigned URL, or one that can be read in two ways
 * - `unsupported`: another algorithm, Signature Version 2, or a signed body
 * - `invalid_expiry`: not a whole number of seconds from 1 to 604,800
 * - `unknown_key`: another access key or session token than expected
 * - `wrong_scope`: another date, region or service
 * - `missing_header`: a signed header was not sent
 * - `unsigned_header`: an `x-amz-*` header was sent and not signed
 * - `signature`: signed by someone else, or for another request
 * - `not_yet_valid`, `expired`: signed, for another time
 */
export type RefusalReason =
  | 'malformed'
  | 'unsupported'
  | 'invalid_expiry'
  | 'unknown_key'
  | 'wrong_scope'
  | 'missing_header'
  | 'unsigned_header'
  | 'signature'
  | 'not_yet_valid'
  | 'expired';

/** Ends a verification; carries the reason out to `verifyPresigned`. */
export class Refused extends Error {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string) {
    super(message);
    this.name = 'Refused';
    this.reason = reason;
  }
}
