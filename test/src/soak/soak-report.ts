/**
 * What a soak has found: a table of minutes, and for each quantity whether it grows. Problems are what must not be in
 * any run; growth is for the reader to judge, beside its noise.
 */
import { spreadOf } from '../../../bench/dist/measure/statistics.js';
import { isSteady, type Phase } from './phases.ts';
import { type QuantityId, quantities, quantityIds, type Values } from './quantities.ts';
import type { Sample, SoakFindings, SoakOptions } from './run-soak.ts';
import { type Trend, trendOf } from './trend.ts';

/** A minute, or what stands for one in a short run: medians of the samples of one phase in it. */
export interface Minute {
  /** When it ended, in minutes from the beginning. */
  readonly minute: number;
  readonly phase: Phase;
  readonly values: Values;
}

/** What became of one quantity. Levels are medians, beside the reader the greatest of its minutes. */
export interface QuantityTrend extends Trend {
  readonly id: QuantityId;
  readonly before_reader: number | null;
  readonly reader_max: number | null;
  readonly after_reader: number | null;
  /** The slope in hundredths of the median; null where that is 0. */
  readonly percent_per_hour: number | null;
}

export interface SoakReport {
  readonly begun_at: string;
  readonly options: Omit<SoakOptions, 'url'>;
  readonly seed: number;
  readonly facts: Readonly<Record<string, string>>;
  readonly jobs: SoakFindings['jobs'];
  readonly autovacuums: number;
  readonly indexes: SoakFindings['indexes'];
  readonly trends: readonly QuantityTrend[];
  readonly minutes: readonly Minute[];
  readonly samples: readonly Sample[];
  /** What must not be: lost jobs, failures, and quantities that were not measured. */
  readonly problems: readonly string[];
}

const samplesPerMinute = 6;
const msPerHour = 3_600_000;

/** Makes the report of a soak. */
export function soakReport(begun: Date, options: SoakOptions, findings: SoakFindings): SoakReport {
  const { url: _, ...shown } = options;
  const minutes = minutesOf(findings.samples, options.sampleMs);
  return {
    begun_at: begun.toISOString(),
    options: shown,
    ...findings,
    trends: quantityIds.map((id) => quantityTrend(id, minutes)),
    minutes,
    problems: problemsOf(options, findings),
  };
}

/** Medians of every six samples; where a phase ends within them, the sample is of what it has more of. */
export function minutesOf(samples: readonly Sample[], sampleMs: number): readonly Minute[] {
  const minuteMs = samplesPerMinute * sampleMs;
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const name = `${sample.phase} ${Math.floor((sample.at_ms - sampleMs / 2) / minuteMs)}`;
    groups.set(name, [...(groups.get(name) ?? []), sample]);
  }
  return [...groups.values()].map((group) => ({
    minute: (group.at(-1)?.at_ms ?? Number.NaN) / 60_000,
    phase: group[0]?.phase ?? 'warm_up',
    values: mediansOf(group),
  }));
}

function mediansOf(samples: readonly Sample[]): Values {
  const entries = quantityIds.map((id) => [id, medianOf(samples.map(({ values }) => values[id]))]);
  return Object.fromEntries(entries) as Values;
}

/** The median of what was measured; null where nothing was. */
function medianOf(values: readonly (number | null | undefined)[]): number | null {
  const known = values.filter((value) => typeof value === 'number');
  return known.length === 0 ? null : spreadOf(known).median;
}

function quantityTrend(id: QuantityId, minutes: readonly Minute[]): QuantityTrend {
  const of = (phase: Phase): (number | null | undefined)[] =>
    minutes.filter((minute) => minute.phase === phase).map(({ values }) => values[id]);
  const steady = minutes.filter(({ phase }) => isSteady(phase));
  const points = steady.flatMap(({ minute, phase, values }) => {
    const value = values[id];
    return typeof value === 'number' ? [{ hours: (minute * 60_000) / msPerHour, value, segment: phase }] : [];
  });
  const trend = trendOf(points);
  const level = medianOf(points.map(({ value }) => value)) ?? 0;
  const readerValues = of('reader').filter((value) => typeof value === 'number');
  return {
    id,
    ...trend,
    before_reader: medianOf(of('before_reader')),
    reader_max: readerValues.length === 0 ? null : Math.max(...readerValues),
    after_reader: medianOf(of('after_reader')),
    percent_per_hour: level === 0 || trend.slope_per_hour === null ? null : (100 * trend.slope_per_hour) / level,
  };
}

function problemsOf(options: SoakOptions, findings: SoakFindings): readonly string[] {
  const { inserted, ours_ended, go_ended, open, lost, failures, last_failure } = findings.jobs;
  const ended = ours_ended + go_ended;
  const unmeasured = quantityIds.filter(
    (id) =>
      (options.withGo || !id.startsWith('go_')) &&
      findings.samples.every(({ values }) => typeof values[id] !== 'number'),
  );
  return [
    ...(ended === inserted ? [] : [`${inserted} jobs were inserted and ${ended} have ended`]),
    ...(open === 0 ? [] : [`${open} jobs have not ended`]),
    ...(lost === 0 ? [] : [`${lost} results came from a worker whose job it was no longer`]),
    ...(failures === 0 ? [] : [`parts of our workers failed ${failures} times, at last ${last_failure}`]),
    ...unmeasured.map((id) => `never measured: ${quantities[id].title}`),
  ];
}
