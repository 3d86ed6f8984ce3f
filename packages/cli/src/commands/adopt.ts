/**
 * `adopt`: take over a running system's uploads and thumbnails, a step at a time: `plan`, `install`, `switch`, `backfill`,
 * `rollback`. It parses and prints; the steps are the server library's.
 */
import {
  type AdoptTarget,
  backfillAdoption,
  installAdoption,
  planAdoption,
  rollBackAdoption,
  switchAdoption,
} from '@rowlock/server';
import { planText, reportText } from '../adopt-report.ts';
import type { Command } from '../command.ts';
import { armFaults } from '../fault-points.ts';
import type { Settings } from '../options.ts';
import { type ReadArguments, readArguments } from '../read-arguments.ts';
import { untilSignal } from '../signals.ts';
import { UsageError } from '../usage-error.ts';
import { storeSettings, withStores } from '../with-stores.ts';

/** The subcommands, and the flags that mean something to each. */
const steps = {
  plan: ['sql'],
  install: ['dry-run', 'lock-timeout-ms', 'tries'],
  switch: ['dry-run', 'force', 'lock-timeout-ms'],
  backfill: ['dry-run', 'rate', 'again'],
  rollback: ['dry-run', 'force', 'lock-timeout-ms', 'wait'],
} as const;

type Step = keyof typeof steps;

function stepOf(rest: readonly string[]): Step {
  const [name = 'plan', ...more] = rest;
  if (more.length > 0 || !Object.hasOwn(steps, name)) {
    throw new UsageError(`adopt has one of ${Object.keys(steps).join(', ')}, not "${rest.join(' ')}"`);
  }
  return name as Step;
}

function numberOf(flags: ReadArguments['flags'], name: string, max: number): number | undefined {
  const text = flags[name];
  if (text === undefined) return undefined;
  const value = typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > max) throw new UsageError(`--${name} is a whole number from 1 to ${max}`);
  return value;
}

function targetOf(settings: Settings): AdoptTarget {
  return {
    url: settings.required('migrate-database-url'),
    names: {
      metadata: settings.required('adopted-schema'),
      own: settings.required('metadata-schema'),
      api: 'rowlock',
      anon: settings.required('anon-role'),
      authenticated: settings.required('default-role'),
      service_role: 'service_role',
      bucket: settings.required('s3-bucket'),
    },
  };
}

/** A flag of another subcommand is a mistake that could cost more than a message. */
function assertFlags(step: Step, flags: ReadArguments['flags']): void {
  const own = new Set(Object.values(steps).flat());
  const wrong = [...own].find(
    (name) => flags[name] !== undefined && !(steps[step] as readonly string[]).includes(name),
  );
  if (wrong !== undefined) throw new UsageError(`--${wrong} means nothing to adopt ${step}`);
}

async function perform(step: Step, { flags, settings }: ReadArguments, signal: AbortSignal): Promise<object> {
  const dryRun = flags['dry-run'] === true;
  const isForced = flags['force'] === true;
  const lockTimeoutMs = numberOf(flags, 'lock-timeout-ms', 60_000);
  const triesMax = numberOf(flags, 'tries', 10_000);
  const patience = {
    signal,
    onWait: (name: string, tries: number) =>
      void process.stderr.write(`${name}: the lock is not free (try ${tries}); the application goes first\n`),
    ...(lockTimeoutMs === undefined ? {} : { lockTimeoutMs }),
    ...(triesMax === undefined ? {} : { triesMax }),
  };
  switch (step) {
    case 'plan':
      return await planAdoption(targetOf(settings));
    case 'install':
      return { steps: await installAdoption(targetOf(settings), { dryRun, patience }) };
    case 'switch':
      return { functions: await switchAdoption(targetOf(settings), { dryRun, isForced, patience }) };
    case 'rollback': {
      const seconds = numberOf(flags, 'wait', 86_400);
      const timeoutMs = seconds === undefined ? {} : { timeoutMs: seconds * 1000 };
      return await rollBackAdoption(targetOf(settings), { dryRun, isForced, patience, ...timeoutMs });
    }
    case 'backfill': {
      const rate = numberOf(flags, 'rate', 100_000);
      const options = { dryRun, isAgain: flags['again'] === true, signal };
      return await withStores(settings, (stores) =>
        backfillAdoption(stores, rate === undefined ? options : { ...options, rowsPerSecond: rate }),
      );
    }
  }
}

/** 1 where something stands in the way or is left, so that a script stops there. */
function codeOf(report: object): number {
  if ('obstacles' in report) return (report.obstacles as readonly unknown[]).length > 0 ? 1 : 0;
  const isLeft = 'is_complete' in report && 'running' in report && (!report.is_complete || Number(report.running) > 0);
  return isLeft ? 1 : 0;
}

async function run(argv: readonly string[]): Promise<number> {
  const read = readArguments(argv, {
    sql: 'switch',
    'dry-run': 'switch',
    force: 'switch',
    again: 'switch',
    rate: 'text',
    wait: 'text',
    tries: 'text',
    'lock-timeout-ms': 'text',
    json: 'switch',
  });
  const step = stepOf(read.rest);
  assertFlags(step, read.flags);
  armFaults();
  const ended = new AbortController();
  void untilSignal().then((signal) => ended.abort(new Error(`ended by ${signal}; run it again to go on`)));
  try {
    const dryRun = read.flags['dry-run'] === true;
    const report = await perform(step, read, ended.signal);
    if (read.flags['json'] === true) process.stdout.write(`${JSON.stringify({ step, dry_run: dryRun, ...report })}\n`);
    else if ('obstacles' in report) process.stdout.write(planText(report as never, read.flags['sql'] === true));
    else process.stdout.write(reportText(report, dryRun));
    return codeOf(report);
  } catch (error) {
    throw ended.signal.aborted ? ended.signal.reason : error;
  }
}

export const adopt: Command = {
  name: 'adopt',
  group: 'Operate',
  summary: 'Take over uploads and thumbnails of a running system, and give them back',
  usage:
    'adopt [plan [--sql] | install | switch [--force] | backfill [--rate N] [--again] | rollback [--force] [--wait S]] [--dry-run] [--json]',
  flags: {
    sql: 'plan: print the SQL too',
    'dry-run': 'say what would be done, and do nothing',
    force:
      'switch: although no worker of ours lives, or the body is nobody’s we know; rollback: although ours was replaced',
    rate: 'backfill: rows a second (default 50)',
    again: 'backfill: look again at files that could not be taken',
    wait: 'rollback: seconds to wait for transactions that may still enqueue to our queues (default 30)',
    'lock-timeout-ms': 'how long one try may wait for a lock, and others behind it (default 400)',
    tries: 'install: tries for each lock (default 60)',
    json: 'print the report as JSON',
  },
  settings: [
    'migrate-database-url',
    'adopted-schema',
    'metadata-schema',
    'anon-role',
    'default-role',
    ...storeSettings,
  ],
  notes: `Exit codes: 0 done, 1 something stands in the way or is left, 2 it could not run to its end: run it again.
Each step may be killed and run again. Nothing that the application does changes before switch; rollback makes that undone.`,
  failureCode: 2,
  examples: [
    'rowlock adopt plan --sql',
    'rowlock adopt install --dry-run',
    'rowlock adopt switch',
    'rowlock adopt backfill --rate 20',
    'rowlock adopt rollback',
  ],
  run,
};
