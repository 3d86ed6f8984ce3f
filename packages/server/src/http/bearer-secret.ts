/**
 * Doors of operators, which one secret opens: metrics, the signer, events of a store. It knows no callers. Invariant: how
 * long a refusal takes says nothing about the secret.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { RowlockError } from '@rowlock/client/contract';

/**
 * Compares what was sent as `Authorization: Bearer …` in constant time. `whose` says in a refusal what the door is.
 *
 * @throws RowlockError `auth_required`, `invalid_token`
 */
export function assertBearerSecret(header: string | undefined, secret: string, whose: string): void {
  if (header === undefined) {
    throw new RowlockError('auth_required', `${whose}: send its secret as a bearer token`);
  }
  if (!isSecret(header.replace(/^bearer +/i, ''), secret)) {
    throw new RowlockError('invalid_token', `${whose}, and that is not its secret`);
  }
}

/** Compares by digests, so that neither the length nor what is equal shows in the time. */
export function isSecret(said: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(said), digest(secret));
}
