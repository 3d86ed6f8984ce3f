/** `sweep`: clear what a crash or a vanished client left behind, now. */
import { sweep } from '@rowlock/server';
import type { Command } from '../command.ts';
import { readArguments } from '../read-arguments.ts';
import { UsageError } from '../usage-error.ts';
import { storeSettings, withStores } from '../with-stores.ts';

export const sweepCommand: Command = {
  name: 'sweep',
  group: 'Operate',
  summary: 'Find and remove what a crash or a vanished client left behind, now',
  usage: 'sweep [--grace SECONDS] [--json]',
  flags: { grace: 'touch only what has been quiet for this long (default 3600)', json: 'print the report as JSON' },
  settings: storeSettings,
  notes: 'Workers do this by themselves every quarter of an hour. Purges are enqueued for the workers.',
  examples: ['rowlock sweep', 'rowlock sweep --grace 0'],
  async run(argv) {
    const { flags, settings } = readArguments(argv, { grace: 'text', json: 'switch' });
    const grace = Number(flags['grace'] ?? 3600);
    if (!Number.isInteger(grace) || grace < 0) {
      throw new UsageError('--grace is a whole number of seconds');
    }
    const report = await withStores(settings, (stores) => sweep(stores, { graceSeconds: grace, limit: 10_000 }));
    process.stdout.write(
      flags['json'] === true
        ? `${JSON.stringify(report)}\n`
        : `examined ${report.examined} versions, completed ${report.completed} uploads, let go of ${report.expired} old versions, enqueued ${report.enqueued} purges, forgot ${report.forgotten} tombstones, removed ${report.unfinished} unfinished files\n`,
    );
    return 0;
  },
};
