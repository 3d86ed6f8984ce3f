/** `doctor`: checks what usually goes wrong, and says which command makes it right. */
import { accessSync, constants, statfsSync } from 'node:fs';
import { type DatabaseFacts, inspectDatabase } from '@rowlock/server';
import type { Command } from '../command.ts';
import { options, type Settings } from '../options.ts';
import { readArguments } from '../read-arguments.ts';

interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly says: string;
  readonly fix?: string;
}

const finding = (check: string, state: Finding['state'], says: string, fix?: string): Finding => ({
  check,
  state,
  says,
  ...(fix === undefined ? {} : { fix }),
});

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  return finding(
    'node',
    good ? 'ok' : 'fail',
    `Node ${process.versions.node}`,
    good ? undefined : 'install Node 20.19 or newer',
  );
}

function describeDatabase(name: string, facts: DatabaseFacts): readonly Finding[] {
  const found = [
    facts.server_version_num >= 150_000
      ? finding(name, 'ok', `PostgreSQL ${facts.server_version} as ${facts.role}`)
      : finding(name, 'fail', `PostgreSQL ${facts.server_version} is too old`, 'use PostgreSQL 15 or newer'),
    Math.abs(facts.clock_skew_seconds) < 60
      ? finding(`${name} clock`, 'ok', `differs by ${facts.clock_skew_seconds.toFixed(1)} s`)
      : finding(
          `${name} clock`,
          'warn',
          `differs by ${facts.clock_skew_seconds.toFixed(0)} s`,
          'synchronise the clocks (NTP)',
        ),
  ];
  if (!facts.is_migrated || facts.missing_steps.length > 0) {
    found.push(
      finding(
        `${name} schema`,
        'fail',
        facts.is_migrated ? `lacks ${facts.missing_steps.join(', ')}` : 'is missing',
        'rowlock migrate',
      ),
    );
  }
  return found;
}

async function checkDatabase(settings: Settings, option: string, harmless: boolean): Promise<readonly Finding[]> {
  const url = settings.text(option);
  const name = option.replace('-url', '');
  if (url === undefined) {
    return [finding(name, 'fail', 'no URL is set', `set ${options.find((each) => each.name === option)?.env[0]}`)];
  }
  try {
    const facts = await inspectDatabase(url);
    const risky = harmless && (facts.is_superuser || facts.bypasses_rls);
    return [
      ...describeDatabase(name, facts),
      ...(risky
        ? [
            finding(
              `${name} role`,
              'fail',
              `${facts.role} is not bound by row-level security`,
              'set API_DATABASE_URL to the role rowlock_authenticator',
            ),
          ]
        : []),
    ];
  } catch (error) {
    return [
      finding(
        name,
        'fail',
        error instanceof Error ? error.message || error.name : String(error),
        'check host, port, name and password of the URL',
      ),
    ];
  }
}

function checkStorage(settings: Settings): Finding {
  const root = settings.text('storage-root');
  if (root === undefined) {
    return finding('storage', 'fail', 'no folder is set', 'set STORAGE_ROOT');
  }
  try {
    accessSync(root, constants.R_OK | constants.W_OK);
    const { bavail, bsize } = statfsSync(root);
    const gib = (bavail * bsize) / 2 ** 30;
    return finding(
      'storage',
      gib > 1 ? 'ok' : 'warn',
      `${root} is writable, ${gib.toFixed(1)} GiB free`,
      gib > 1 ? undefined : 'make room',
    );
  } catch (error) {
    return finding(
      'storage',
      'fail',
      error instanceof Error ? error.message : String(error),
      `mkdir -p ${root}, owned by the user that runs rowlock`,
    );
  }
}

function checkSecrets(settings: Settings): readonly Finding[] {
  return ['jwt-secret', 'signed-url-secret'].map((name) => {
    const value = settings.text(name);
    const isOptional =
      name === 'jwt-secret' && (settings.text('jwt-jwks') ?? settings.text('jwt-jwks-url')) !== undefined;
    if (value === undefined) {
      return isOptional
        ? finding(name, 'ok', 'not set; tokens are verified with public keys')
        : finding(name, 'fail', 'not set', 'openssl rand -base64 48');
    }
    return value.length >= 32
      ? finding(name, 'ok', `${value.length} characters`)
      : finding(name, 'fail', `${value.length} characters are too few`, 'openssl rand -base64 48');
  });
}

export const doctor: Command = {
  name: 'doctor',
  group: 'Operate',
  summary: 'Check database, storage, secrets and clocks, and say what to do',
  usage: 'doctor [--json]',
  flags: { json: 'print JSON' },
  settings: options.map(({ name }) => name),
  notes: 'Exit code 3 when something fails.',
  examples: ['rowlock doctor', 'rowlock doctor --json'],
  async run(argv) {
    const { flags, settings } = readArguments(argv, { json: 'switch' });
    const findings = [
      checkNode(),
      ...(await checkDatabase(settings, 'api-database-url', true)),
      ...(await checkDatabase(settings, 'worker-database-url', false)),
      checkStorage(settings),
      ...checkSecrets(settings),
    ];
    if (flags['json'] === true) {
      process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
    } else {
      for (const { check, state, says, fix } of findings) {
        process.stdout.write(
          `${state.padEnd(5)} ${check.padEnd(24)} ${says}${fix === undefined ? '' : `\n${' '.repeat(31)}fix: ${fix}`}\n`,
        );
      }
    }
    return findings.some(({ state }) => state === 'fail') ? 3 : 0;
  },
};
