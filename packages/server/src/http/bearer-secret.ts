/**
 * Doors of operators, which one secret opens: metrics, the signer. It knows no callers. Invariant: how long a refusal
 * takes says nothing about the secret.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { RowlockError } from '@rowlock/client/contract';

/**
 * Compares what was sent as `Authorization: Bearer …` in constant time.
 *
 * @throws RowlockError `auth_required`, `invalid_token`
 */
export function assertBearerSecret(header: string | undefined, secret: string, whose: string): void {
  if (header === undefined) {
    throw new RowlockError('auth_required', `${whose}: send its secret as a bearer token`);
  }
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  if (!timingSafeEqual(digest(header.replace(/^bearer +/i, '')), digest(secret))) {
    throw new RowlockError('invalid_token', `${whose}, and that is not its secret`);
  }
}
