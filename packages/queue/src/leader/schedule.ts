/**
 * Schedules: when something that repeats is due next. They are values without a clock; whoever has one asks. Two
 * processes with the same schedule agree, since the answer depends on the time that is given and nothing else.
 */
import { QueueError } from '../queue-error.ts';
import { cronFields } from './cron-fields.ts';
import { nextCronTime } from './cron-time.ts';
import { wallTimeIn } from './zone-time.ts';

/** Says when something is due. */
export interface Schedule {
  /**
   * Returns the first time after another, both in milliseconds since the epoch; undefined when it will never be due
   * again.
   */
  next(after: number): number | undefined;
}

const descriptors: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const secondMs = 1000;
const unitsMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: secondMs, ms: 1 };

/**
 * Reads a schedule as Go applications write them for robfig/cron: five fields, `@hourly`, `@daily`, `@weekly`,
 * `@monthly`, `@yearly`, or `@every` with a span of hours, minutes and seconds such as `1h30m`.
 *
 * `zone` is an IANA time zone, by default UTC; `CRON_TZ=Europe/Berlin ` in front of the text has the last word. The
 * days of the week are 0 to 6 from Sunday, and where day of the month and day of the week are both restricted, either
 * will do. A time that a change to summer time leaves out is not made up for, and one that is repeated is due twice.
 *
 * @throws QueueError `invalid_option`
 */
export function cronSchedule(text: string, { zone = 'UTC' }: { readonly zone?: string } = {}): Schedule {
  const [, ownZone, rest = ''] = /^\s*(?:(?:CRON_)?TZ=(\S+)\s+)?(.*?)\s*$/s.exec(text) ?? [];
  const every = /^@every\s+(.+)$/.exec(rest);
  if (every?.[1] !== undefined) return everySchedule(spanMs(every[1]));
  const fields = cronFields(descriptors[rest] ?? rest);
  const wallTime = wallTimeIn(ownZone ?? zone);
  return { next: (after) => nextCronTime(fields, wallTime, after) };
}

/**
 * Makes a schedule that is due at a whole second, again and again after the same span.
 *
 * @param intervalMs at least a second; what it has beyond whole seconds is cut off
 * @throws QueueError `invalid_option`
 */
export function everySchedule(intervalMs: number): Schedule {
  if (!(intervalMs >= secondMs) || intervalMs === Number.POSITIVE_INFINITY) {
    throw new QueueError('invalid_option', `A schedule cannot be due every ${intervalMs} ms: a second is the least`);
  }
  const whole = Math.floor(intervalMs / secondMs) * secondMs;
  return { next: (after) => Math.floor(after / secondMs) * secondMs + whole };
}

/** Reads a span as Go writes them: numbers with units, the greatest first or in any order. */
function spanMs(text: string): number {
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s))+$/.test(text)) {
    throw new QueueError('invalid_option', `No span of time: ${JSON.stringify(text.slice(0, 100))}; say 1h30m or 90s`);
  }
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g);
  return [...parts].reduce((sum, [, count, unit = '']) => sum + Number(count) * (unitsMs[unit] ?? 0), 0);
}
