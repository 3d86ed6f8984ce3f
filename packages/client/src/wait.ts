/**
 * Waiting: for a while, or for an answer that is asked for again and again, less often the longer it takes. It knows nothing of
 * what is asked. Invariant: a signal ends every wait at once.
 */

const firstWaitMs = 50;
const longestWaitMs = 1000;

/** The first answer that is right, or the last one when the time is up. @throws the signal's reason */
export async function waited<T>(
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
  { patienceMs, signal }: { readonly patienceMs: number; readonly signal: AbortSignal | undefined },
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 1.5, longestWaitMs)) {
    signal?.throwIfAborted();
    const answer = await ask();
    if (isRight(answer) || Date.now() > deadline) return answer;
    await rest(waitMs, signal);
  }
}

/** Waits so long, or until the signal or what `onBegun` was given ends it. */
export async function rest(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  onBegun?: (end: () => void) => void,
): Promise<void> {
  if (signal?.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, timeoutMs);
    signal?.addEventListener('abort', end);
    onBegun?.(end);
  });
}
