/**
 * Waits for a condition that nothing announces. Where there is a signal or an
 * event to wait for, wait for that instead. Every wait has a deadline, and a
 * wait that fails says what it was for.
 */
import { setTimeout as delay } from 'node:timers/promises';

/** How long to wait, and what to call the condition when it does not come true. */
export interface UntilOptions {
  /** Default 10 s: long, because only a failing test ever waits for it. */
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
  /** What is waited for, as a clause: `the job is completed`. Default: the condition's source. */
  readonly what?: string;
}

/**
 * Polls until the condition returns something truthy, and returns that.
 *
 * An error that the condition raises ends the wait at once.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 20, what = condition.toString() }: UntilOptions = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value as NonNullable<T>;
    if (Date.now() >= deadline) throw new Error(`Waited ${timeoutMs} ms in vain until ${what}`);
    await delay(intervalMs);
  }
}
