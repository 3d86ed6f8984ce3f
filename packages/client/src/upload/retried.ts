/**
 * Sends again what another try may mend, less often each time and never at the moment of all others. It knows nothing of what is
 * sent. Invariant: what is final is thrown at once.
 */
import { isRowlockError } from '../contract/errors.ts';
import type { UploadControl } from './upload-control.ts';

export interface RetryOptions {
  readonly control: UploadControl;
  readonly attemptsMax?: number | undefined;
  /** Told before each wait. */
  readonly onRetry?: ((error: unknown) => void) | undefined;
  /** Ends it, and the waits in between. */
  readonly until?: AbortSignal | undefined;
}

const attemptsDefault = 8;
const firstWaitMs = 300;
const longestWaitMs = 10_000;
/** A service that wants more patience is not waited for. */
const askedWaitMaxMs = 300_000;

/** Network, load, time-outs and failures of the server. */
export function isWorthAnotherTry(error: unknown): boolean {
  return isRowlockError(error, 'unavailable', 'rate_limited', 'too_many_streams', 'request_timeout', 'internal');
}

/** Milliseconds before another try, after so many failures: what was asked for, else twice as long each time, with jitter. */
export function waitBefore(failures: number, error: unknown): number {
  const asked = isRowlockError(error) ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  return Math.max(asked, Math.min(firstWaitMs * 2 ** (failures - 1), longestWaitMs) * (0.5 + Math.random() / 2));
}

/**
 * The outcome of the first attempt that succeeds. `before` says how many there were, also those that a pause ended: what each of
 * them has done nobody knows.
 *
 * @throws what the last one said
 */
export async function retried<T>(
  attempt: (signal: AbortSignal, before: number) => Promise<T>,
  { control, attemptsMax = attemptsDefault, onRetry, until }: RetryOptions,
): Promise<T> {
  let attempts = 0;
  for (let failures = 0; ; ) {
    try {
      return await control.run((signal) => {
        attempts += 1;
        return attempt(signal, attempts - 1);
      });
    } catch (error) {
      failures += 1;
      const waitMs = waitBefore(failures, error);
      const isOver = control.isEnded || until?.aborted === true;
      if (isOver || !isWorthAnotherTry(error) || failures >= attemptsMax || waitMs > askedWaitMaxMs) throw error;
      onRetry?.(error);
      await control.rest(waitMs, until);
    }
  }
}
