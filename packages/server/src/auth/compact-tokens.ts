/**
 * Compact JWTs of our own (RFC 7515 and 7519, HS256), made and opened at the rate at which URLs are signed. It gives
 * no meaning to claims. A key's header is written once, and a token is ours only if its header is one of these character
 * for character: no header of anybody else is ever parsed.
 */
import { timingSafeEqual } from 'node:crypto';
import { KeyedMac } from './keyed-mac.ts';

export interface TokenKey {
  /** The `kid` of its tokens. */
  readonly id: string;
  readonly secret: string;
}

/** Keys in rotation: one signs, all verify. */
export interface TokenKeys {
  readonly current: TokenKey;
  /** Verify only: keys of before a rotation, and of after one that is being prepared. */
  readonly previous?: readonly TokenKey[];
}

type Claims = Readonly<Record<string, unknown>>;

const signatureForm: RegExp = /^[A-Za-z0-9_-]{43}$/;

/** Tokens of one `typ` under a set of keys. */
export class CompactTokens {
  readonly #header: string;
  readonly #key: KeyedMac;
  readonly #keys: ReadonlyMap<string, KeyedMac>;

  /** @throws TypeError where two keys have one id */
  constructor(keys: TokenKeys, type: string) {
    const all = [keys.current, ...(keys.previous ?? [])];
    const byHeader = new Map(all.map(({ id, secret }) => [headerOf(id, type), new KeyedMac(secret)]));
    if (byHeader.size !== new Set(all.map(({ id, secret }) => JSON.stringify([id, secret]))).size) {
      throw new TypeError('two keys of signed tokens have the same id');
    }
    this.#header = headerOf(keys.current.id, type);
    this.#key = new KeyedMac(keys.current.secret);
    this.#keys = byHeader;
  }

  /**
   * Prepares tokens whose claims begin alike: `head` is their JSON up to and with a comma, and each `rest` goes on from
   * there to the closing brace. What is alike is encoded once.
   */
  signing(head: string): (rest: string) => string {
    // Base64 encodes three bytes at a time, and JSON lets spaces stand between its tokens.
    const padded = head + ' '.repeat((3 - (Buffer.byteLength(head) % 3)) % 3);
    const begin = `${this.#header}.${Buffer.from(padded).toString('base64url')}`;
    return (rest) => {
      const signed = begin + Buffer.from(rest).toString('base64url');
      return `${signed}.${this.#key.of(signed)}`;
    };
  }

  /** The claims of a token that one of the keys signed; `undefined` for everything else. */
  open(token: string): Claims | undefined {
    const first = token.indexOf('.');
    const last = token.lastIndexOf('.');
    const key = this.#keys.get(token.slice(0, Math.max(first, 0)));
    const signature = token.slice(last + 1);
    if (key === undefined || !signatureForm.test(signature)) return undefined;
    // As texts: a signature has one spelling, whatever its last bits are.
    const expected = key.of(token.slice(0, last));
    if (!timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) return undefined;
    return claimsOf(token.slice(first + 1, last));
  }
}

function headerOf(id: string, type: string): string {
  return Buffer.from(JSON.stringify({ alg: 'HS256', typ: type, kid: id })).toString('base64url');
}

/** What was signed is ours, or of somebody who has the key: it must not end a request with anything but a refusal. */
function claimsOf(part: string): Claims | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? (claims as Claims) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
