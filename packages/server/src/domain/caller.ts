/**
 * A verified caller: a PostgreSQL role and the claims of a token whose signature was checked. The class is nominal
 * and its maker can be taken once, by `auth`, so whoever holds a Caller was reached through verification.
 */

/** Where a request came from, as the audit log tells it. */
export interface RequestOrigin {
  readonly request_id: string;
  /** The client's address. */
  readonly address: string;
}

/** What a token said of who asks. */
export interface CallerIdentity {
  readonly role: string;
  readonly claims: string;
  readonly anonymous: boolean;
  readonly subject: string | undefined;
  readonly origin: RequestOrigin | undefined;
}

/** Who asks. */
export class Caller implements CallerIdentity {
  /** The PostgreSQL role that this caller's statements run as. */
  readonly role: string;
  /** The claims as JSON, as policies see them in `request.jwt.claims`. */
  readonly claims: string;
  /** True without a token, or with a token of the anonymous role. */
  readonly anonymous: boolean;
  /** Whom the token is about: its `sub`, or the numeric user id of tokens that nest it. Policies may see it otherwise. */
  readonly subject: string | undefined;
  /** Undefined where no request is behind it. */
  readonly origin: RequestOrigin | undefined;
  readonly #verified = true;

  constructor(proof: symbol, identity: CallerIdentity) {
    if (proof !== mint) {
      throw new TypeError('a Caller is made by authenticate()');
    }
    this.role = identity.role;
    this.claims = identity.claims;
    this.anonymous = identity.anonymous;
    this.subject = identity.subject;
    this.origin = identity.origin;
  }

  /** Whether a value is a caller that was made by verification. */
  static isVerified(value: unknown): value is Caller {
    return value instanceof Caller && #verified in value;
  }
}

export type MakeCaller = (identity: CallerIdentity) => Caller;

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
  return (identity) => new Caller(mint, identity);
}
