/** `config`: what is in effect, and where it came from. Secrets are masked. */
import type { Command } from '../command.ts';
import { options, type Setting } from '../options.ts';
import { readArguments } from '../read-arguments.ts';

/** A URL without its password; any other secret by its length only. */
export function masked({ option, value }: Setting): string | undefined {
  if (value === undefined || value === '' || !option.secret) {
    return value;
  }
  const withPassword = /^([a-z]+:\/\/[^:/@]+:)[^@]+(@.*)$/i.exec(value);
  return withPassword === null ? `(${value.length} characters)` : `${withPassword[1]}***${withPassword[2]}`;
}

export const config: Command = {
  name: 'config',
  group: 'Operate',
  summary: 'Show the configuration in effect and where it came from',
  usage: 'config [--json]',
  flags: { json: 'print JSON' },
  settings: options.map(({ name }) => name),
  examples: ['rowlock config', 'PORT=9000 rowlock config --json'],
  run(argv) {
    const { flags, settings } = readArguments(argv, { json: 'switch' });
    const rows = settings.all.map((setting) => ({
      name: setting.option.name,
      value: masked(setting) ?? null,
      source: setting.source,
    }));
    if (flags['json'] === true) {
      process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    } else {
      for (const { name, value, source } of rows) {
        process.stdout.write(`${name.padEnd(28)} ${(value ?? '-').padEnd(40)} ${source}\n`);
      }
    }
    return Promise.resolve(0);
  },
};
