/**
 * The reference page of the options, made from their one table. It reads no setting and shows no value: a page of ours that
 * differs from it fails a test.
 */
import { options } from './options.ts';

/** The page docs/reference/configuration.md. */
export function configurationReference(): string {
  const rows = options.map(({ name, env, default: value, help, secret }) => {
    const variables = env.map((each) => `\`${each}\``).join(', ');
    return `| \`--${name}\` | ${variables}${secret ? ' (or `_FILE`)' : ''} | ${value === undefined || value === '' ? '' : `\`${value}\``} | ${help} |`;
  });
  return [
    '# Configuration',
    '',
    'Every option, exactly those that exist: a test compares this page with the program. A flag wins over a variable, an',
    'earlier variable over a later one. A secret may be read from a file: set `X_FILE` instead of `X`. `rowlock config` shows',
    'what is in effect and where it came from, with secrets masked.',
    '',
    '| flag | variables | default | what it is |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
