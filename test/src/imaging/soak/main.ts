/**
 * `npm run campaign -- image-soak [--minutes N] [--rate N] [--json FILE]`: a worker with two decoders makes thumbnails of a mix
 * of files for an hour, and its memory is looked at every two seconds. It fails if thumbnails are missing, if there is more
 * memory than promised, or if it grows.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type ImageSoakReport, imageSoakReport, memoryQuantities } from './image-soak-report.ts';
import { runImageSoak } from './run-image-soak.ts';
import { soakPictures } from './soak-pictures.ts';

const { values } = parseArgs({ options: { rate: { type: 'string' }, json: { type: 'string' } } });
const minutes = Number(process.env['ROWLOCK_ROUNDS'] ?? 60);
const rate = Number(values.rate ?? 240);
if (!(minutes > 0 && rate > 0)) throw new TypeError('Minutes and rate are numbers above 0');

function soakText({ minutes: rows, trends, uploaded, made, problems }: ImageSoakReport): string {
  const shown = (value: number | null): string => (value === null ? '–' : value.toFixed(1));
  return [
    `${uploaded} files were uploaded, ${made} jobs have made their thumbnails`,
    '',
    '| minute | made | resident, median | peak | shared once, median | peak | worker | decoders |',
    ...rows.map(({ minute, ended, median, peak }) =>
      [
        '',
        minute.toFixed(0),
        ended,
        ...[median.rss_mib, peak.rss_mib, median.pss_mib, peak.pss_mib, median.worker_rss_mib].map(shown),
        median.decoders,
        '',
      ].join(' | '),
    ),
    '',
    ...trends.map(
      ({ quantity, median, peak, slope_per_hour, standard_error, verdict }) =>
        `${memoryQuantities[quantity]}: median ${shown(median)}, peak ${shown(peak)}, ${shown(slope_per_hour)} ± ${shown(standard_error)} an hour (${verdict})`,
    ),
    '',
    ...(problems.length === 0 ? ['All is as promised'] : problems.map((problem) => `PROBLEM ${problem}`)),
  ].join('\n');
}

const pictures = await soakPictures();
console.error(`${pictures.length} files: ${[...new Set(pictures.map(({ what }) => what))].join(', ')}`);
const begun = new Date();
let told = 0;
const findings = await runImageSoak({ minutes, rate, burst: 8, sampleMs: 2000, pictures }, (sample) => {
  if (sample.at_ms < told) return;
  told = sample.at_ms + 60_000;
  const { rss_mib, pss_mib, ended } = sample;
  console.error(
    `${Math.round(sample.at_ms / 60_000)} min: ${rss_mib.toFixed(0)} MiB, ${pss_mib.toFixed(0)} shared once, ${ended} made`,
  );
});
const report = imageSoakReport(findings);
console.log(soakText(report));
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ begun, rate, ...report, samples: findings.samples })}\n`);
}
process.exitCode = report.problems.length === 0 ? 0 : 1;
