/** The image soak in seconds: every file has its thumbnails, memory is measured, and what must not be is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageSoakReport } from './image-soak-report.ts';
import { type ImageSoakFindings, runImageSoak } from './run-image-soak.ts';
import { soakPictures } from './soak-pictures.ts';
import type { MemorySample } from './worker-memory.ts';

const notOnLinux = process.platform === 'linux' ? false : 'memory of others is read on Linux only';

test('a short soak makes the thumbnails of every file, and measures a worker with its decoders', {
  skip: notOnLinux,
}, async () => {
  const pictures = await soakPictures(1 / 16);
  const seen: MemorySample[] = [];

  const findings = await runImageSoak({ minutes: 0.04, rate: 400, burst: 8, sampleMs: 100, pictures }, (sample) =>
    seen.push(sample),
  );
  const { problems, uploaded, made } = imageSoakReport(findings);

  assert.deepEqual([uploaded, made, problems], [16, 16, []]);
  assert.deepEqual(findings.samples, seen);
  assert.ok(Math.max(...seen.map(({ decoders }) => decoders)) >= 2, 'both decoders were at work');
  for (const { rss_mib, pss_mib, worker_rss_mib, decoders_rss_mib } of seen.slice(-3)) {
    assert.ok(pss_mib > 20 && pss_mib <= rss_mib && worker_rss_mib > 20, JSON.stringify({ rss_mib, pss_mib }));
    assert.ok(Math.abs(rss_mib - worker_rss_mib - decoders_rss_mib) < 1);
  }
});

/** An hour of samples, in which a decoder has what is given at each minute. */
function hourOf(decoderMib: (minute: number) => number): ImageSoakFindings {
  const samples = Array.from({ length: 1800 }, (_, n): MemorySample => {
    const decoder = decoderMib(n / 30) + (n % 7) / 10;
    const sum = 100 + decoder;
    const decoders = { decoders: 1, decoder_rss_max_mib: decoder, decoders_rss_mib: decoder };
    return { at_ms: (n + 1) * 2000, rss_mib: sum, pss_mib: sum, worker_rss_mib: 100, ended: n, ...decoders };
  });
  return { samples, uploaded: 1800, made: 1800, failures: [], versions: 1 };
}

test('what grows, what is too much and what is missing is told, and memory that goes up and down is not', () => {
  const sound = imageSoakReport(hourOf((minute) => 90 + (Math.floor(minute) % 5)));
  const grown = imageSoakReport(hourOf((minute) => 90 + minute / 2));
  const fat = imageSoakReport(hourOf((minute) => (Math.floor(minute) === 40 ? 260 : 90)));
  const lost = imageSoakReport({ ...hourOf(() => 90), made: 1799, failures: ['a job: crashed'] });

  assert.deepEqual(sound.problems, []);
  assert.equal(sound.minutes.length, 60);
  assert.match(grown.problems.join(), /the largest decoder, MiB: grows by (29|30)/);
  assert.deepEqual(fat.problems, ['the worker and its decoders had 361 MiB']);
  assert.deepEqual(lost.problems, ['a job: crashed', '1800 files were uploaded, and 1799 have their thumbnails']);
});
