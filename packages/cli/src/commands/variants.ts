/** `variants`: which presets there are, and making the variants of what is there already, behind everything else. */
import { type PresetRow, type RebuildReport, rebuildVariants, selectPresets } from '@rowlock/server';
import type { Command } from '../command.ts';
import { plainText } from '../plain-text.ts';
import { type ReadArguments, readArguments } from '../read-arguments.ts';
import { untilSignal } from '../signals.ts';
import { UsageError } from '../usage-error.ts';
import { storeSettings, withStores } from '../with-stores.ts';

const usage = 'variants <presets | rebuild [--bucket NAME] [--preset NAME] [--missing] [--dry-run]>';

function textFlag({ flags }: ReadArguments, name: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
}

function presetLine({ name, preset, watermark_object_id }: PresetRow): string {
  const { width, height, fit, position, format, quality, background, document_fit, document_format } = preset;
  const box = `${width ?? '…'}x${height ?? '…'}`;
  const notes = [
    fit === 'cover' ? `${fit} ${position}` : fit === 'contain' ? `${fit} on ${background}` : fit,
    format === 'png' ? format : `${format} ${quality}`,
    document_fit === undefined || document_fit === fit ? undefined : `pages ${document_fit}`,
    document_format === undefined || document_format === format ? undefined : `pages ${document_format}`,
    watermark_object_id === null ? undefined : 'with a watermark',
  ];
  return `  ${name.padEnd(16)} ${box.padEnd(10)} ${notes.filter((note) => note !== undefined).join(', ')}`;
}

async function presets(read: ReadArguments): Promise<number> {
  const rows = await withStores(read.settings, ({ db }) => selectPresets(db));
  const lines = rows.flatMap((row, n) => [
    ...(rows[n - 1]?.preset_set === row.preset_set ? [] : [`${row.preset_set}: of ${row.buckets} buckets`]),
    presetLine(row),
  ]);
  process.stdout.write(read.flags['json'] === true ? `${JSON.stringify(rows)}\n` : `${lines.join('\n')}\n`);
  return 0;
}

function textOf({ buckets, examined, images, wanted, enqueued }: RebuildReport, isDry: boolean): string {
  return [
    `${examined} objects of ${buckets} buckets examined, ${images} have variants`,
    `${wanted} variants are to be made; ${enqueued} versions ${isDry ? 'would get' : 'got'} a job for them`,
  ].join('\n');
}

/** A line on a terminal that says how far it is; elsewhere nothing is drawn. */
function draw({ examined, wanted, next }: RebuildReport): void {
  if (!process.stderr.isTTY) return;
  const at = next === null ? '' : `, at ${plainText(`${next.bucket}/${next.after}`).slice(0, 60)}`;
  process.stderr.write(`\r\x1b[K${examined} objects, ${wanted} variants to be made${at}`);
}

/** How to go on where a run was ended. */
function continuation(next: RebuildReport['next'] | undefined): string {
  if (next == null) return 'run it again to go on';
  const name = plainText(next.after).replaceAll("'", String.raw`'\''`);
  return `go on with --bucket ${next.bucket} --after '${name}'`;
}

async function rebuild(read: ReadArguments): Promise<number> {
  const dryRun = read.flags['dry-run'] === true;
  const ended = new AbortController();
  let last: RebuildReport | undefined;
  void untilSignal().then((signal) => ended.abort(new Error(`ended by ${signal}; ${continuation(last?.next)}`)));
  const report = await withStores(read.settings, (stores) =>
    rebuildVariants(stores, {
      bucket: textFlag(read, 'bucket'),
      preset: textFlag(read, 'preset'),
      after: textFlag(read, 'after'),
      onlyMissing: read.flags['missing'] === true,
      dryRun,
      signal: ended.signal,
      onPage: (page) => {
        last = page;
        draw(page);
      },
    }),
  );
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  process.stdout.write(read.flags['json'] === true ? `${JSON.stringify(report)}\n` : `${textOf(report, dryRun)}\n`);
  return 0;
}

const actions: Readonly<Record<string, (read: ReadArguments) => Promise<number>>> = { presets, rebuild };

export const variants: Command = {
  name: 'variants',
  group: 'Operate',
  summary: 'List presets, and make thumbnails of what is there already',
  usage,
  flags: {
    bucket: 'rebuild: only this bucket (default: all)',
    preset: 'rebuild: only this preset',
    missing: 'rebuild: leave alone what was made before its preset changed',
    after: 'rebuild: with --bucket, go on behind the object of this name',
    'dry-run': 'rebuild: count and change nothing',
    json: 'print JSON',
  },
  settings: storeSettings,
  notes: `It asks, and the workers make: behind the thumbnails of new files, and while readers keep those that are there.
It may be ended at any moment and run again: what is asked for already, or made by the preset as it is now, is left alone.
How many are left to be made: rowlock jobs stats.`,
  examples: [
    'rowlock variants presets',
    'rowlock variants rebuild --bucket photos --dry-run',
    'rowlock variants rebuild --bucket photos --preset large',
    'rowlock variants rebuild --missing',
  ],
  async run(argv) {
    const read = readArguments(argv, {
      bucket: 'text',
      preset: 'text',
      after: 'text',
      missing: 'switch',
      'dry-run': 'switch',
      json: 'switch',
    });
    const [name = 'presets', ...others] = read.rest;
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined || others.length > 0) throw new UsageError(usage);
    return await action(read);
  },
};
