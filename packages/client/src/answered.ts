/**
 * Waits for an answer, or for the body of one: what breaks off on the way is `unavailable`, wherever that was. It reads nothing
 * itself. Invariant: no failure of a connection leaves the client as anything else.
 */
import { RowlockError } from './contract/errors.ts';

/** What came. @throws RowlockError `unavailable` where it did not come whole; the signal's reason */
export async function answered<T>(
  answer: Promise<T>,
  signal: AbortSignal | null | undefined,
  message = 'The connection was lost',
): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new RowlockError('unavailable', message, { cause });
  }
}
