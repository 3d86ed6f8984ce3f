/** The report of a soak whose samples are known: what counts for trends, what is a problem, and what a reader sees. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { phaseAt } from './phases.ts';
import { type QuantityId, quantities, quantityIds, type Values } from './quantities.ts';
import type { Sample, SoakFindings, SoakOptions } from './run-soak.ts';
import { minutesOf, type QuantityTrend, type SoakReport, soakReport } from './soak-report.ts';
import { soakText } from './soak-text.ts';

const options: SoakOptions = {
  url: 'postgres://nowhere/soak',
  minutes: 60,
  rate: 100,
  sampleMs: 10_000,
  retentionMs: 60_000,
  withGo: true,
  endTimeoutMs: 1,
};
const jobs: SoakFindings['jobs'] = {
  inserted: 360,
  duplicates: 4,
  ours_ended: 300,
  go_ended: 60,
  lost: 0,
  failures: 0,
  last_failure: null,
  open: 0,
};

const indexes = [{ name: 'river_job_args_index', mib: 33, rebuilt_mib: 2 }];

/** An hour of samples in which every quantity is a saw, except those that are given by the hour. */
function hour(given: Partial<Record<QuantityId, (hours: number) => number>> = {}): Sample[] {
  return Array.from({ length: 360 }, (_, index) => {
    const at_ms = (index + 1) * options.sampleMs;
    const hours = at_ms / 3_600_000;
    const saw = 50 + ((index * 7) % 11);
    const values = quantityIds.map((id) => [id, given[id]?.(hours) ?? saw]);
    return { at_ms, phase: phaseAt(hours - 1 / 720), values: Object.fromEntries(values) as Values };
  });
}

function reportOf(samples: readonly Sample[], found: Partial<SoakFindings['jobs']> = {}): SoakReport {
  const findings = {
    seed: 1,
    facts: { postgres: '18.1' },
    samples,
    jobs: { ...jobs, ...found },
    autovacuums: 170,
    indexes,
  };
  return soakReport(new Date(0), options, findings);
}

function trendIn(report: SoakReport, id: QuantityId): QuantityTrend {
  const found = report.trends.find((trend) => trend.id === id);
  assert.ok(found !== undefined, id);
  return found;
}

test('an hour in which nothing grows has no trend, no problem, and sixty minutes', () => {
  const report = reportOf(hour());

  assert.deepEqual(new Set(report.trends.map(({ verdict }) => verdict)), new Set(['none']));
  assert.deepEqual(report.problems, []);
  assert.deepEqual(
    report.minutes.map(({ minute }) => minute),
    Array.from({ length: 60 }, (_, index) => index + 1),
  );
  assert.equal(trendIn(report, 'dead_rows').points, 35);
});

test('a leak is reported with its slope', () => {
  const report = reportOf(hour({ worker_1_heap_mib: (hours) => 40 + 6 * hours + Math.sin(hours * 999) }));

  const { verdict, slope_per_hour } = trendIn(report, 'worker_1_heap_mib');
  assert.equal(verdict, 'grows');
  assert.ok(slope_per_hour !== null && Math.abs(slope_per_hour - 6) < 1, String(slope_per_hour));
  assert.match(soakText(report), /worker 1: heap in use grows, 1\d\.\d % an hour/);
});

test('what grows only while it warms up has no trend', () => {
  const warming = (hours: number): number => (hours < 1 / 6 ? 1000 * hours : 1000 / 6) + Math.sin(hours * 999);

  assert.equal(trendIn(reportOf(hour({ worker_1_rss_mib: warming })), 'worker_1_rss_mib').verdict, 'none');
});

test('what a long-running reader piles up is shown beside it and is no trend', () => {
  const piled = (hours: number): number => {
    const beside = hours > 5 / 12 && hours < 8 / 12 ? 100_000 * (hours - 5 / 12) : 0;
    return 200 + beside + Math.sin(hours * 999);
  };

  const { verdict, points, before_reader, reader_max, after_reader } = trendIn(
    reportOf(hour({ dead_rows: piled })),
    'dead_rows',
  );
  assert.equal(verdict, 'none');
  assert.ok(Math.abs((before_reader ?? 0) - 200) < 2 && Math.abs((after_reader ?? 0) - 200) < 2);
  assert.ok((reader_max ?? 0) > 10_000);
  assert.equal(points, 35, 'minutes 11 to 25 and 41 to 60');
});

test('a file that a reader has made larger for good is no trend', () => {
  const grown = (hours: number): number => (hours < 1 / 2 ? 8 : 90) + Math.sin(hours * 999) / 10;

  const { verdict, before_reader, after_reader } = trendIn(reportOf(hour({ table_mib: grown })), 'table_mib');
  assert.equal(verdict, 'none');
  assert.deepEqual(
    [before_reader, after_reader].map((each) => Math.round(each ?? 0)),
    [8, 90],
  );
});

test('jobs that did not end, were lost or not measured, and failures, are problems', () => {
  const samples = hour().map((sample) => ({ ...sample, values: { ...sample.values, go_start_p50_ms: null } }));

  const report = reportOf(samples, { ours_ended: 299, open: 1, lost: 2, failures: 3, last_failure: 'claim: gone' });

  assert.equal(report.problems.length, 5);
  const text = soakText(report);
  for (const problem of [/360 jobs were inserted and 359 have ended/, /1 jobs have not ended/, /2 results/]) {
    assert.match(text, problem);
  }
  assert.match(text, /failed 3 times, at last claim: gone/);
  assert.match(text, /never measured: Go: insert to start, p50/);
});

test('a minute is the median of its samples, and ends with its phase', () => {
  const samples = hour({ connections: (hours) => (Math.round(hours * 360) % 6 === 0 ? 99 : 7) });

  const short = minutesOf(
    samples.slice(57, 63).map((sample, index) => (index < 3 ? sample : { ...sample, phase: 'reader' })),
    10_000,
  );

  assert.deepEqual(
    minutesOf(samples, 10_000).map(({ values }) => values.connections),
    Array.from({ length: 60 }, () => 7),
  );
  assert.deepEqual(
    short.map(({ phase }) => phase),
    ['warm_up', 'reader'],
  );
});

test('the text has a row for every minute and every quantity', () => {
  const text = soakText(reportOf(hour()));

  const lines = text.split('\n');
  assert.equal(lines.filter((line) => /^ *\d+\.0 {2}/.test(line)).length, 60);
  for (const { title } of Object.values(quantities))
    assert.ok(
      lines.some((line) => line.startsWith(title)),
      title,
    );
  assert.match(text, /Trends over minutes 10 to 25 and 40 to 60/);
  assert.match(text, /Quantities with a trend: 0 of 32\./);
  assert.match(text, /river_job_args_index +33 +2\n/);
  assert.match(text, /Every job ended, once, and nothing failed\./);
});
