/** `rm`: delete objects by name, or everything below a folder, in batches. */
import type { Command } from '../command.ts';
import { readArguments } from '../read-arguments.ts';
import { remoteFlags, remoteHelp, remoteOf, splitPath } from '../remote.ts';
import { UsageError } from '../usage-error.ts';

const batch = 1000;

export const rm: Command = {
  name: 'rm',
  group: 'Files',
  summary: 'Delete objects',
  usage: 'rm bucket/name… [--recursive]',
  flags: { recursive: 'everything below a folder (-r)', ...remoteHelp },
  examples: ['rowlock rm holiday/beach/day1.jpg', 'rowlock rm -r holiday/beach'],
  async run(argv) {
    const read = readArguments(argv, { ...remoteFlags, r: 'switch', recursive: 'switch' });
    const remote = remoteOf(read);
    if (read.rest.length === 0) {
      throw new UsageError('what should be deleted? rm bucket/name');
    }
    const recursive = read.flags['r'] === true || read.flags['recursive'] === true;
    const deleted: string[] = [];
    for (const path of read.rest) {
      const { bucket, name } = splitPath(path);
      const names: string[] = [];
      if (recursive) {
        const folder = name.replace(/\/+$/, '');
        for await (const entry of remote.list(bucket, folder, { recursive: true })) {
          names.push(folder === '' ? entry.name : `${folder}/${entry.name}`);
        }
      } else if (name === '') {
        throw new UsageError(`"${path}" is a bucket; use rowlock bucket rm, or rm -r for what is in it`);
      } else {
        names.push(name);
      }
      for (let i = 0; i < names.length; i += batch) {
        const gone = await remote.remove(bucket, names.slice(i, i + batch));
        deleted.push(...gone.map((each) => `${bucket}/${each}`));
      }
    }
    process.stdout.write(
      read.flags['json'] === true
        ? `${JSON.stringify({ deleted })}\n`
        : deleted.map((each) => `deleted ${each}\n`).join('') || 'nothing there that you may delete\n',
    );
    return deleted.length === 0 ? 1 : 0;
  },
};
