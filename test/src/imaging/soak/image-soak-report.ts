/**
 * What an image soak has found: levels and peaks of memory, and whether any of it grows. A floor is broken by a peak or a
 * slope; how good the rest is, is for the reader. Pure arithmetic.
 */
import { spreadOf } from '../../../../bench/dist/measure/statistics.js';
import { type Trend, trendOf } from '../../soak/trend.ts';
import type { ImageSoakFindings } from './run-image-soak.ts';
import type { MemorySample } from './worker-memory.ts';

export type MemoryQuantity = Exclude<keyof MemorySample, 'at_ms' | 'ended'>;

export const memoryQuantities: Readonly<Record<MemoryQuantity, string>> = {
  rss_mib: 'worker and decoders, resident, MiB',
  pss_mib: 'the same, shared pages once, MiB',
  worker_rss_mib: 'the worker itself, MiB',
  decoders_rss_mib: 'all decoders, MiB',
  decoder_rss_max_mib: 'the largest decoder, MiB',
  decoders: 'decoder processes',
};

/** Medians over what stands for a minute. */
export interface SoakMinute {
  readonly minute: number;
  readonly ended: number;
  readonly median: Readonly<Record<MemoryQuantity, number>>;
  readonly peak: Readonly<Record<MemoryQuantity, number>>;
}

export interface MemoryTrend extends Trend {
  readonly quantity: MemoryQuantity;
  /** After the warm-up, of all samples. */
  readonly median: number;
  readonly peak: number;
}

export interface ImageSoakReport {
  readonly minutes: readonly SoakMinute[];
  readonly trends: readonly MemoryTrend[];
  readonly uploaded: number;
  readonly made: number;
  /** What must not be. */
  readonly problems: readonly string[];
}

/** The first part of a run, in which caches fill and processes start, does not count. */
const warmUpShare = 1 / 6;
const samplesPerMinute = 30;
/** Of the worker and its decoders; pages that they share count once. */
export const residentMaxMib = 350;
/** What a run may leave behind it a day is no leak that anybody sees: the floor is a slope beyond noise and beyond this. */
const slopeMaxMibPerHour = 5;

/** Makes the report. */
export function imageSoakReport(findings: ImageSoakFindings): ImageSoakReport {
  const { samples, uploaded, made, failures } = findings;
  const quantities = Object.keys(memoryQuantities) as MemoryQuantity[];
  const minutes = minutesOf(samples, quantities);
  const trends = quantities.map((quantity) => memoryTrend(quantity, samples, minutes));
  return { minutes, trends, uploaded, made, problems: problemsOf({ trends, uploaded, made, failures }) };
}

function minutesOf(samples: readonly MemorySample[], quantities: readonly MemoryQuantity[]): readonly SoakMinute[] {
  const groups = Array.from({ length: Math.ceil(samples.length / samplesPerMinute) }, (_, n) =>
    samples.slice(n * samplesPerMinute, (n + 1) * samplesPerMinute),
  );
  return groups.map((group) => {
    const spreads = quantities.map(
      (quantity) => [quantity, spreadOf(group.map((sample) => sample[quantity]))] as const,
    );
    const last = group.at(-1) as MemorySample;
    return {
      minute: last.at_ms / 60_000,
      ended: last.ended,
      median: Object.fromEntries(spreads.map(([quantity, { median }]) => [quantity, median])) as SoakMinute['median'],
      peak: Object.fromEntries(spreads.map(([quantity, { max }]) => [quantity, max])) as SoakMinute['peak'],
    };
  });
}

function memoryTrend(
  quantity: MemoryQuantity,
  samples: readonly MemorySample[],
  minutes: readonly SoakMinute[],
): MemoryTrend {
  const from = (samples.at(-1)?.at_ms ?? 0) * warmUpShare;
  const steady = samples.filter(({ at_ms }) => at_ms >= from).map((sample) => sample[quantity]);
  const points = minutes
    .filter(({ minute }) => minute * 60_000 >= from)
    .map(({ minute, median }) => ({ hours: minute / 60, value: median[quantity], segment: 'steady' }));
  const { median, max } = spreadOf(steady);
  return { quantity, ...trendOf(points), median, peak: max };
}

function problemsOf({
  trends,
  uploaded,
  made,
  failures,
}: Pick<ImageSoakReport, 'trends' | 'uploaded' | 'made'> & Pick<ImageSoakFindings, 'failures'>): readonly string[] {
  const grows = trends.filter(
    ({ verdict, slope_per_hour }) => verdict === 'grows' && (slope_per_hour ?? 0) > slopeMaxMibPerHour,
  );
  const peak = trends.find(({ quantity }) => quantity === 'pss_mib')?.peak ?? Number.NaN;
  return [
    ...failures,
    ...(made === uploaded ? [] : [`${uploaded} files were uploaded, and ${made} have their thumbnails`]),
    ...(peak <= residentMaxMib ? [] : [`the worker and its decoders had ${Math.round(peak)} MiB`]),
    ...grows.map(({ quantity, slope_per_hour }) => `${memoryQuantities[quantity]}: grows by ${slope_per_hour} an hour`),
  ];
}
