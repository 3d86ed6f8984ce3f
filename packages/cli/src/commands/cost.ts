/** `cost`: what the bytes that the database knows of would cost at each place, by prices that anybody may edit. */
import { type Estimate, estimateCosts, listUsage, type Prices, type UsageRow } from '@rowlock/server';
import type { Command } from '../command.ts';
import { readPrices, shippedPrices } from '../cost/prices.ts';
import { plainText } from '../plain-text.ts';
import { type ReadArguments, readArguments } from '../read-arguments.ts';
import { UsageError } from '../usage-error.ts';
import { withWorkerDatabase } from '../worker-database.ts';

const gigabyte = 1e9;
/** A statement over all versions takes longer than any of a request's. */
const statementTimeoutMsMin = 600_000;
const shownMax = 50;

function gigabytesOf(flags: ReadArguments['flags'], name: string): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = typeof text === 'string' && /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw new UsageError(`--${name} is a number of gigabytes such as 500 or 0.5`);
  return value;
}

function usageOf({ settings }: ReadArguments): Promise<readonly UsageRow[]> {
  return withWorkerDatabase(settings, { command: 'cost', statementTimeoutMsMin }, listUsage);
}

interface Report {
  readonly prices: Prices;
  readonly bytes: number;
  readonly egress_bytes: number;
  readonly usage: readonly UsageRow[];
  readonly costs: readonly Estimate[];
}

const columns = (cells: readonly string[]): string =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(30) : cell.padStart(14))).join('  ');
const amount = (value: number): string => value.toFixed(2);
const inGigabytes = (bytes: number): string => (bytes / gigabyte).toFixed(3);

function textOf({ prices, bytes, egress_bytes, usage, costs }: Report): string {
  const rows = usage
    .slice(0, shownMax)
    .map((row) =>
      columns([
        `${row.backend} / ${row.bucket_id ?? 'thumbnails and what waits'}`,
        String(row.versions),
        inGigabytes(row.bytes),
      ]),
    );
  const lines = [
    ...(usage.length === 0 ? [] : [columns(['backend / bucket', 'versions', 'GB']), ...rows]),
    ...(usage.length > shownMax ? [`and ${usage.length - shownMax} more; --json shows all`] : []),
    ...(usage.length === 0 ? [] : ['']),
    `${inGigabytes(bytes)} GB kept and ${inGigabytes(egress_bytes)} GB sent in a month, prices of ${prices.as_of}:`,
    columns([`${prices.currency} a month`, 'storage', 'egress', 'total']),
    ...costs.map((cost) => columns([cost.title, amount(cost.storage), amount(cost.egress), amount(cost.total)])),
  ];
  return lines.map((line) => `${plainText(line)}\n`).join('');
}

async function run(argv: readonly string[]): Promise<number> {
  const read = readArguments(argv, { prices: 'text', 'storage-gb': 'text', 'egress-gb': 'text', json: 'switch' });
  if (read.rest.length > 0) throw new UsageError('cost takes options only');
  const file = read.flags['prices'];
  const prices = readPrices(typeof file === 'string' ? file : shippedPrices);
  const stored = gigabytesOf(read.flags, 'storage-gb');
  const egress_bytes = (gigabytesOf(read.flags, 'egress-gb') ?? 0) * gigabyte;
  const usage = stored === undefined ? await usageOf(read) : [];
  const bytes = stored === undefined ? usage.reduce((sum, row) => sum + row.bytes, 0) : stored * gigabyte;
  const report = { prices, bytes, egress_bytes, usage, costs: estimateCosts(prices, { bytes, egress_bytes }) };
  process.stdout.write(read.flags['json'] === true ? `${JSON.stringify(report)}\n` : textOf(report));
  return 0;
}

export const cost: Command = {
  name: 'cost',
  group: 'Operate',
  summary: 'Estimate what the stored bytes cost at each place',
  usage: 'cost [--egress-gb N] [--storage-gb N] [--prices FILE] [--json]',
  flags: {
    'egress-gb': 'gigabytes that leave in a month (default 0): the database does not know them',
    'storage-gb': 'estimate for so many gigabytes, without asking the database',
    prices: 'a file of prices; a copy of assets/prices.json is a beginning',
    json: 'print the report as JSON',
  },
  settings: ['worker-database-url'],
  notes: 'A gigabyte has 10^9 bytes, as on bills. Requests, taxes, free tiers and backups are not counted.',
  examples: ['rowlock cost --egress-gb 500', 'rowlock cost --storage-gb 1000 --egress-gb 500 --prices prices.json'],
  run,
};
