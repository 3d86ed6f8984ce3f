/**
 * The five fields of a cron expression: minute, hour, day of the month, month, day of the week. It knows nothing of
 * time zones and looks for no time. What it accepts means what robfig/cron, the library of Go applications, takes it
 * to mean; what only a typing error can be is refused, although some of it passes there.
 */
import { QueueError } from '../queue-error.ts';

/** When an expression matches, as sets of numbers. Months count from 1, days of the week from 0, which is Sunday. */
export interface CronFields {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Where both kinds of day are restricted, a day that satisfies either will do; else both must be satisfied. */
  readonly eitherDay: boolean;
}

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

const minute: Field = { name: 'minute', least: 0, most: 59 };
const hour: Field = { name: 'hour', least: 0, most: 23 };
const day: Field = { name: 'day of the month', least: 1, most: 31 };
const month: Field = {
  name: 'month',
  least: 1,
  most: 12,
  names: ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
};
const weekday: Field = {
  name: 'day of the week',
  least: 0,
  most: 6,
  names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
};

/**
 * Reads five fields, separated by white space. Each is a list of `*`, `?`, `n`, `n-m`, any of them with a `/step`.
 *
 * @throws QueueError `invalid_option`
 */
export function cronFields(expression: string): CronFields {
  const parts = expression.trim().split(/\s+/);
  if (parts.length !== 5) throw refused(expression, 'five fields are needed');
  const [minutes = '', hours = '', days = '', months = '', weekdays = ''] = parts;
  return {
    minutes: valuesOf(minute, minutes),
    hours: valuesOf(hour, hours),
    days: valuesOf(day, days),
    months: valuesOf(month, months),
    weekdays: valuesOf(weekday, weekdays),
    eitherDay: !isStar(days) && !isStar(weekdays),
  };
}

function valuesOf(field: Field, text: string): ReadonlySet<number> {
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const { from, to, step } = rangeOf(field, item);
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return values;
}

function rangeOf(field: Field, item: string): { readonly from: number; readonly to: number; readonly step: number } {
  const [, first = '', last, stepText] = /^([^-/]+)(?:-([^-/]+))?(?:\/(\d+))?$/.exec(item) ?? [];
  const step = stepText === undefined ? 1 : Number(stepText);
  if (first === '' || step < 1) throw refused(item, `it cannot be read as a ${field.name}`);
  if (isEvery(first)) {
    if (last !== undefined) throw refused(item, `it cannot be read as a ${field.name}`);
    return { from: field.least, to: field.most, step };
  }
  const from = numberOf(field, first);
  const open = stepText === undefined ? from : field.most; // n/step goes on to the end
  const to = last === undefined ? open : numberOf(field, last);
  if (from > to) throw refused(item, 'it ends before it begins');
  return { from, to, step };
}

function numberOf(field: Field, text: string): number {
  const named = field.names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= field.least && value <= field.most)) {
    throw refused(text, `a ${field.name} is from ${field.least} to ${field.most}`);
  }
  return value;
}

function isEvery(text: string): boolean {
  return text === '*' || text === '?';
}

/** A star with a step restricts. */
function isStar(text: string): boolean {
  return text.split(',').some((item) => isEvery(item.replace(/\/0*1$/, '')));
}

function refused(text: string, why: string): QueueError {
  return new QueueError('invalid_option', `No schedule: ${JSON.stringify(text.slice(0, 100))}: ${why}`);
}
