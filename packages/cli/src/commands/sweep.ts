/** `sweep`: clear what a crash or a vanished client left behind, now; also by the list that a store made of itself. */
import { type InventorySweepReport, sweep, sweepInventory } from '@rowlock/server';
import type { Command } from '../command.ts';
import { formatBytes } from '../format.ts';
import { inventoryLines } from '../inventory-lines.ts';
import { type ReadArguments, readArguments } from '../read-arguments.ts';
import { untilSignal } from '../signals.ts';
import { UsageError } from '../usage-error.ts';
import { storeSettings, withStores } from '../with-stores.ts';

/** What no row names may be an upload of an application's own; it is asked for after a day. */
const inventoryGraceSeconds = 86_400;

function textOf(report: InventorySweepReport, dryRun: boolean): string {
  const { listed, foreign, orphans, orphan_bytes, young, removed, keys, held_back } = report;
  return [
    `${listed} keys listed; ${foreign} lines are of other buckets or prefixes, or no keys`,
    `${orphans} have no row, ${formatBytes(orphan_bytes)}; ${young} of them are too young`,
    ...keys.slice(0, 20).map((key) => `  ${key}`),
    held_back === undefined ? undefined : `not removed: ${held_back}`,
    dryRun ? 'nothing was removed (--dry-run)' : `${removed} removed`,
  ]
    .filter((line) => line !== undefined)
    .join('\n');
}

/** @throws UsageError for flags that mean nothing together */
async function byInventory({ flags, rest, settings }: ReadArguments, graceSeconds: number): Promise<number> {
  if (rest.length === 0) throw new UsageError('--inventory needs files: rowlock sweep --inventory data/*.csv.gz');
  const ended = new AbortController();
  void untilSignal().then((signal) => ended.abort(new Error(`ended by ${signal}; run it again to go on`)));
  const dryRun = flags['dry-run'] === true;
  const keyPrefix = settings.text('backend') === 's3' ? (settings.text('s3-key-prefix') ?? '') : '';
  const report = await withStores(settings, (stores) =>
    sweepInventory(stores, {
      lines: () => inventoryLines(rest),
      keyPrefix,
      graceSeconds,
      dryRun,
      force: flags['force'] === true,
      signal: ended.signal,
    }),
  );
  process.stdout.write(`${flags['json'] === true ? JSON.stringify(report) : textOf(report, dryRun)}\n`);
  return report.held_back === undefined ? 0 : 1;
}

async function run(argv: readonly string[]): Promise<number> {
  const read = readArguments(argv, {
    grace: 'text',
    inventory: 'switch',
    'dry-run': 'switch',
    force: 'switch',
    json: 'switch',
  });
  const { flags, rest, settings } = read;
  const isByInventory = flags['inventory'] === true;
  const grace = Number(flags['grace'] ?? (isByInventory ? inventoryGraceSeconds : 3600));
  if (!Number.isInteger(grace) || grace < 0) {
    throw new UsageError('--grace is a whole number of seconds');
  }
  if (isByInventory) return await byInventory(read, grace);
  for (const name of ['dry-run', 'force']) {
    if (flags[name] !== undefined) throw new UsageError(`--${name} goes with --inventory; rowlock fsck looks only`);
  }
  if (rest.length > 0) throw new UsageError('files go with --inventory');
  const report = await withStores(settings, (stores) => sweep(stores, { graceSeconds: grace, limit: 10_000 }));
  process.stdout.write(
    flags['json'] === true
      ? `${JSON.stringify(report)}\n`
      : `examined ${report.examined} versions, completed ${report.completed} uploads, let go of ${report.expired} old versions, enqueued ${report.enqueued} purges, gave ${report.requeued} images a job again, forgot ${report.forgotten} tombstones, removed ${report.unfinished} unfinished files\n`,
  );
  return 0;
}

export const sweepCommand: Command = {
  name: 'sweep',
  group: 'Operate',
  summary: 'Find and remove what a crash or a vanished client left behind, now',
  usage: 'sweep [--grace SECONDS] [--json] | sweep --inventory FILE… [--dry-run] [--grace SECONDS] [--force] [--json]',
  flags: {
    grace: 'touch only what has been quiet for this long (default 3600; by an inventory 86400)',
    inventory:
      'remove bytes that no row names, found in files of an S3 Inventory (CSV, also .gz), not by listing the store',
    'dry-run': 'with --inventory: report and remove nothing',
    force: 'with --inventory: act although more than a tenth of the list has no row',
    json: 'print the report as JSON',
  },
  settings: storeSettings,
  notes: `Workers do this by themselves every quarter of an hour. Purges are enqueued for the workers.
An inventory only says where to look: the database and the store are asked again before anything is removed.
Exit codes: 0 done, 1 held back for doubt.`,
  examples: ['rowlock sweep', 'rowlock sweep --grace 0', 'rowlock sweep --inventory --dry-run data/*.csv.gz'],
  run,
};
