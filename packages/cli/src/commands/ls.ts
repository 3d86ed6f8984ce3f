/** `ls`: list buckets, or a folder of one. */
import type { Command } from '../command.ts';
import { formatBytes } from '../format.ts';
import { readArguments } from '../read-arguments.ts';
import { type Remote, remoteFlags, remoteHelp, remoteOf, splitPath } from '../remote.ts';

export interface Entry {
  readonly name: string;
  readonly id: string | null;
  readonly updated_at: string | null;
  readonly metadata: { readonly size: number; readonly mimetype: string } | null;
}

const pageSize = 1000;

/** Walks a folder, page by page; with `recursive` everything below it, names then from the folder on. */
export async function* listAll(
  remote: Remote,
  bucket: string,
  prefix: string,
  recursive: boolean,
): AsyncGenerator<Entry, void, undefined> {
  for (let offset = 0; ; offset += pageSize) {
    const page = await remote.json<Entry[]>(`/storage/v1/object/list/${encodeURIComponent(bucket)}`, 'POST', {
      prefix,
      limit: pageSize,
      offset,
    });
    for (const entry of page) {
      if (entry.id !== null || !recursive) {
        yield entry;
        continue;
      }
      for await (const below of listAll(remote, bucket, prefix === '' ? entry.name : `${prefix}/${entry.name}`, true)) {
        yield { ...below, name: `${entry.name}/${below.name}` };
      }
    }
    if (page.length < pageSize) {
      return;
    }
  }
}

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
      for (const { name } of await remote.json<{ name: string }[]>('/storage/v1/bucket')) {
        process.stdout.write(flags['json'] === true ? `${JSON.stringify({ name })}\n` : `${name}/\n`);
      }
      return 0;
    }
    const { bucket, name: prefix } = splitPath(path);
    const long = flags['l'] === true || flags['long'] === true;
    for await (const entry of listAll(
      remote,
      bucket,
      prefix.replace(/\/+$/, ''),
      flags['r'] === true || flags['recursive'] === true,
    )) {
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
  const size = entry.metadata === null ? '' : formatBytes(entry.metadata.size);
  const at = entry.updated_at?.slice(0, 16).replace('T', ' ') ?? '';
  return `${size.padStart(10)}  ${at.padEnd(16)}  ${(entry.metadata?.mimetype ?? 'folder').padEnd(26)} ${name}\n`;
}
