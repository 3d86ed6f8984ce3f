/** `s3`: what an S3 bucket has to be told: its CORS and lifecycle rules, and the policies of its credentials. */
import {
  type AppliedRules,
  applyCors,
  applyLifecycle,
  type PolicyKind,
  policyDocument,
  policyKinds,
  type S3BackendConfig,
} from '@rowlock/server';
import type { Command } from '../command.ts';
import type { Settings } from '../options.ts';
import { type ReadArguments, readArguments } from '../read-arguments.ts';
import { s3Config } from '../store-configs.ts';
import { UsageError } from '../usage-error.ts';

function configOf(settings: Settings): S3BackendConfig {
  const { kind: _, ...config } = s3Config(settings);
  return config;
}

function originsOf(settings: Settings): readonly string[] {
  const origins = settings.list('cors-origins');
  if (origins.length === 0)
    throw new UsageError('CORS_ORIGINS is not set: the origins of the pages that transfer directly');
  const wrong = origins.find((origin) => origin !== '*' && !/^https?:\/\/[^/\s?#]+$/.test(origin));
  if (wrong !== undefined) {
    throw new UsageError(
      `"${wrong}" is no origin: scheme, host and port without a path, such as https://app.example.com`,
    );
  }
  return origins;
}

function policyOf({ flags, settings }: ReadArguments): object {
  const kind = policyKinds.find((each) => each === (flags['for'] ?? 'service'));
  if (kind === undefined) throw new UsageError(`--for is one of ${policyKinds.join(', ')}`);
  const place = {
    bucket: settings.required('s3-bucket'),
    key_prefix: settings.text('s3-key-prefix') ?? '',
  };
  return policyDocument(kind satisfies PolicyKind, place, { acl: settings.required('s3-upload-acl') !== 'none' });
}

function print(applied: AppliedRules, { flags }: ReadArguments, field: 'CORSRules' | 'Rules'): void {
  const dryRun = flags['dry-run'] === true;
  if (flags['json'] === true) {
    process.stdout.write(`${JSON.stringify({ dry_run: dryRun, ...applied })}\n`);
    return;
  }
  if (dryRun) process.stdout.write(`${JSON.stringify({ [field]: applied.rules }, null, 2)}\n`);
  const verb = dryRun ? 'would be written' : 'written';
  process.stdout.write(
    `${applied.changed ? verb : 'nothing to change'}; ${applied.kept} rules of others were left as they are\n`,
  );
}

async function run(argv: readonly string[]): Promise<number> {
  const read = readArguments(argv, { 'dry-run': 'switch', for: 'text', json: 'switch' });
  const [what, ...more] = read.rest;
  const dryRun = read.flags['dry-run'] === true;
  if (more.length > 0) throw new UsageError('s3 has apply-cors, apply-lifecycle and print-policy');
  if (read.flags['for'] !== undefined && what !== 'print-policy') throw new UsageError('--for goes with print-policy');
  switch (what) {
    case 'apply-cors':
      print(await applyCors(configOf(read.settings), originsOf(read.settings), { dryRun }), read, 'CORSRules');
      return 0;
    case 'apply-lifecycle':
      print(await applyLifecycle(configOf(read.settings), { dryRun }), read, 'Rules');
      return 0;
    case 'print-policy':
      process.stdout.write(`${JSON.stringify(policyOf(read), null, 2)}\n`);
      return 0;
    default:
      throw new UsageError('s3 has apply-cors, apply-lifecycle and print-policy');
  }
}

export const s3: Command = {
  name: 's3',
  group: 'Operate',
  summary: 'Set the rules of an S3 bucket, and print the policies of its credentials',
  usage: 's3 apply-cors | apply-lifecycle | print-policy [--for service|signer|admin] [--dry-run] [--json]',
  flags: {
    'dry-run': 'print all rules as they would be, and write nothing',
    for: 'print-policy: for the service and its workers, for signing URLs only, or for this command',
    json: 'print the report as JSON',
  },
  settings: [
    's3-bucket',
    's3-region',
    's3-endpoint',
    's3-flavour',
    's3-force-path-style',
    's3-key-prefix',
    's3-upload-acl',
    's3-access-key-id',
    's3-secret-access-key',
    'cors-origins',
  ],
  notes: `Rules of others are kept: ours are known by their IDs, rowlock-direct-transfers and rowlock-unfinished-uploads.
The same documents, for a bucket named civic-os-files, are in deploy/s3.`,
  examples: [
    'rowlock s3 apply-cors --dry-run --cors-origins https://app.example.com',
    'rowlock s3 apply-lifecycle',
    'rowlock s3 print-policy --for signer',
  ],
  run,
};
