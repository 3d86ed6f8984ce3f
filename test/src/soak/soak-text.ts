/** The report of a soak as text for somebody who has never seen one. It computes nothing. */
import { boundsOf, type Phase, phaseEnds } from './phases.ts';
import { type QuantityId, quantities } from './quantities.ts';
import type { Sample } from './run-soak.ts';
import type { Minute, QuantityTrend, SoakReport } from './soak-report.ts';

const phaseNames: Readonly<Record<Phase, string>> = {
  warm_up: 'warm-up',
  before_reader: 'steady',
  reader: 'reader',
  settling: 'settling',
  after_reader: 'steady',
};

/** The columns of the table of minutes. */
const columns: readonly (readonly [string, QuantityId])[] = [
  ['ended/s', 'ended_per_second'],
  ['waiting', 'jobs_waiting'],
  ['rows', 'live_rows'],
  ['dead', 'dead_rows'],
  ['table MiB', 'table_mib'],
  ['index MiB', 'indexes_mib'],
  ['start p50', 'ours_start_p50_ms'],
  ['p95', 'ours_start_p95_ms'],
  ['p99 ms', 'ours_start_p99_ms'],
  ['end p99 ms', 'ours_finalised_p99_ms'],
  ['RSS 1', 'worker_1_rss_mib'],
  ['RSS 2 MiB', 'worker_2_rss_mib'],
  ['loop p99 ms', 'worker_1_loop_p99_ms'],
  ['conns', 'connections'],
  ['snapshot', 'oldest_xmin_age'],
];

/** All of a report, in lines of at most 160 characters. */
export function soakText(report: SoakReport): string {
  return [
    ...headLines(report),
    '',
    'Minute by minute: medians. Start and end are counted from the moment when a job was due, in our workers; snapshot',
    'is the age of the oldest one, in transactions.',
    '',
    ...tableOf([['minute', 'phase', ...columns.map(([title]) => title)], ...report.minutes.map(minuteRow)]),
    '',
    ...trendLines(report),
    '',
    ...indexLines(report),
    '',
    ...verdictLines(report),
  ].join('\n');
}

/** One line of progress. */
export function progressLine({ at_ms, phase, values }: Sample, minutes: number): string {
  const of = (id: QuantityId): string => shown(values[id]);
  return [
    `${(at_ms / 60_000).toFixed(1)} of ${minutes} min (${phaseNames[phase]}):`,
    `${of('ended_per_second')} jobs/s, ${of('jobs_waiting')} waiting, ${of('live_rows')} rows, ${of('dead_rows')} dead,`,
    `start p99 ${of('ours_start_p99_ms')} ms, ${of('worker_1_rss_mib')} and ${of('worker_2_rss_mib')} MiB`,
  ].join(' ');
}

function headLines({ options, facts, jobs, autovacuums, seed }: SoakReport): readonly string[] {
  const { minutes, rate, withGo, retentionMs } = options;
  const fleet = withGo ? 'two workers of ours and one of Go River' : 'two workers of ours (Go is not installed)';
  const setup = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
  return [
    `Soak of the queue: ${fleet}, ${minutes} minutes, ${rate} jobs a second, seed ${seed}.`,
    `Ended jobs are kept for ${retentionMs / 1000} s.`,
    `${setup.join('; ')}.`,
    `${jobs.inserted} jobs were inserted, and ${jobs.duplicates} refused as duplicates.`,
    `${jobs.ours_ended} were ended by our workers, and ${jobs.go_ended} by Go's.`,
    `The table was vacuumed automatically ${autovacuums} times.`,
  ];
}

function minuteRow({ minute, phase, values }: Minute): readonly string[] {
  return [minute.toFixed(1), phaseNames[phase], ...columns.map(([, id]) => shown(values[id]))];
}

function trendLines({ options, trends }: SoakReport): readonly string[] {
  const at = (share: number): string => `${Number((share * options.minutes).toFixed(2))}`;
  const reader = boundsOf('reader');
  const warmUp = boundsOf('warm_up');
  const settling = boundsOf('settling');
  const end = phaseEnds.at(-1)?.[1] ?? 1;
  const head = ['quantity', 'unit', 'before', 'reader', 'after', 'slope/h', '±', '%/h', 'robust/h', 'verdict'];
  return [
    `Trends over minutes ${at(warmUp.to)} to ${at(reader.from)} and ${at(settling.to)} to ${at(end)}, each with a level of its own. Left out: the warm-up, and`,
    `the time from ${at(reader.from)} on. Until ${at(reader.to)} a reader held a snapshot, so that no dead row could be removed.`,
    'before, after: median before and after the reader; reader: the greatest minute beside it. slope/h: change per hour by',
    'least squares, ± its standard error (widened where minutes resemble each other), in % of the median; robust/h: the same',
    'by Theil and Sen. verdict: none = within three standard errors, or the two disagree; else the quantity grows or falls.',
    '',
    ...tableOf([head, ...trends.map(trendRow)]),
  ];
}

function trendRow(trend: QuantityTrend): readonly string[] {
  const { title, unit } = quantities[trend.id];
  return [
    title,
    unit,
    ...[trend.before_reader, trend.reader_max, trend.after_reader].map(shown),
    ...[trend.slope_per_hour, trend.standard_error, trend.percent_per_hour, trend.robust_slope_per_hour].map(shown),
    trend.verdict.replace('_', ' '),
  ];
}

function indexLines({ indexes }: SoakReport): readonly string[] {
  const rows = indexes.map(({ name, mib, rebuilt_mib }) => [name, shown(mib), shown(rebuilt_mib)]);
  return [
    'Indexes at the end, and what a rebuild makes of them:',
    '',
    ...tableOf([['index', 'MiB', 'rebuilt'], ...rows]),
  ];
}

function verdictLines({ trends, problems }: SoakReport): readonly string[] {
  const moving = trends.filter(({ verdict }) => verdict === 'grows' || verdict === 'falls');
  const measured = trends.filter(({ verdict }) => verdict !== 'too_short');
  const sentence =
    measured.length === 0
      ? 'The run was too short to say whether anything grows.'
      : `Quantities with a trend: ${moving.length} of ${measured.length}.`;
  return [
    sentence,
    ...moving.map(
      ({ id, verdict, percent_per_hour }) =>
        `  ${quantities[id].title} ${verdict}, ${shown(percent_per_hour)} % an hour`,
    ),
    problems.length === 0 ? 'Every job ended, once, and nothing failed.' : 'Problems:',
    ...problems.map((problem) => `  ${problem}`),
  ];
}

/** Three digits where there are no more before the point. */
function shown(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** Columns as wide as their widest cell; text to the left, numbers to the right. */
function tableOf(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const isText = widths.map((_, column) => rows.slice(1).every((row) => !/^-?\d/.test(row[column] ?? '')));
  return rows.map((row) =>
    row
      .map((cell, column) => (isText[column] ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
