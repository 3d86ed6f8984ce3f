/** Reads a command's arguments: its own flags and the service's options, strictly. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { options, Settings } from './options.ts';
import { UsageError } from './usage-error.ts';

export interface ReadArguments {
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly rest: readonly string[];
  readonly settings: Settings;
}

/**
 * @param own the command's flags: `text` takes a value, `switch` none
 * @throws UsageError for what is unknown or lacks its value
 */
export function readArguments(
  argv: readonly string[],
  own: Readonly<Record<string, 'text' | 'switch'>>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ReadArguments {
  const known: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } };
  for (const option of options) {
    known[option.name] = { type: 'string' };
  }
  for (const [name, kind] of Object.entries(own)) {
    known[name] = { type: kind === 'text' ? 'string' : 'boolean', ...(name.length === 1 ? { short: name } : {}) };
  }
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: known,
      allowPositionals: true,
      strict: true,
    });
    const flags = values as Readonly<Record<string, string | boolean | undefined>>;
    return { flags, rest: positionals, settings: new Settings(flags, env) };
  } catch (error) {
    if (error instanceof UsageError) {
      throw error;
    }
    throw new UsageError(
      error instanceof Error ? (error.message.split('. To specify', 1)[0] ?? error.message) : String(error),
    );
  }
}
