/** `alternatives`: other ways to ask for upload URLs, installed into a database and removed again. It parses and prints. */
import { type AlternativeName, alternativeNames, installAlternative, removeAlternative } from '@rowlock/server';
import type { Command } from '../command.ts';
import { readArguments } from '../read-arguments.ts';
import { strongSecret } from '../secret-strength.ts';
import { UsageError } from '../usage-error.ts';

function nameOf(text: string | undefined): AlternativeName {
  const name = alternativeNames.find((each) => each === text);
  if (name === undefined) throw new UsageError(`there are ${alternativeNames.join(', ')}`);
  return name;
}

/** @throws UsageError for what is no address of a service */
function signerUrl(text: unknown): string {
  const isUrl = typeof text === 'string' && URL.canParse(text) && /^https?:\/\/[^\s?#]+$/.test(text);
  if (!isUrl) throw new UsageError('--signer-url is where the database reaches the signer: http://rowlock:3001');
  return text;
}

async function run(argv: readonly string[]): Promise<number> {
  const { flags, rest, settings } = readArguments(argv, { 'signer-url': 'text' });
  const [what, which, ...more] = rest;
  if ((what !== 'install' && what !== 'remove') || more.length > 0) {
    throw new UsageError(`alternatives install|remove ${alternativeNames.join('|')}`);
  }
  const name = nameOf(which);
  const target = {
    url: settings.required('migrate-database-url'),
    name,
    names: {
      metadata: settings.required('metadata-schema'),
      anon: settings.required('anon-role'),
      authenticated: settings.required('default-role'),
    },
  };
  if (what === 'remove') {
    await removeAlternative(target);
  } else if (name === 'notify') {
    await installAlternative(target);
  } else {
    const signer = { url: signerUrl(flags['signer-url']), secret: strongSecret(settings, 'http-signer-secret') };
    await installAlternative({ ...target, signer });
  }
  process.stdout.write(`${what === 'remove' ? 'removed' : 'installed'} ${name}\n`);
  return 0;
}

export const alternatives: Command = {
  name: 'alternatives',
  group: 'Operate',
  summary: 'Install other ways to ask for upload URLs, by pg_net, pgsql-http or LISTEN',
  usage: 'alternatives install pg_net|http|notify [--signer-url URL] | remove pg_net|http|notify',
  flags: { 'signer-url': 'where the database reaches the HTTP signer' },
  settings: ['migrate-database-url', 'metadata-schema', 'anon-role', 'default-role', 'http-signer-secret'],
  notes: `Each has functions of its own name, so that several can be there while clients change over.
The extensions are not installed by this: pg_net and http come from the packages of PostgreSQL's distribution.`,
  examples: [
    'rowlock alternatives install pg_net --signer-url http://rowlock:3001',
    'rowlock alternatives install notify',
    'rowlock alternatives remove http',
  ],
  run,
};
