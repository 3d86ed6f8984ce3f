/**
 * A source that can be left at any moment: what every put reads through. It neither gathers nor copies what passes.
 * Invariant: however a put ends, its source is told so once, and is not waited for.
 */

/**
 * Yields what the source yields until the signal aborts, also while the source is silent. When left early the
 * source is told to return and not waited for: a source that waits for its peer would never answer.
 */
export async function* abortable(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  const iterator = source[Symbol.asyncIterator]();
  // One listener for all chunks and one slot for the wait at hand: racing a promise would grow with every chunk.
  let stopWaiting: ((reason: unknown) => void) | undefined;
  const onAbort = (): void => stopWaiting?.(signal?.reason);
  const next = (): Promise<IteratorResult<Uint8Array>> => {
    return new Promise((resolve, reject) => {
      stopWaiting = reject;
      iterator.next().then(resolve, reject);
    });
  };
  let isDone = false;
  signal?.addEventListener('abort', onAbort);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const result = await (signal === undefined ? iterator.next() : next());
      isDone = result.done === true;
      if (result.done === true) break;
      yield result.value;
    }
    signal?.throwIfAborted();
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // Whatever the source says while it is being left changes nothing for the put, which has failed already.
    if (!isDone) Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
