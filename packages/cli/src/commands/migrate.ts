/** `migrate`: bring the database to this version and say what was done; the work is the server library's. */
import { migrate } from '@rowlock/server';
import type { Command } from '../command.ts';
import { readArguments } from '../read-arguments.ts';

export const migrateCommand: Command = {
  name: 'migrate',
  group: 'Operate',
  summary: 'Bring the database to this version',
  usage: 'migrate [--dry-run] [--with-auth-shim] [--json]',
  flags: {
    'dry-run': 'run everything, then roll back',
    'with-auth-shim': 'create auth.uid(), auth.role() and auth.jwt() where they are absent',
    json: 'print the report as JSON',
  },
  settings: ['migrate-database-url', 'metadata-schema', 'anon-role', 'default-role'],
  notes:
    "Needs a role that owns the database and has CREATEROLE; no superuser. Afterwards give the login roles passwords:\n  ALTER ROLE rowlock_authenticator PASSWORD '…'; ALTER ROLE rowlock_worker PASSWORD '…';",
  examples: ['rowlock migrate --dry-run', 'rowlock migrate'],
  async run(argv) {
    const { flags, settings } = readArguments(argv, {
      'dry-run': 'switch',
      'with-auth-shim': 'switch',
      json: 'switch',
    });
    const dryRun = flags['dry-run'] === true;
    const report = await migrate({
      url: settings.required('migrate-database-url'),
      names: {
        metadata: settings.required('metadata-schema'),
        anon: settings.required('anon-role'),
        authenticated: settings.required('default-role'),
      },
      dryRun,
      withAuthShim: flags['with-auth-shim'] === true,
    });
    if (flags['json'] === true) {
      process.stdout.write(`${JSON.stringify({ dry_run: dryRun, ...report })}\n`);
      return 0;
    }
    const verb = dryRun ? 'would apply' : 'applied';
    for (const step of report.applied) {
      process.stdout.write(`${verb} ${step}\n`);
    }
    process.stdout.write(
      report.applied.length === 0
        ? `nothing to apply: ${report.present.length} steps are there; functions, triggers and grants were refreshed\n`
        : `${report.applied.length} applied, ${report.present.length} were there${dryRun ? '; rolled back' : ''}\n`,
    );
    return 0;
  },
};
