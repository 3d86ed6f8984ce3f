/**
 * Links that sign somebody in to the console, for development: each token is exchanged for a key once, within minutes. The
 * process holds them, as digests; who may make one, and what stands in a key, is for whoever issues it. Invariant: no token
 * gives a key twice.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { RowlockError } from '@rowlock/client/contract';

export interface SignInLinksOptions {
  /** How to get another link, as the end of a sentence: "run …". */
  readonly howToGetAnother: string;
  /** How long a link works, in milliseconds. */
  readonly lifetimeMs?: number;
  readonly now?: () => number;
}

interface IssuedLink {
  readonly digest: Buffer;
  readonly expires_at: number;
  readonly makeKey: () => Promise<string>;
  isUsed: boolean;
}

const lifetimeMsDefault = 15 * 60_000;

/** Most links that are remembered; the oldest is forgotten first. */
const rememberedMax = 100;

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** Issues and redeems the links of one process. */
export class SignInLinks {
  readonly #options: SignInLinksOptions;
  readonly #now: () => number;
  readonly #links: IssuedLink[] = [];

  constructor(options: SignInLinksOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Makes a token for a key that is made when the token is redeemed. */
  issue(makeKey: () => Promise<string>): string {
    const token = randomBytes(32).toString('base64url');
    const expires_at = this.#now() + (this.#options.lifetimeMs ?? lifetimeMsDefault);
    this.#links.push({ digest: digestOf(token), expires_at, makeKey, isUsed: false });
    if (this.#links.length > rememberedMax) this.#links.shift();
    return token;
  }

  /** Exchanges a token for its key. @throws RowlockError `invalid_token` for one that was used, is too old or unknown */
  async redeem(token: string): Promise<string> {
    const digest = digestOf(token);
    // All are compared, each in constant time: how long it takes says nothing of which is right.
    const [link] = this.#links.filter((each) => timingSafeEqual(each.digest, digest));
    const again = `${this.#options.howToGetAnother} for a new one`;
    if (link === undefined) {
      throw new RowlockError('invalid_token', `This link is not known here; ${again}`);
    }
    if (link.isUsed) {
      throw new RowlockError('invalid_token', `This link was used; ${again}`);
    }
    if (link.expires_at <= this.#now()) {
      throw new RowlockError('invalid_token', `This link is too old; ${again}`);
    }
    link.isUsed = true;
    return link.makeKey();
  }
}
