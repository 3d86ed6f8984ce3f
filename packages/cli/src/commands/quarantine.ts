/**
 * `quarantine`: versions that nobody is served. Lists them, lets one out, removes one for ever. Straight in the database, as
 * the role of the workers; what is done is in the audit log.
 */
import {
  type Database,
  listQuarantine,
  purgeQuarantined,
  type QuarantineCause,
  type QuarantinedVersion,
  quarantineCauses,
  type ReleaseOutcome,
  releaseVersion,
} from '@rowlock/server';
import type { Command } from '../command.ts';
import { plainText } from '../plain-text.ts';
import { type ReadArguments, readArguments } from '../read-arguments.ts';
import { UsageError } from '../usage-error.ts';
import { withWorkerDatabase } from '../worker-database.ts';

interface Parts {
  readonly db: Database;
  readonly read: ReadArguments;
  /** What stands behind the action. */
  readonly rest: readonly string[];
}

const usage =
  'quarantine <list|release|purge> [VERSION …] [--reason TEXT] [--cause CAUSE] [--bucket B] [--limit N] [--json]';
const idsMax = 1000;

function print({ read }: Parts, value: unknown, text: string): void {
  process.stdout.write(read.flags['json'] === true ? `${JSON.stringify(value)}\n` : `${text}\n`);
}

function causeOf({ flags }: ReadArguments): QuarantineCause | undefined {
  const text = flags['cause'];
  const cause = quarantineCauses.find((each) => each === text);
  if (text !== undefined && cause === undefined) throw new UsageError(`--cause is ${quarantineCauses.join(', ')}`);
  return cause;
}

/** @throws UsageError for none, for too many, and for what is no id */
function idsOf(rest: readonly string[]): readonly string[] {
  const wrong = rest.find((id) => !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id));
  if (wrong !== undefined) throw new UsageError(`"${wrong}" is no id of a version: quarantine list names them`);
  if (rest.length === 0 || rest.length > idsMax) throw new UsageError(`name 1 to ${idsMax} versions`);
  return rest;
}

/** @throws UsageError without one: it is what the audit log says of it */
function reasonOf({ flags }: ReadArguments): string {
  const reason = flags['reason'];
  if (typeof reason !== 'string' || reason.trim() === '') throw new UsageError('--reason says why, for the audit log');
  return reason;
}

function lineOf(row: QuarantinedVersion): string {
  const where = row.bucket_id === null ? '(no name)' : `${row.bucket_id}/${row.name}`;
  const owner = row.owner_id ?? '-';
  return [row.quarantined_at.toISOString(), row.version_id, row.cause, where, owner, row.reason]
    .map(plainText)
    .join('  ');
}

async function list(parts: Parts): Promise<number> {
  const { flags } = parts.read;
  const limit = Number(flags['limit'] ?? 100);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) throw new UsageError('--limit is from 1 to 10000');
  const bucket = typeof flags['bucket'] === 'string' ? flags['bucket'] : undefined;
  const rows = await listQuarantine(parts.db, { cause: causeOf(parts.read), bucket, limit });
  for (const row of rows) print(parts, { ...row, size: Number(row.size) }, lineOf(row));
  if (rows.length === 0 && flags['json'] !== true) process.stdout.write('nothing is in quarantine\n');
  return 0;
}

const refusals: Readonly<Record<Exclude<ReleaseOutcome, 'released'>, string>> = {
  gone: 'is not in quarantine',
  replaced: 'stays: its bytes are not what was committed; purge it, or upload the file again',
  derived: 'is a thumbnail: release what it was made from',
};

async function release(parts: Parts): Promise<number> {
  const [ids, why] = [idsOf(parts.rest), reasonOf(parts.read)];
  let left = 0;
  for (const version_id of ids) {
    const outcome = await releaseVersion(parts.db, version_id, why);
    left += outcome === 'released' ? 0 : 1;
    print(
      parts,
      { version_id, outcome },
      `${version_id} ${outcome === 'released' ? 'is released' : refusals[outcome]}`,
    );
  }
  return left === 0 ? 0 : 1;
}

async function purge(parts: Parts): Promise<number> {
  const [ids, why] = [idsOf(parts.rest), reasonOf(parts.read)];
  let left = 0;
  for (const version_id of ids) {
    const names = await purgeQuarantined(parts.db, version_id, why);
    left += names === undefined ? 1 : 0;
    const text = names === undefined ? refusals.gone : `and its ${names} names are deleted; its bytes follow`;
    print(
      parts,
      { version_id, outcome: names === undefined ? 'gone' : 'purged', names: names ?? 0 },
      `${version_id} ${text}`,
    );
  }
  return left === 0 ? 0 : 1;
}

const actions: Readonly<Record<string, (parts: Parts) => Promise<number>>> = { list, release, purge };

export const quarantineCommand: Command = {
  name: 'quarantine',
  group: 'Operate',
  summary: 'Show what is not served, let it out or remove it',
  usage,
  flags: {
    reason: 'release, purge: why, for the audit log',
    cause: 'list: infected, replaced (its bytes are not what was committed) or not_scanned (it waits for that)',
    bucket: 'list: of this bucket',
    limit: 'list: how many, the newest first (default 100)',
    json: 'one JSON object a line',
  },
  settings: ['worker-database-url'],
  notes: `Exit codes: 0 done, 1 a version that was named is not in quarantine, or stays there.
What is released is read again, and counts as scanned. What was replaced after its commit is never released: it is not what
its row says. Purging deletes every object that has the bytes, and what their history keeps of them.`,
  examples: [
    'rowlock quarantine list --cause infected',
    'rowlock quarantine release 0198… --reason "false alarm, ticket 4711"',
    'rowlock quarantine purge 0198… --reason "confirmed by security" --json',
  ],
  async run(argv) {
    const own = { reason: 'text', cause: 'text', bucket: 'text', limit: 'text', json: 'switch' } as const;
    const read = readArguments(argv, own);
    const [name = 'list', ...rest] = read.rest;
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) throw new UsageError(usage);
    return withWorkerDatabase(read.settings, { command: 'quarantine' }, (db) => action({ db, read, rest }));
  },
};
