/**
 * Begin and end a session of the gateway: a token turned into something that a browser sends along by itself. A session
 * gives no right that its token did not, lives no longer, and is over for the next request when it is ended.
 */
import { RowlockError } from '@rowlock/client/contract';
import { hashOfSessionId, newSessionId } from '../auth/session-id.ts';
import type { Caller } from '../domain/caller.ts';
import { deleteSession, insertSession } from '../metadata/gateway.ts';
import type { OperationContext } from './context.ts';

/** Longest life of a session, whatever its token says: a day. */
const sessionSecondsMax: number = 24 * 3600;

export interface BegunSession {
  /** What the browser holds. */
  readonly id: string;
  readonly seconds: number;
  readonly expires_at: Date;
}

/**
 * Begins a session of the caller under a new id, whatever the browser had before; that one ends.
 *
 * @throws RowlockError `auth_required` without a token; `invalid_token` for one that ends within the second
 */
export async function beginSession(
  context: OperationContext,
  caller: Caller,
  before: string | undefined,
): Promise<BegunSession> {
  if (caller.anonymous) {
    throw new RowlockError('auth_required', 'A session begins with a token: Authorization: Bearer <token>');
  }
  const seconds = Math.min(secondsLeft(caller), sessionSecondsMax);
  if (seconds < 1) {
    throw new RowlockError('invalid_token', 'The token has expired');
  }
  const id = newSessionId();
  const expires_at = await insertSession(context.db, caller, {
    hash: hashOfSessionId(id),
    before: before === undefined ? undefined : hashOfSessionId(before),
    seconds,
  });
  return { id, seconds, expires_at };
}

/** Ends a session for every request that begins after the answer; idempotent. */
export async function endSession(context: OperationContext, id: string | undefined): Promise<void> {
  if (id !== undefined) await deleteSession(context.db, hashOfSessionId(id));
}

function secondsLeft({ claims }: Caller): number {
  const { exp } = JSON.parse(claims) as { readonly exp?: unknown };
  return typeof exp === 'number' ? Math.floor(exp - Date.now() / 1000) : 0;
}
