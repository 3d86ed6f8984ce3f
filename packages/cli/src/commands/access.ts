/** `access explain`: what a caller may do with an object, and which policies say so, as the service role is told. */
import { type AccessExplanation, explainAccess } from '@rowlock/client';
import type { Command } from '../command.ts';
import { plainText } from '../plain-text.ts';
import { readArguments } from '../read-arguments.ts';
import { remoteFlags, remoteHelp, remoteOf, splitPath } from '../remote.ts';
import { UsageError } from '../usage-error.ts';

export const access: Command = {
  name: 'access',
  group: 'Operate',
  summary: 'Explain what a caller may do with a file, and which policies say so',
  usage: 'access explain bucket/name [--role authenticated] [--sub somebody] [--claims JSON]',
  flags: {
    role: 'the role of whom it is about (default authenticated)',
    sub: 'the subject of their token',
    claims: 'other claims of their token, as a JSON object',
    ...remoteHelp,
    token: 'a key of the service role (or ROWLOCK_TOKEN)',
    data: 'folder of a `rowlock dev`, whose service key is taken otherwise (default ./.rowlock)',
  },
  notes: 'Everything is tried in the database as that caller, and undone.',
  examples: [
    'rowlock access explain holiday/beach/day1.jpg --sub bob',
    'rowlock access explain holiday/a.jpg --role anon',
  ],
  async run(argv) {
    const own = { ...remoteFlags, role: 'text', sub: 'text', claims: 'text' } as const;
    const read = readArguments(argv, own);
    const [verb, path] = read.rest;
    if (verb !== 'explain' || path === undefined) {
      throw new UsageError('what is to be explained? access explain bucket/name');
    }
    const text = (flag: string): string | undefined => {
      const value = read.flags[flag];
      return typeof value === 'string' ? value : undefined;
    };
    const explanation = await explainAccess(remoteOf(read, process.env, 'service_key'), {
      ...splitPath(path),
      role: text('role') ?? 'authenticated',
      subject: text('sub'),
      claims: claimsOf(text('claims')),
    });
    const printed = read.flags['json'] === true ? `${JSON.stringify(explanation)}\n` : explanationText(explanation);
    process.stdout.write(printed);
    return 0;
  },
};

/** @throws UsageError */
function claimsOf(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(text);
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) {
      return claims as Record<string, unknown>;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new UsageError('--claims is a JSON object, such as \'{"organization_id":7}\'');
}

const outcomes = { allowed: 'yes', refused: 'no', not_applicable: '-', failed: 'failed' } as const;

function explanationText({ object, attempts, policies }: AccessExplanation): string {
  const tried = attempts.map(({ attempt, kind, outcome, reason = '', message = '' }) => {
    const title = kind === 'command' ? attempt.toUpperCase() : attempt.replaceAll('_', ' ');
    return `  ${title.padEnd(12)} ${outcomes[outcome].padEnd(7)} ${[reason, plainText(message)].filter(Boolean).join(': ')}`;
  });
  const said = policies.map(({ name, command, table, permissive, using, check }) => {
    const verdicts = [
      using && `using ${using.error ?? using.value}`,
      check && `check ${check.error ?? check.value}`,
    ].filter((each) => each !== null);
    const kind = permissive ? '' : ' restrictive';
    return `  ${plainText(name).padEnd(28)} ${`${command} on ${table}${kind}`.padEnd(32)} ${plainText(verdicts.join(', '))}`;
  });
  const owner = object === null ? 'there is no such file' : `it belongs to ${plainText(object.owner_id ?? 'nobody')}`;
  const lines = [`(${owner})`, ...tried, '', 'Policies of the role:', ...said];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}
