/**
 * What a handler throws when an attempt is neither done nor failed. They are words to the worker and not problems to
 * report, but they are errors, so that they pass through whatever a handler has called.
 */
import { QueueError } from './queue-error.ts';

/** Ends a job for good without success: no further attempt, state `cancelled`, the message among its errors. */
export class JobCancel extends Error {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'JobCancel';
  }
}

/** Runs a job again after a while; the attempt does not count and nothing is added to its errors. */
export class JobSnooze extends Error {
  readonly delayMs: number;

  /**
   * @param delayMs zero or more
   * @throws QueueError `invalid_option`
   */
  constructor(delayMs: number) {
    super(`snoozed for ${delayMs} ms`);
    if (!(delayMs >= 0) || delayMs === Number.POSITIVE_INFINITY) {
      throw new QueueError('invalid_option', `A job cannot be snoozed for ${delayMs} ms`);
    }
    this.name = 'JobSnooze';
    this.delayMs = delayMs;
  }
}
