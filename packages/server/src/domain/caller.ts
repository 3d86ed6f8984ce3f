/**
 * A verified caller: a PostgreSQL role and the claims of a token whose signature was checked. The class is nominal
 * and its maker can be taken once, by `auth`, so whoever holds a Caller was reached through verification.
 */

/** Who asks. */
export class Caller {
  /** The PostgreSQL role that this caller's statements run as. */
  readonly role: string;
  /** The claims as JSON, as policies see them in `request.jwt.claims`. */
  readonly claims: string;
  /** True without a token, or with a token of the anonymous role. */
  readonly anonymous: boolean;
  readonly #verified = true;

  constructor(proof: symbol, role: string, claims: string, anonymous: boolean) {
    if (proof !== mint) {
      throw new TypeError('a Caller is made by authenticate()');
    }
    this.role = role;
    this.claims = claims;
    this.anonymous = anonymous;
  }

  /** Whether a value is a caller that was made by verification. */
  static isVerified(value: unknown): value is Caller {
    return value instanceof Caller && #verified in value;
  }
}

export type MakeCaller = (role: string, claims: string, anonymous: boolean) => Caller;

const mint = Symbol('verified');
let taken = false;

/**
 * Hands out the only way to make callers, once in a process.
 *
 * @throws TypeError the second time
 */
export function takeCallerMint(): MakeCaller {
  if (taken) {
    throw new TypeError('the mint of callers is taken');
  }
  taken = true;
  return (role, claims, anonymous) => new Caller(mint, role, claims, anonymous);
}
