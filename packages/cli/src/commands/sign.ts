/** `sign`: a link that works without a key. */
import type { Command } from '../command.ts';
import { readArguments } from '../read-arguments.ts';
import { remoteFlags, remoteHelp, remoteOf, splitPath } from '../remote.ts';
import { UsageError } from '../usage-error.ts';

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Reads `90`, `90s`, `15m`, `2h` or `7d` as seconds. @throws UsageError */
export function parseDuration(text: string): number {
  const [, digits, unit = 's'] = /^(\d+)([smhd])?$/.exec(text) ?? [];
  if (digits === undefined) {
    throw new UsageError(`"${text}" is no duration; write 90s, 15m, 2h or 7d`);
  }
  return Number(digits) * (secondsOf[unit] ?? 1);
}

/** @throws UsageError */
function parseUses(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) {
    throw new UsageError(`"${text}" is no number of uses; write 1 or more`);
  }
  return Number(text);
}

export const sign: Command = {
  name: 'sign',
  group: 'Files',
  summary: 'Make a link that works without a key',
  usage: 'sign bucket/name [--expires 1h] [--uses 3] [--preset small]',
  flags: {
    expires: 'how long it works: 90s, 15m, 2h, at most 7d (default 1h)',
    preset: 'sign a thumbnail: small, medium or large',
    uses: 'how often it may be opened (default: any number of times)',
    ...remoteHelp,
  },
  examples: ['rowlock sign holiday/beach/day1.jpg', 'rowlock sign holiday/beach/day1.jpg --expires 7d --preset small'],
  async run(argv) {
    const read = readArguments(argv, { ...remoteFlags, expires: 'text', preset: 'text', uses: 'text' });
    const [path] = read.rest;
    if (path === undefined) {
      throw new UsageError('which object? sign bucket/name');
    }
    const { bucket, name } = splitPath(path);
    const remote = remoteOf(read);
    const { expires, preset, uses } = read.flags;
    const signed = await remote.sign(bucket, name, {
      expirySeconds: parseDuration(typeof expires === 'string' ? expires : '1h'),
      ...(typeof preset === 'string' ? { preset } : {}),
      ...(typeof uses === 'string' ? { usesMax: parseUses(uses) } : {}),
    });
    process.stdout.write(read.flags['json'] === true ? `${JSON.stringify(signed)}\n` : `${signed.url}\n`);
    return 0;
  },
};
