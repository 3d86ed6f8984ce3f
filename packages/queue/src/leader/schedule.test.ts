import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cronSchedule, everySchedule } from './schedule.ts';

interface Golden {
  readonly schedule: string;
  readonly zone: string;
  readonly start: string;
  readonly error?: boolean;
  readonly next: readonly string[];
}

const { goldens } = JSON.parse(
  readFileSync(new URL('../../../../interop/goldens/cron.json', import.meta.url), 'utf8'),
) as { readonly goldens: readonly Golden[] };

/** What robfig/cron accepts and makes something of that nobody can have meant; here it is refused. */
const refusedHere = new Set([
  '*-5 * * * *',
  '+5 * * * *',
  '1,,2 * * * *',
  '1, * * * *',
  ', * * * *',
  '@every 10ms',
  '@every -5s',
]);

/** Where clocks change by half an hour, robfig/cron loses a time or names one that no clock shows: see below. */
const misses = (golden: Golden): boolean => golden.zone === 'Australia/Lord_Howe';

const title = ({ schedule, zone, start }: Golden): string => `${schedule} in ${zone} from ${start}`;

function timesOf({ schedule, zone, start, next }: Golden): string[] {
  const times: string[] = [];
  const parsed = cronSchedule(schedule, { zone });
  for (let at = parsed.next(Date.parse(start)); at !== undefined && times.length < next.length; at = parsed.next(at)) {
    times.push(new Date(at).toISOString().replace('.000Z', 'Z'));
  }
  return times;
}

test('schedules are due when robfig/cron says so, at changes to and from summer time as well', () => {
  const accepted = goldens.filter((golden) => golden.error !== true && !refusedHere.has(golden.schedule));
  const compared = accepted.filter((golden) => !misses(golden));

  const differences = compared.flatMap((golden) => {
    const times = timesOf(golden);
    return JSON.stringify(times) === JSON.stringify(golden.next)
      ? []
      : [{ golden: title(golden), times, want: golden.next }];
  });

  assert.deepEqual(differences, []);
  assert.ok(compared.length >= 200);
});

test('what robfig/cron refuses is refused, and so is what only a typing error can be', () => {
  const refused = goldens.filter((golden) => golden.error === true || refusedHere.has(golden.schedule));

  const accepted = refused.filter((golden) => {
    try {
      cronSchedule(golden.schedule, { zone: golden.zone });
      return true;
    } catch (error) {
      assert.equal((error as { reason?: string }).reason, 'invalid_option');
      return false;
    }
  });

  assert.deepEqual(accepted.map(title), []);
  assert.ok(refused.length >= 25);
});

test('a change by half an hour is followed, where robfig/cron loses a time or names a wrong one', () => {
  const zone = 'Australia/Lord_Howe';
  const next = (text: string, after: string): string =>
    new Date(cronSchedule(text, { zone }).next(Date.parse(after)) ?? 0).toISOString();

  const times = [
    next('0 0 * * *', '2026-04-04T13:00:00Z'),
    next('0 2 * * *', '2026-04-04T12:00:00Z'),
    next('30 1 * * *', '2026-10-03T15:00:00Z'),
  ];

  assert.deepEqual(times, ['2026-04-05T13:30:00.000Z', '2026-04-04T15:30:00.000Z', '2026-10-04T14:30:00.000Z']);
});

test('a day that a zone left out as a whole is passed over', () => {
  const schedule = cronSchedule('0 0 30 * *', { zone: 'Pacific/Apia' });

  const next = schedule.next(Date.parse('2011-12-29T00:00:00Z'));

  assert.equal(new Date(next ?? 0).toISOString(), '2012-01-29T10:00:00.000Z');
});

test('a date that does not exist is never due', () => {
  assert.equal(cronSchedule('0 0 30 2 *').next(0), undefined);
});

test('a schedule by a span does not drift, and stays within its bounds', () => {
  const schedule = everySchedule(1500);

  const times = [schedule.next(250), schedule.next(1000)];

  assert.deepEqual(times, [1000, 2000]);
  for (const ms of [0, 999, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => everySchedule(ms), { reason: 'invalid_option' });
  }
});
