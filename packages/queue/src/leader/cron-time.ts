/**
 * When a cron expression is due next. An expression names times on the wall, and it is due at every instant at which
 * clocks there show one of them: not at all where a change to summer time leaves the time out, and twice where one
 * back repeats it, as with robfig/cron. It never skips over an instant that might match.
 */
import type { CronFields } from './cron-fields.ts';
import type { WallTime } from './zone-time.ts';

const minuteMs = 60_000;
/** An expression that names no day that exists, such as the 30th of February, ends the search. As in robfig/cron. */
const yearsMax = 5;

/**
 * Returns the first instant after another at which the fields match, or undefined when there is none within five
 * years. Both in milliseconds since the epoch; the answer is a whole minute.
 */
export function nextCronTime(fields: CronFields, wallTime: WallTime, after: number): number | undefined {
  const lastYear = new Date(wallTime(after)).getUTCFullYear() + yearsMax;
  let instant = Math.floor(after / minuteMs) * minuteMs + minuteMs;
  for (;;) {
    const wall = wallTime(instant);
    const time = new Date(wall);
    if (time.getUTCFullYear() > lastYear) return undefined;
    const next = nextWall(fields, time);
    if (next === wall) return instant;
    instant = approach(wallTime, instant, next);
  }
}

/** The wall time at which to look next: this one where it matches, else the first one that this one does not rule out. */
function nextWall(fields: CronFields, time: Date): number {
  const [year, month, day] = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()];
  const hour = time.getUTCHours();
  if (!fields.months.has(month + 1)) return Date.UTC(year, month + 1, 1);
  if (!isDay(fields, time)) return Date.UTC(year, month, day + 1);
  if (!fields.hours.has(hour)) return Date.UTC(year, month, day, hour + 1);
  if (!fields.minutes.has(time.getUTCMinutes())) return time.getTime() + minuteMs;
  return time.getTime();
}

function isDay({ days, weekdays, eitherDay }: CronFields, time: Date): boolean {
  const [isDate, isWeekday] = [days.has(time.getUTCDate()), weekdays.has(time.getUTCDay())];
  return eitherDay ? isDate || isWeekday : isDate && isWeekday;
}

/**
 * Goes towards a wall time that is ahead, and never past it. Where clocks change on the way, the smaller step of the
 * two that the offsets before and after would justify is taken; where that is none, a minute.
 */
function approach(wallTime: WallTime, instant: number, wall: number): number {
  const guess = wall - (wallTime(instant) - instant);
  const offsetThere = wallTime(guess) - guess;
  const ahead = Math.min(guess, wall - offsetThere);
  return ahead > instant ? ahead : instant + minuteMs;
}
