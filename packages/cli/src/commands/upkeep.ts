/** `fsck` and `sweep`: compare rows with bytes, and clear what a crash left behind. */
import { Database, fsck, openBackend, sweep } from '@rowlock/server';
import type { Command } from '../command.ts';
import type { Settings } from '../options.ts';
import { readArguments } from '../read-arguments.ts';
import { database, diskBackend } from '../service-config.ts';
import { UsageError } from '../usage-error.ts';

const settingNames = [
  'worker-database-url',
  'storage-root',
  's3-bucket',
  's3-region',
  's3-access-key-id',
  's3-secret-access-key',
];

async function withStores<T>(
  settings: Settings,
  work: (stores: { db: Database; backend: Awaited<ReturnType<typeof openBackend>> }) => Promise<T>,
): Promise<T> {
  const { url, statement_timeout_ms } = database(settings, 'worker-database-url');
  const db = new Database({
    url,
    connectionsMax: 2,
    statementTimeoutMs: statement_timeout_ms,
    applicationName: 'rowlock upkeep',
  });
  const backend = await openBackend(diskBackend(settings));
  try {
    return await work({ db, backend });
  } finally {
    await db.close();
    await backend.close();
  }
}

export const fsckCommand: Command = {
  name: 'fsck',
  group: 'Operate',
  summary: 'Compare rows with bytes, both ways',
  usage: 'fsck [--repair] [--json]',
  flags: {
    repair: 'remove bytes that no row names, set quotas that drifted; rows are never removed',
    json: 'print the report as JSON',
  },
  settings: settingNames,
  notes:
    'Exit code 3 when something does not agree. Bytes of uploads that are under way are named by their intents and are no fault.',
  examples: ['rowlock fsck', 'rowlock fsck --repair --json'],
  async run(argv) {
    const { flags, settings } = readArguments(argv, { repair: 'switch', json: 'switch' });
    const report = await withStores(settings, (stores) => fsck(stores, { repair: flags['repair'] === true }));
    const wrong = [...report.rows_without_bytes, ...report.bytes_without_row, ...report.quota_drift];
    const found = wrong.length - report.repaired;
    if (flags['json'] === true) {
      process.stdout.write(`${JSON.stringify(report)}\n`);
    } else {
      process.stdout.write(
        `${report.versions} versions, ${report.keys} keys\nrow without bytes: ${report.rows_without_bytes.length}\nbytes without row: ${report.bytes_without_row.length}\nwaiting for the sweep: ${report.overdue.length}\nunfinished files: ${report.unfinished}\nquotas that drifted: ${report.quota_drift.length}\n`,
      );
      for (const each of wrong) {
        process.stdout.write(`  ${each}\n`);
      }
    }
    return found > 0 ? 3 : 0;
  },
};

export const sweepCommand: Command = {
  name: 'sweep',
  group: 'Operate',
  summary: 'Find and remove what a crash or a vanished client left behind, now',
  usage: 'sweep [--grace SECONDS] [--json]',
  flags: { grace: 'touch only what has been quiet for this long (default 3600)', json: 'print the report as JSON' },
  settings: settingNames,
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
        : `completed ${report.completed} uploads, let go of ${report.expired} old versions, enqueued ${report.enqueued} purges, forgot ${report.forgotten} tombstones, removed ${report.unfinished} unfinished files\n`,
    );
    return 0;
  },
};
