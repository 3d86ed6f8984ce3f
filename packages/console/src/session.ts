/**
 * Who is signed in: a key that was pasted or came in the address, kept for this tab only. The claims are read to be
 * shown and believed by nobody; whether the key is good, the service says.
 */
const storageName = 'rowlock.key';

export interface Session {
  readonly key: string;
  /** The subject, or the role of a key without one. */
  readonly who: string;
  readonly role: string | undefined;
  readonly expires_at: Date | undefined;
}

/** Reads a key as far as it can be shown; undefined for what is not three parts with claims in the middle. */
export function sessionOf(key: string): Session | undefined {
  const claims = claimsOf(key.trim());
  if (claims === undefined) {
    return undefined;
  }
  const { sub, role, exp } = claims;
  const named = typeof role === 'string' && role !== '' ? role : undefined;
  return {
    key: key.trim(),
    who: typeof sub === 'string' && sub !== '' ? sub : (named ?? 'unnamed'),
    role: named,
    // Later than any Date can say is never.
    expires_at: typeof exp === 'number' && exp <= 8.64e12 ? new Date(exp * 1000) : undefined,
  };
}

interface Claims {
  readonly sub?: unknown;
  readonly role?: unknown;
  readonly exp?: unknown;
}

function claimsOf(key: string): Claims | undefined {
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(key) ?? [];
  if (payload === undefined) {
    return undefined;
  }
  try {
    const binary = atob(payload.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? claims : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DOMException) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Takes a link's token (`#sign-in=…`), which works once, out of the address, so that neither the address bar nor the history
 * keeps it. A key (`#key=…`) is taken out as well, and not used: whoever sends a link could make others work as somebody else.
 */
export function takeLinkFromAddress(): string | undefined {
  const [, kind, value] = /^#(key|sign-in)=([\w.-]*)/.exec(location.hash) ?? [];
  if (kind !== undefined) {
    history.replaceState(null, '', location.pathname + location.search);
  }
  return kind === 'sign-in' ? value : undefined;
}

/** The key of this tab, if somebody signed in. */
export function storedKey(): string | undefined {
  return sessionStorage.getItem(storageName) ?? undefined;
}

/** Keeps a key until the tab is closed. */
export function storeKey(key: string): void {
  sessionStorage.setItem(storageName, key);
}

/** Forgets the key of this tab. */
export function forgetKey(): void {
  sessionStorage.removeItem(storageName);
}
