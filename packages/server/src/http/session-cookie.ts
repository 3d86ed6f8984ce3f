/**
 * The gateway's one cookie, read and written. Its name begins with `__Host-`, so that a browser takes it from this very host
 * over a secure connection only, for the whole host, and from no neighbour. Invariant: no other cookie is looked at.
 */
import type { IncomingMessage } from 'node:http';
import { isSessionId } from '../auth/session-id.ts';

/** Its name. */
const cookieName = '__Host-rowlock';
const attributes = 'Path=/; Secure; HttpOnly; SameSite=Strict';

/** The id in the cookie; `undefined` without one, and for several: which of them is ours nobody could tell. */
export function readSessionCookie({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim());
  const [ours, ...others] = pairs.filter((pair) => pair.startsWith(`${cookieName}=`));
  const id = others.length > 0 ? undefined : ours?.slice(cookieName.length + 1);
  return id !== undefined && isSessionId(id) ? id : undefined;
}

/** The header that sets the cookie for so many seconds. */
export function sessionCookie(id: string, seconds: number): string {
  return `${cookieName}=${id}; Max-Age=${seconds}; ${attributes}`;
}

/** The header that takes it away. */
export const noSessionCookie: string = sessionCookie('', 0);
