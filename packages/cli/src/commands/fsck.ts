/** `fsck`: compare rows with bytes, both ways, and say what does not agree; with `--repair`, mend what is safe to mend. */
import { type Finding, type FsckOptions, type FsckReport, fsck } from '@rowlock/server';
import type { Command } from '../command.ts';
import { armFaults } from '../fault-points.ts';
import { formatBytes } from '../format.ts';
import { plainText } from '../plain-text.ts';
import { type ReadArguments, readArguments } from '../read-arguments.ts';
import { untilSignal } from '../signals.ts';
import { UsageError } from '../usage-error.ts';
import { storeSettings, withStores } from '../with-stores.ts';

const shownMax = 50;
const mib = 2 ** 20;

function number(flags: ReadArguments['flags'], name: string, max: number): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = typeof text === 'string' && /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value <= max)) throw new UsageError(`--${name} is a number from 0 to ${max}`);
  return value;
}

/** @throws UsageError for flags that mean nothing together */
function optionsOf({ flags }: ReadArguments): FsckOptions {
  const isSet = (name: string): boolean => flags[name] === true;
  const rate = number(flags, 'rate', 1_000_000);
  const grace = number(flags, 'grace', 100_000_000);
  if (rate === 0) throw new UsageError('--rate is more than 0');
  if (rate !== undefined && !isSet('scrub')) throw new UsageError('--rate bounds what --scrub reads');
  for (const name of ['drop-lost', 'force', 'grace']) {
    if (flags[name] !== undefined && !isSet('repair')) throw new UsageError(`--${name} goes with --repair`);
  }
  return {
    scrub: isSet('scrub'),
    resume: isSet('resume'),
    repair: isSet('repair'),
    dropLost: isSet('drop-lost'),
    force: isSet('force'),
    ...(rate === undefined ? {} : { bytesPerSecond: rate * mib }),
    ...(grace === undefined ? {} : { graceSeconds: grace }),
  };
}

/** A line on a terminal that says where the run is; elsewhere nothing is drawn. */
function drawing(stream: NodeJS.WriteStream): { readonly onPage: NonNullable<FsckOptions['onPage']>; end(): void } {
  if (!stream.isTTY) return { onPage: () => undefined, end: () => undefined };
  return {
    onPage: ({ phase, progress, found }) => {
      const { versions, keys, scrubbed, scrubbed_bytes } = progress;
      const done =
        phase === 'scrub'
          ? `${scrubbed} versions, ${formatBytes(scrubbed_bytes)}`
          : `${versions} versions, ${keys} keys`;
      stream.write(`\r\x1b[K${phase}: ${done}, ${found} faults`);
    },
    end: () => void stream.write('\r\x1b[K'),
  };
}

function lineOf({ kind, key, version_id, detail }: Finding): string {
  const { bucket, name, named_by, expected_size, found_size, expected_sha256, found_sha256, error, what } = detail;
  const others = Array.isArray(named_by) && named_by.length > 1 ? ` and ${named_by.length - 1} more` : '';
  const parts = [
    kind,
    typeof name === 'string' ? `${String(bucket)}/${name}${others}` : undefined,
    version_id === null ? undefined : `version ${version_id}`,
    kind === 'quota_drift' ? key : `key ${key}`,
    what === undefined ? undefined : String(what),
    error === undefined ? undefined : String(error),
    found_size === undefined || found_size === expected_size ? undefined : `${found_size} of ${expected_size} bytes`,
    found_sha256 === undefined ? undefined : `sha256 ${found_sha256} instead of ${expected_sha256 ?? 'unknown'}`,
  ];
  return parts
    .filter((part) => part !== undefined)
    .map(plainText)
    .join('  ');
}

function textOf(report: FsckReport): string {
  const wrong = report.findings.filter(({ kind }) => kind !== 'overdue');
  const counts = Object.entries(report.counts).filter(([, count]) => count > 0);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  const lines = [
    `${report.versions} versions, ${report.keys} keys${report.resumed ? ' (went on with an earlier run)' : ''}`,
    report.scrubbed === 0
      ? undefined
      : `read ${report.scrubbed} versions again, ${formatBytes(report.scrubbed_bytes)}; ${report.without_digest} have no sha256`,
    report.elsewhere === 0
      ? undefined
      : `${report.elsewhere} versions are on backends that are not configured here, and were not compared`,
    `waiting for the sweep: ${report.overdue.length + report.unreferenced}; unfinished files: ${report.unfinished}`,
    ...counts.map(([kind, count]) => `${kind}: ${count}`),
    ...wrong.slice(0, shownMax).map((finding) => `  ${lineOf(finding)}`),
    total > shownMax ? `  all of them: SELECT * FROM storage.fsck_findings WHERE run_id = ${report.run_id}` : undefined,
    ...report.held_back.map((why) => `not repaired: ${why}`),
    total === 0 ? 'all agrees' : `${report.repaired} repaired, ${report.left} left`,
  ];
  return `${lines.filter((line) => line !== undefined).join('\n')}\n`;
}

/** Runs until done or until a signal; a run that a signal ended can be resumed. */
async function run(argv: readonly string[]): Promise<number> {
  const read = readArguments(argv, {
    scrub: 'switch',
    rate: 'text',
    resume: 'switch',
    repair: 'switch',
    'drop-lost': 'switch',
    grace: 'text',
    force: 'switch',
    json: 'switch',
  });
  const options = optionsOf(read);
  armFaults();
  const ended = new AbortController();
  void untilSignal().then((signal) => ended.abort(new Error(`ended by ${signal}; go on with --resume`)));
  const shown = drawing(process.stderr);
  try {
    let left = 0;
    await withStores(read.settings, async ({ db, backends }) => {
      for (const backend of backends) {
        const others = backends.names.filter((name) => name !== backend.name);
        const report = await fsck({ db, backend, others }, { ...options, signal: ended.signal, onPage: shown.onPage });
        shown.end();
        const heading = backends.size === 1 ? '' : `backend ${backend.name}: `;
        process.stdout.write(read.flags['json'] === true ? `${JSON.stringify(report)}\n` : heading + textOf(report));
        left += report.left;
      }
    });
    return left > 0 ? 1 : 0;
  } catch (error) {
    // Whatever the signal interrupted says so in words of its own.
    throw ended.signal.aborted ? ended.signal.reason : error;
  } finally {
    shown.end();
  }
}

export const fsckCommand: Command = {
  name: 'fsck',
  group: 'Operate',
  summary: 'Compare rows with bytes, both ways',
  usage: 'fsck [--scrub [--rate MIB]] [--resume] [--repair [--grace SECONDS] [--drop-lost] [--force]] [--json]',
  flags: {
    scrub: 'read all bytes and compare them with their sha256',
    rate: 'with --scrub: read at most so many MiB a second',
    resume: 'go on with the last run of this kind that did not end, where there is one',
    repair: 'remove bytes that no row names, set quotas that drifted; without it nothing is changed',
    grace: 'with --repair: leave bytes without a row that are younger than this (default 86400)',
    'drop-lost': 'with --repair: drop objects, history and thumbnails whose bytes are missing',
    force: 'with --repair: act although more than a tenth is wrong',
    json: 'print the report as JSON',
  },
  settings: storeSettings,
  notes: `Exit codes: 0 all agrees or is repaired, 1 something does not agree, 2 it could not run to its end.
It may run while the service does: bytes of uploads that are under way are named by their intents and are no fault.
Of several backends each is compared by itself, with a report each. Damaged bytes are never removed, nor is what is no object (links, names that are no keys). Findings stay in
storage.fsck_findings.`,
  failureCode: 2,
  examples: [
    'rowlock fsck',
    'rowlock fsck --scrub --rate 50 --resume',
    'rowlock fsck --repair',
    'rowlock fsck --repair --drop-lost --json',
  ],
  run,
};
