/** `bucket`: create, list, show and remove buckets of a running service, over its REST API. */
import type { Bucket, BucketPolicy, Scan } from '@rowlock/client';
import type { Command } from '../command.ts';
import { formatBytes } from '../format.ts';
import { readArguments } from '../read-arguments.ts';
import { remoteFlags, remoteHelp, remoteOf } from '../remote.ts';
import { UsageError } from '../usage-error.ts';

const line = (bucket: Bucket): string =>
  `${bucket.name.padEnd(24)} ${bucket.policy.padEnd(14)} ${(bucket.owner_id ?? '-').padEnd(20)} ${bucket.file_size_limit === null ? 'no limit' : formatBytes(bucket.file_size_limit)}\n`;

export const bucket: Command = {
  name: 'bucket',
  group: 'Files',
  summary: 'Create, list, show and remove buckets',
  usage: 'bucket <create|list|show|rm> [name]',
  flags: {
    policy: 'create: private (default), public or authenticated',
    'size-limit': 'create: largest file, such as 20MB',
    types: 'create: media types that are allowed, such as image/*,application/pdf',
    'no-overwrite': 'create: a name that is taken stays as it is',
    scan: 'create: async, or before_read for what nobody reads before it was found to be clean',
    ...remoteHelp,
  },
  examples: [
    'rowlock bucket create holiday',
    'rowlock bucket create avatars --policy public --size-limit 5MB --types "image/*"',
    'rowlock bucket list',
  ],
  async run(argv) {
    const read = readArguments(argv, {
      ...remoteFlags,
      policy: 'text',
      'size-limit': 'text',
      types: 'text',
      'no-overwrite': 'switch',
      scan: 'text',
    });
    const { flags, rest } = read;
    const [action = 'list', name] = rest;
    const remote = remoteOf(read);
    const print = (value: unknown, text: string): void => {
      process.stdout.write(flags['json'] === true ? `${JSON.stringify(value)}\n` : text);
    };
    if (action === 'list') {
      const buckets = await remote.listBuckets();
      print(
        buckets,
        buckets.length === 0 ? 'no buckets yet; make one: rowlock bucket create NAME\n' : buckets.map(line).join(''),
      );
      return 0;
    }
    if (name === undefined || !['create', 'show', 'rm'].includes(action)) {
      throw new UsageError('bucket create NAME, bucket list, bucket show NAME or bucket rm NAME');
    }
    if (action === 'create') {
      const made = await remote.createBucket({
        name,
        ...(flags['policy'] === undefined ? {} : { policy: flags['policy'] as BucketPolicy }),
        ...(flags['size-limit'] === undefined ? {} : { file_size_limit: String(flags['size-limit']) }),
        ...(typeof flags['types'] === 'string' ? { allowed_mime_types: flags['types'].split(',') } : {}),
        ...(flags['no-overwrite'] === true ? { overwrite: 'deny' } : {}),
        ...(flags['scan'] === undefined ? {} : { scan: flags['scan'] as Scan }),
      });
      print(made, line(made));
    } else if (action === 'show') {
      const found = await remote.getBucket(name);
      print(found, `${JSON.stringify(found, null, 2)}\n`);
    } else {
      await remote.deleteBucket(name);
      print({ removed: name }, `removed ${name}\n`);
    }
    return 0;
  },
};
