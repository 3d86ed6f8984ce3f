/** `backend`: what is on which backend, where buckets put new bytes, and moving bytes between backends while the service runs. */
import {
  type CopyBackendOptions,
  type CopyProgress,
  type CopyReport,
  copyBackend,
  type ListedBackend,
  listBackends,
  placeBucket,
} from '@rowlock/server';
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

function whole(flags: ReadArguments['flags'], name: string, min: number, max: number): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new UsageError(`--${name} is a whole number from ${min} to ${max}`);
  return value;
}

function textFlag(flags: ReadArguments['flags'], name: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
}

/** @throws UsageError */
function copyOptions({ flags }: ReadArguments): CopyBackendOptions {
  const [from, to] = [textFlag(flags, 'from'), textFlag(flags, 'to')];
  if (from === undefined || to === undefined) throw new UsageError('backend copy --from NAME --to NAME');
  const [bucket, prefix] = [textFlag(flags, 'bucket'), textFlag(flags, 'prefix')];
  if (prefix !== undefined && bucket === undefined) throw new UsageError('--prefix goes with --bucket');
  const rate = whole(flags, 'rate', 1, 1_000_000);
  const concurrency = whole(flags, 'concurrency', 1, 64);
  const graceSeconds = whole(flags, 'grace', 0, 31_536_000);
  return {
    from,
    to,
    bucket,
    prefix,
    dryRun: flags['dry-run'] === true,
    resume: flags['resume'] === true,
    ...(rate === undefined ? {} : { bytesPerSecond: rate * mib }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(graceSeconds === undefined ? {} : { graceSeconds }),
  };
}

/** A line on a terminal that says how far it is; elsewhere nothing is drawn. */
function drawing(stream: NodeJS.WriteStream): { readonly onVersion: (at: CopyProgress) => void; end(): void } {
  if (!stream.isTTY) return { onVersion: () => undefined, end: () => undefined };
  return {
    onVersion: ({ copied, bytes, failed }) =>
      void stream.write(`\r\x1b[K${copied} versions, ${formatBytes(bytes)}, ${failed} failed`),
    end: () => void stream.write('\r\x1b[K'),
  };
}

function textOf(report: CopyReport, isDry: boolean): string {
  const { copied, bytes, gone, failed, left, from, to, failures } = report;
  const lines = [
    `${isDry ? 'would copy' : 'copied'} ${copied} versions, ${formatBytes(bytes)}, from ${from} to ${to}${report.resumed ? ' (went on with an earlier run)' : ''}`,
    gone === 0 ? undefined : `${gone} were deleted or moved meanwhile`,
    failed === 0 ? undefined : `${failed} ${isDry ? 'would stay' : 'stay'} on ${from}:`,
    ...failures
      .slice(0, shownMax)
      .map(({ reason, version_id, key, detail }) =>
        plainText(`  ${reason}  version ${version_id}  key ${key}  ${JSON.stringify(detail)}`),
      ),
    failures.length > shownMax && report.run_id !== null
      ? `  all of them: SELECT * FROM storage.backend_copy_failures WHERE run_id = ${report.run_id}`
      : undefined,
    `${left} stored versions are on ${from} now`,
  ];
  return `${lines.filter((line) => line !== undefined).join('\n')}\n`;
}

async function copy(read: ReadArguments): Promise<number> {
  const options = copyOptions(read);
  armFaults();
  const ended = new AbortController();
  void untilSignal().then((signal) => ended.abort(new Error(`ended by ${signal}; go on with --resume`)));
  const shown = drawing(process.stderr);
  try {
    const report = await withStores(read.settings, (stores) =>
      copyBackend(stores, { ...options, signal: ended.signal, onVersion: shown.onVersion }),
    );
    shown.end();
    const text = textOf(report, options.dryRun === true);
    process.stdout.write(read.flags['json'] === true ? `${JSON.stringify(report)}\n` : text);
    return report.failed > 0 ? 1 : 0;
  } catch (error) {
    // Whatever the signal interrupted says so in words of its own.
    throw ended.signal.aborted ? ended.signal.reason : error;
  } finally {
    shown.end();
  }
}

function lineOf({ name, is_configured, is_default, versions, bytes, buckets }: ListedBackend): string {
  const notes = [
    is_default ? 'new bytes go here' : undefined,
    is_configured ? undefined : 'NOT CONFIGURED HERE',
    buckets.length === 0 ? undefined : `buckets ${buckets.slice(0, 10).join(', ')}${buckets.length > 10 ? ' …' : ''}`,
  ].filter((note) => note !== undefined);
  return `${name.padEnd(12)} ${String(versions).padStart(10)} versions ${formatBytes(bytes).padStart(10)}  ${notes.join('; ')}`;
}

async function list(read: ReadArguments): Promise<number> {
  const found = await withStores(read.settings, listBackends);
  const text = `${found.map(lineOf).join('\n')}\n`;
  process.stdout.write(read.flags['json'] === true ? `${JSON.stringify(found)}\n` : text);
  return 0;
}

async function place(read: ReadArguments): Promise<number> {
  const [, bucket, name] = read.rest;
  if (bucket === undefined || name === undefined) throw new UsageError('backend place BUCKET NAME, or BUCKET default');
  const backend = name === 'default' ? null : name;
  await withStores(read.settings, (stores) => placeBucket(stores, bucket, backend));
  const text = `new bytes of ${bucket} go to ${backend ?? 'the default backend'}\n`;
  process.stdout.write(read.flags['json'] === true ? `${JSON.stringify({ bucket, backend })}\n` : text);
  return 0;
}

const actions: Readonly<Record<string, (read: ReadArguments) => Promise<number>>> = { list, place, copy };

export const backendCommand: Command = {
  name: 'backend',
  group: 'Operate',
  summary: 'List backends, say where buckets put new bytes, and move bytes between backends',
  usage: 'backend <list | place BUCKET NAME | copy --from NAME --to NAME>',
  flags: {
    from: 'copy: the backend that versions are on',
    to: 'copy: the backend that they go to',
    bucket: 'copy: only what objects of this bucket have or had',
    prefix: 'copy: with --bucket, only below this prefix',
    'dry-run': 'copy: count and copy nothing',
    concurrency: 'copy: versions at once (default 4)',
    rate: 'copy: at most so many MiB a second',
    grace: 'copy: seconds that the old bytes stay for those who read them (default 7200)',
    resume: 'copy: go on with the last run that did not end, past what it could not copy',
    json: 'print JSON',
  },
  settings: storeSettings,
  notes: `Exit codes of copy: 0 all is copied, 1 some versions stay where they are, 2 it could not run to its end.
It may run while the service does, and be killed at any moment: each version is on one backend or on the other, whole,
compared by size and sha256. Let every server and worker know both backends first (OTHER_BACKENDS), then let new bytes
go to the new one (BACKEND, or backend place), then copy. The old bytes are purged by the workers when the grace is over.`,
  failureCode: 2,
  examples: [
    'rowlock backend list',
    'rowlock backend place photos s3',
    'rowlock backend copy --from disk --to s3 --dry-run',
    'rowlock backend copy --from postgres --to s3 --bucket photos --rate 50',
  ],
  async run(argv) {
    const read = readArguments(argv, {
      from: 'text',
      to: 'text',
      bucket: 'text',
      prefix: 'text',
      'dry-run': 'switch',
      concurrency: 'text',
      rate: 'text',
      grace: 'text',
      resume: 'switch',
      json: 'switch',
    });
    const action = actions[read.rest[0] ?? 'list'];
    if (action === undefined)
      throw new UsageError('backend list, backend place BUCKET NAME or backend copy --from … --to …');
    return await action(read);
  },
};
