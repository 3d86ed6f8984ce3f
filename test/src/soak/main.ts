/**
 * `npm run campaign -- queue-soak [--minutes N] [--rate N] [--json FILE]`: starts a durable PostgreSQL of its own that
 * vacuums as a server in use does, soaks the queue in it and prints the report. It fails if a job did not end.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEmptyDatabase, requires, temporaryFolder } from '@rowlock/test-harness';
import { startEmbeddedPostgres } from '../../../packages/cli/dist/dev/embedded/embedded-postgres.js';
import { runSoak, type Sample, type SoakOptions } from './run-soak.ts';
import { type SoakReport, soakReport } from './soak-report.ts';
import { progressLine, soakText } from './soak-text.ts';

const linesPerMinute = 1;
const minuteMs = 60_000;

const { values } = parseArgs({ options: { rate: { type: 'string' }, json: { type: 'string' } } });
const minutes = Number(process.env['ROWLOCK_ROUNDS'] ?? 60);
const rate = Number(values.rate ?? 100);
if (!(minutes > 0 && rate > 0)) throw new TypeError('Minutes and rate are numbers above 0');

/** Prints a line now and then, on a terminal always the same one. */
function tell(): (sample: Sample) => void {
  let toldMs = 0;
  return (sample) => {
    const line = progressLine(sample, minutes);
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
    else if (sample.at_ms - toldMs >= minuteMs / linesPerMinute - 1000) {
      toldMs = sample.at_ms;
      process.stderr.write(`${line}\n`);
    }
  };
}

async function soak(): Promise<SoakReport> {
  const database = await createEmptyDatabase({ prefix: 'soak' });
  const options: SoakOptions = {
    url: database.url,
    minutes,
    rate,
    sampleMs: 10_000,
    retentionMs: minuteMs,
    withGo: requires('go') === false,
    endTimeoutMs: 2 * minuteMs,
  };
  const begun = new Date();
  const findings = await runSoak(options, tell());
  await database.drop();
  return soakReport(begun, options, findings);
}

const server = await startEmbeddedPostgres({
  dataDir: join(temporaryFolder({ mode: 0o711 }), 'postgres'),
  ephemeral: true,
  settings: { shared_buffers: '256MB', autovacuum: 'on', autovacuum_naptime: '20s' },
});
process.env['ROWLOCK_TEST_DATABASE_URL'] = server.url;
try {
  const report = await soak();
  if (process.stderr.isTTY) process.stderr.write('\n');
  console.log(`\n${soakText(report)}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
  process.exitCode = report.problems.length === 0 ? 0 : 1;
} finally {
  await server.stop();
}
