/**
 * Makes a time of what cameras write: `2024:05:17 10:11:12`, fractions of a second and an offset beside it. It knows no
 * time zones. Invariant: what it returns exists in the calendar, in the time of photography, and an offset that nobody
 * wrote is never assumed.
 */

export interface Taken {
  /** The camera's clock, without a zone: `2024-05-17T10:11:12.345`. */
  readonly taken_at_local: string | null;
  /** The same with its offset, where that was written. */
  readonly taken_at: string | null;
}

export const neverTaken: Taken = { taken_at_local: null, taken_at: null };

/** The first photograph is of 1826. */
const yearMin = 1826;
const yearMax = 2200;
const timePattern = /^(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?$/;
const offsetPattern = /^([+-])(\d\d):(\d\d)$/;

/** Reads a time; one that does not exist, such as `0000:00:00 00:00:00` or a leap second, is null. */
export function takenAt(time: string | null, subSeconds: string | null, offset: string | null): Taken {
  const match = timePattern.exec(time ?? '');
  if (match === null) return neverTaken;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  const isTime = hour <= 23 && minute <= 59 && second <= 59;
  if (!isTime || year < yearMin || year > yearMax || !isDay(year, month, day)) return neverTaken;
  const fraction = /^(\d{1,6})\d*$/.exec(subSeconds ?? '')?.[1];
  const date = [padded(year, 4), padded(month), padded(day)].join('-');
  const local = `${date}T${[hour, minute, second].map((part) => padded(part)).join(':')}${fraction ? `.${fraction}` : ''}`;
  const zone = zoneOf(offset);
  return { taken_at_local: local, taken_at: zone === undefined ? null : `${local}${zone}` };
}

/** A time as XMP writes it, which is ISO 8601, but of darktable, which copies EXIF's. */
export function takenAtIso(text: string): Taken {
  const match = /^(\d{4}[-:]\d\d[-:]\d\d[T ]\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,12}))?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  if (match === null) return neverTaken;
  const [, time = '', subSeconds, offset] = match;
  return takenAt(time, subSeconds ?? null, offset ?? null);
}

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return month >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function zoneOf(offset: string | null): string | undefined {
  if (offset === 'Z') return '+00:00';
  const match = offsetPattern.exec(offset ?? '');
  if (match === null || Number(match[2]) > 14 || Number(match[3]) > 59) return undefined;
  return match[0];
}

function padded(value: number, digits = 2): string {
  return String(value).padStart(digits, '0');
}
