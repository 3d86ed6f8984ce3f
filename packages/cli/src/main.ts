#!/usr/bin/env node
/**
 * The only executable: reads the command line, runs one command, and ends with its exit code. What a command does is
 * in the command's own file; errors end here, as one sentence.
 */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RowlockError } from '@rowlock/client/contract';
import { version } from '@rowlock/server';
import { allCommands, commandOf } from './command-of.ts';
import { helpForCommand, helpOverview } from './help.ts';
import { nearest } from './nearest.ts';
import { UsageError } from './usage-error.ts';

/** Runs a command line. Answers the exit code: 0 done, 1 failed, 2 wrongly called, 3 problems were found; `fsck` has its own. */
export async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(helpOverview(await allCommands()));
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-V') {
    process.stdout.write(`rowlock ${version}\n`);
    return 0;
  }
  const command = await commandOf(name);
  if (command === undefined) {
    const guess = nearest(
      name,
      (await allCommands()).map((each) => each.name),
    );
    process.stderr.write(
      `rowlock: there is no command "${name}"${guess === undefined ? '' : `; did you mean "${guess}"?`} See rowlock --help\n`,
    );
    return 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(helpForCommand(command));
    return 0;
  }
  try {
    return await command.run(rest);
  } catch (error) {
    const code = reportFailure(error, command.name, rest.includes('--json'));
    return code === 1 ? (command.failureCode ?? 1) : code;
  }
}

function reportFailure(error: unknown, command: string, asJson: boolean): number {
  const message = sentence(error);
  const isUsage = error instanceof UsageError;
  const text = asJson
    ? JSON.stringify({ error: message })
    : `rowlock ${command}: ${message}${isUsage ? `\nSee rowlock ${command} --help` : ''}`;
  process.stderr.write(`${text}\n`);
  return isUsage ? 2 : 1;
}

/** The service's own errors say their status and code too. */
function sentence(error: unknown): string {
  if (error instanceof RowlockError) {
    return error.cause === undefined
      ? `${error.message} (${error.status} ${error.code})`
      : `${error.message}; is the service running?`;
  }
  return error instanceof Error ? error.message : String(error);
}

const program = process.argv[1];
if (program !== undefined && realpathSync(program) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
