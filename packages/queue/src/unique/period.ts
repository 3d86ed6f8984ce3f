/**
 * The period that a moment falls into, counted as Go counts: in multiples since the beginning of the year one, and not
 * since 1970. It is the same in every time zone.
 */
import { QueueError } from '../queue-error.ts';

/** From Go's zero time, 0001-01-01T00:00:00Z, to 1970. */
const epochMs = 62_135_596_800_000;

/**
 * Returns the beginning of the period that a moment falls into, as RFC 3339 to the second.
 *
 * `at` is in milliseconds since 1970. A period is at least one second and a whole number of milliseconds.
 *
 * @throws QueueError `invalid_job`
 */
export function lowerBoundOfPeriod(periodSeconds: number, at: number): string {
  const periodMs = Math.round(periodSeconds * 1000);
  if (!(periodSeconds >= 1) || !Number.isSafeInteger(periodMs) || periodMs / 1000 !== periodSeconds) {
    throw new QueueError(
      'invalid_job',
      `A period of ${periodSeconds} s is less than a second, or no whole milliseconds`,
    );
  }
  const sinceZero = at + epochMs;
  const bound = new Date(sinceZero - (sinceZero % periodMs) - epochMs);
  return bound.toISOString().replace(/\.\d+Z$/, 'Z');
}

/**
 * Reads the time that a job is scheduled at, in milliseconds since 1970.
 *
 * PostgreSQL reads more kinds of text than can be read here; only those with a date, a time and a zone mean the same
 * to both.
 *
 * @throws QueueError `invalid_job`
 */
export function scheduledMs(time: Date | string): number {
  if (time instanceof Date) return time.getTime();
  const ms = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$/.test(time)
    ? Date.parse(isoOf(time))
    : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  const message = `For a period, the time to run the job at is a Date or ISO 8601 with a zone, not ${JSON.stringify(time)}`;
  throw new QueueError('invalid_job', message);
}

/** PostgreSQL writes `+00`, and a space before the time. */
function isoOf(time: string): string {
  return time.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00');
}
