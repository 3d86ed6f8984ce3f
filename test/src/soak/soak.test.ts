/** The soak campaign in seconds: all jobs end, and every quantity is measured. What is good is not asked here. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createEmptyDatabase, type EmptyDatabase, requires } from '@rowlock/test-harness';
import { quantityIds } from './quantities.ts';
import { runSoak, type Sample, type SoakOptions } from './run-soak.ts';
import { soakReport } from './soak-report.ts';
import { progressLine, soakText } from './soak-text.ts';

let database: EmptyDatabase;

before(async () => {
  database = await createEmptyDatabase({ prefix: 'soak' });
});
after(async () => await database.drop());

test('a short soak ends every job of every sort, measures everything, and reports it', async () => {
  const withGo = requires('go') === false;
  const options: SoakOptions = {
    url: database.url,
    minutes: 0.1,
    rate: 60,
    sampleMs: 250,
    retentionMs: 60_000,
    withGo,
    endTimeoutMs: 40_000,
  };
  const seen: Sample[] = [];

  const findings = await runSoak(options, (sample) => seen.push(sample));
  const report = soakReport(new Date(), options, findings);

  const { inserted, duplicates, ours_ended, go_ended, open } = report.jobs;
  assert.equal(inserted + duplicates, 360);
  assert.deepEqual({ ended: ours_ended + go_ended, open }, { ended: inserted, open: 0 });
  assert.deepEqual(report.problems, []);
  assert.ok(ours_ended > 0 && (go_ended > 0 || !withGo));
  assert.equal(report.samples.length, 24);
  assert.deepEqual(report.samples, seen);
  assert.deepEqual(
    report.trends.map(({ id }) => id),
    quantityIds,
  );
  assertReaderHeldASnapshot(report.samples);
  assert.equal(report.indexes.length, 7);
  assert.match(report.facts['river_job_options'] ?? '', /autovacuum_vacuum_scale_factor=0\.01/);
  assert.ok(soakText(report).includes('Every job ended'));
  assert.match(progressLine(seen.at(-1) as Sample, 0.1), /^0\.1 of 0\.1 min \(steady\): .+ MiB$/);
});

/** Every insert, claim and result is a transaction, and the snapshot of the reader ages by all of them. */
function assertReaderHeldASnapshot(samples: readonly Sample[]): void {
  const oldest = (phase: string): number =>
    Math.max(...samples.filter((sample) => sample.phase === phase).map(({ values }) => values.oldest_xmin_age ?? 0));
  assert.ok(oldest('reader') >= 10, `the oldest snapshot is ${oldest('reader')} transactions old beside the reader`);
  assert.ok(oldest('reader') > oldest('before_reader'));
}
