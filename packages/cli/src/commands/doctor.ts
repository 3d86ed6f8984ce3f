/** `doctor`: checks what usually goes wrong, and says which command makes it right. */
import { accessSync, constants, statfsSync, statSync } from 'node:fs';
import { checkBucket } from '../bucket-checks.ts';
import type { Command } from '../command.ts';
import { checkDatabase } from '../database-checks.ts';
import { checkExposure, checkSecrets } from '../exposure-checks.ts';
import { type Finding, finding } from '../finding.ts';
import { checkGateway } from '../gateway-checks.ts';
import { options, type Settings } from '../options.ts';
import { readArguments } from '../read-arguments.ts';
import { checkScanner } from '../scanner-checks.ts';

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

function checkStorage(settings: Settings): Finding {
  const root = settings.text('storage-root');
  if (root === undefined) {
    return finding('storage', 'fail', 'no folder is set', 'set STORAGE_ROOT');
  }
  try {
    accessSync(root, constants.R_OK | constants.W_OK);
    const { bavail, bsize } = statfsSync(root);
    const gib = (bavail * bsize) / 2 ** 30;
    if ((statSync(root).mode & 0o007) !== 0) {
      return finding('storage', 'warn', `${root} is open to everybody on this machine`, `chmod 700 ${root}`);
    }
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

export const doctor: Command = {
  name: 'doctor',
  group: 'Operate',
  summary: 'Check database, storage, secrets, exposure and clocks, and say what to do',
  usage: 'doctor [--json]',
  flags: { json: 'print JSON' },
  settings: options.map(({ name }) => name),
  notes: 'Exit code 3 when something fails.',
  examples: ['rowlock doctor', 'rowlock doctor --json'],
  async run(argv) {
    const { flags, settings } = readArguments(argv, { json: 'switch' });
    const findings = [
      checkNode(),
      ...(await checkDatabase(settings, 'api-database-url')),
      ...(await checkDatabase(settings, 'worker-database-url')),
      checkStorage(settings),
      ...checkSecrets(settings),
      ...checkExposure(settings),
      ...checkGateway(settings),
      ...(await checkBucket(settings)),
      ...(await checkScanner(settings)),
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
