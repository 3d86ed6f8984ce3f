/** `console`: another link that signs a browser in to the console of a `rowlock dev` that is running, once. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@rowlock/client';
import type { Command } from '../command.ts';
import { consoleUrlOf } from '../dev/console-sign-in.ts';
import type { DevFile } from '../dev/dev-folder.ts';
import { readArguments } from '../read-arguments.ts';
import { UsageError } from '../usage-error.ts';

export const consoleCommand: Command = {
  name: 'console',
  group: 'Run',
  summary: 'Make a link that signs in to the console of `rowlock dev`, once',
  usage: 'console [--user] [--data ./.rowlock]',
  flags: {
    user: 'sign in as the demo user and not as the service role, which sees everything',
    data: 'folder of the `rowlock dev` (default ./.rowlock)',
  },
  notes: 'The link works for 15 minutes, on this machine. The key that it gives ends after 12 hours.',
  examples: ['rowlock console', 'rowlock console --user'],
  async run(argv) {
    const { flags } = readArguments(argv, { data: 'text', user: 'switch' });
    const path = join(String(flags['data'] ?? '.rowlock'), 'dev.json');
    if (!existsSync(path)) {
      throw new UsageError(`there is no ${path}: run this where \`rowlock dev\` has its folder, or say --data`);
    }
    const { url, service_key } = JSON.parse(readFileSync(path, 'utf8')) as DevFile;
    const client = createClient({ url, token: service_key });
    const json = { as: flags['user'] === true ? 'user' : 'service' };
    const answer = await client.send({ method: 'POST', path: '/storage/v1/console/links', json });
    const { token } = (await answer.json()) as { readonly token: string };
    process.stdout.write(`${consoleUrlOf(url, token)}\n`);
    return 0;
  },
};
