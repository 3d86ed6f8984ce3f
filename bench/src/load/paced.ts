/**
 * Calls at a steady rate, whatever becomes of them (an open loop): a slow answer makes nobody ask later. Each call gets
 * the time when it was due, from which its latency is to be counted.
 */

/** Makes `count` calls, `perSecond` a second, and resolves when all have. Times are of `Date.now()` with fractions. */
export async function paced(
  { count, perSecond }: { readonly count: number; readonly perSecond: number },
  call: (n: number, dueMs: number) => Promise<unknown>,
): Promise<void> {
  const begin = nowMs();
  const calls: Promise<unknown>[] = [];
  for (let n = 0; n < count; n += 1) {
    const due = begin + (n * 1000) / perSecond;
    const wait = due - nowMs();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    calls.push(call(n, due));
  }
  await Promise.all(calls);
}

/** Milliseconds since 1970, with microseconds, on a clock that only goes forward. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
