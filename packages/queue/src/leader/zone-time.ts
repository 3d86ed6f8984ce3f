/**
 * What clocks on the wall show in a time zone, from the time zone data that Node brings. It knows nothing of
 * schedules. Wall time is carried as the milliseconds that UTC would have when it showed the same.
 */
import { QueueError } from '../queue-error.ts';

/** Wall time of an instant; both in milliseconds since the epoch. */
export type WallTime = (instant: number) => number;

/**
 * Returns the wall time of an IANA time zone.
 *
 * @throws QueueError `invalid_option` for a zone that is not known
 */
export function wallTimeIn(zone: string): WallTime {
  if (zone === 'UTC') return (instant) => instant;
  const format = formatOf(zone);
  return (instant) => {
    const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
    const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
    const [year, month, day] = [part('year'), part('month'), part('day')];
    return Date.UTC(year, month - 1, day, part('hour'), part('minute'), part('second'));
  };
}

function formatOf(zone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (cause) {
    if (cause instanceof RangeError) throw new QueueError('invalid_option', `There is no time zone ${zone}`);
    throw cause;
  }
}
