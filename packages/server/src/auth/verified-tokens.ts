/**
 * Remembers, for a minute, the claims of tokens whose signature was verified: an application sends the same token with
 * every request, and verifying it again costs a fifth of a small download. It verifies nothing itself, and never
 * answers with claims that would not pass the checks of time at this moment.
 */

/** A token's claims as they were verified, and the moment of it. */
interface Verified {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly verified_at: number;
}

/** Bounds the memory to some 16 MiB, whatever tokens are sent. */
const entriesMax = 2000;
const tokenCharactersMax = 4096;
/** A signing key that was withdrawn is trusted no longer than this beyond its withdrawal, in milliseconds. */
const ageMax = 60_000;

/** A bounded memory of verified tokens, oldest out first. Times are milliseconds of the clock that the verifier uses. */
export class VerifiedTokens {
  readonly #byToken = new Map<string, Verified>();
  readonly #toleranceMs: number;

  constructor(clockToleranceSeconds: number) {
    this.#toleranceMs = clockToleranceSeconds * 1000;
  }

  /** The claims of a token that was verified lately and has not expired since; else `undefined`: verify it. */
  recall(token: string, now: number): Readonly<Record<string, unknown>> | undefined {
    const found = this.#byToken.get(token);
    if (found === undefined) return undefined;
    const age = now - found.verified_at;
    const expires = Number(found.claims['exp']) * 1000 + this.#toleranceMs;
    // A clock that went backwards may be before `nbf` again.
    if (age >= 0 && age < ageMax && now < expires) return found.claims;
    this.#byToken.delete(token);
    return undefined;
  }

  /** Remembers claims whose signature, issuer, audience and times were verified at `now`. */
  remember(token: string, claims: Readonly<Record<string, unknown>>, now: number): void {
    if (token.length > tokenCharactersMax) return;
    this.#byToken.delete(token);
    if (this.#byToken.size >= entriesMax) {
      const [oldest] = this.#byToken.keys();
      if (oldest !== undefined) this.#byToken.delete(oldest);
    }
    this.#byToken.set(token, { claims: Object.freeze(claims), verified_at: now });
  }
}
