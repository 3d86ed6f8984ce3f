/** `ls`: list buckets, or a folder of one. */
import type { Entry } from '@rowlock/client';
import type { Command } from '../command.ts';
import { formatBytes } from '../format.ts';
import { readArguments } from '../read-arguments.ts';
import { remoteFlags, remoteHelp, remoteOf, splitPath } from '../remote.ts';

export const ls: Command = {
  name: 'ls',
  group: 'Files',
  summary: 'List buckets, or a folder of one',
  usage: 'ls [bucket[/folder]] [-l] [-r]',
  flags: { long: 'size, time and type too (-l)', recursive: 'everything below (-r)', ...remoteHelp },
  examples: ['rowlock ls', 'rowlock ls holiday/beach -l', 'rowlock ls holiday -r --json'],
  async run(argv) {
    const read = readArguments(argv, { ...remoteFlags, l: 'switch', r: 'switch', long: 'switch', recursive: 'switch' });
    const { flags, rest } = read;
    const remote = remoteOf(read);
    const [path] = rest;
    if (path === undefined) {
      for (const { name } of await remote.listBuckets()) {
        process.stdout.write(flags['json'] === true ? `${JSON.stringify({ name })}\n` : `${name}/\n`);
      }
      return 0;
    }
    const { bucket, name: prefix } = splitPath(path);
    const recursive = flags['r'] === true || flags['recursive'] === true;
    const long = flags['l'] === true || flags['long'] === true;
    for await (const entry of remote.list(bucket, prefix.replace(/\/+$/, ''), { recursive })) {
      process.stdout.write(flags['json'] === true ? `${JSON.stringify(entry)}\n` : row(entry, long));
    }
    return 0;
  },
};

function row(entry: Entry, long: boolean): string {
  const name = entry.id === null ? `${entry.name}/` : entry.name;
  if (!long) {
    return `${name}\n`;
  }
  const size = entry.metadata === null ? '' : formatBytes(Number(entry.metadata['size']));
  const at = entry.updated_at?.slice(0, 16).replace('T', ' ') ?? '';
  return `${size.padStart(10)}  ${at.padEnd(16)}  ${String(entry.metadata?.['mimetype'] ?? 'folder').padEnd(26)} ${name}\n`;
}
