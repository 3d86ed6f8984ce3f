/** Help texts, made from the tables of commands and options. */
import type { Command } from './command.ts';
import { options } from './options.ts';

const groups: readonly string[] = ['Run', 'Files', 'Operate'];

/** `rowlock --help`. */
export function helpOverview(commands: readonly Command[]): string {
  const lines = [
    'Rowlock: files in a PostgreSQL application, under the same lock as its rows.',
    '',
    'Usage: rowlock <command> [options]',
    '',
  ];
  for (const group of groups) {
    lines.push(`${group}:`);
    for (const { name, summary } of commands.filter((each) => each.group === group)) {
      lines.push(`  ${name.padEnd(12)} ${summary}`);
    }
    lines.push('');
  }
  lines.push('First time here: rowlock dev', 'More about one: rowlock <command> --help', '');
  return lines.join('\n');
}

/** `rowlock <command> --help`. */
export function helpForCommand(command: Command): string {
  const lines = [`${command.summary}.`, '', `Usage: rowlock ${command.usage}`, ''];
  const flags = Object.entries(command.flags ?? {});
  if (flags.length > 0) {
    lines.push('Options:', ...flags.map(([name, help]) => `  --${name.padEnd(22)} ${help}`), '');
  }
  if (command.settings !== undefined && command.settings.length > 0) {
    lines.push('Configuration (flag, or variable):');
    for (const option of options.filter(({ name }) => command.settings?.includes(name))) {
      const value = option.default === undefined || option.default === '' ? '' : ` [${option.default}]`;
      lines.push(`  --${option.name.padEnd(22)} ${option.env[0] ?? ''}: ${option.help}${value}`);
    }
    lines.push('');
  }
  if (command.notes !== undefined) {
    lines.push(command.notes, '');
  }
  lines.push('Examples:', ...command.examples.map((each) => `  ${each}`), '');
  return lines.join('\n');
}
