/** `audit`: pages of the audit log, straight from the database. It only reads; nothing can change what is written. */
import { type AuditQuery, type AuditRow, listAudit } from '@rowlock/server';
import type { Command } from '../command.ts';
import { plainText } from '../plain-text.ts';
import { type ReadArguments, readArguments } from '../read-arguments.ts';
import { UsageError } from '../usage-error.ts';
import { withWorkerDatabase } from '../worker-database.ts';

const units: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400 };

/** A time as it is, or so long ago: `2026-11-21T10:00Z`, `90m`, `12h`, `7d`. */
function timeOf(flags: ReadArguments['flags'], name: string): Date | undefined {
  const text = flags[name];
  if (typeof text !== 'string') return undefined;
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const time = count === undefined ? new Date(text) : new Date(Date.now() - Number(count) * (units[unit] ?? 0) * 1000);
  if (Number.isNaN(time.getTime())) throw new UsageError(`--${name} is a time, or so long ago as 90m, 12h or 7d`);
  return time;
}

function queryOf({ flags }: ReadArguments): AuditQuery {
  const text = (name: string): string | undefined => (typeof flags[name] === 'string' ? flags[name] : undefined);
  const limit = Number(text('limit') ?? 100);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) throw new UsageError('--limit is from 1 to 10000');
  const outcome = text('outcome');
  if (outcome !== undefined && outcome !== 'done' && outcome !== 'refused') {
    throw new UsageError('--outcome is done or refused');
  }
  return {
    since: timeOf(flags, 'since'),
    until: timeOf(flags, 'until'),
    subject: text('subject'),
    bucket: text('bucket'),
    operation: text('operation'),
    request_id: text('request'),
    outcome,
    limit,
  };
}

/** One line, whatever was in the request: what a terminal or a log reader would take for its own is written out. */
function lineOf(row: AuditRow): string {
  const { occurred_at, outcome, operation, bucket_id, name, role, subject, address, request_id, login, reason } = row;
  const what = [operation, ...(bucket_id === null ? [] : [name === null ? bucket_id : `${bucket_id}/${name}`])];
  const who = subject === null ? role : `${role} ${subject}`;
  const from = [address ?? '-', request_id ?? '-', login];
  const fields = [
    occurred_at.toISOString(),
    reason === null ? outcome : `${outcome}: ${reason}`,
    ...what,
    who,
    ...from,
  ];
  return fields.map(plainText).join('  ');
}

export const audit: Command = {
  name: 'audit',
  group: 'Operate',
  summary: 'Show who did what, and who was refused',
  usage:
    'audit [--since TIME] [--until TIME] [--subject S] [--bucket B] [--operation O] [--outcome done|refused] [--request ID] [--limit N] [--json]',
  flags: {
    since: 'not before: a time, or so long ago as 90m, 12h or 7d',
    until: 'before that time',
    subject: 'whom the token was about',
    bucket: 'entries of this bucket',
    operation: 'such as storage.object.deleted',
    outcome: 'done or refused',
    request: 'entries of this request id',
    limit: 'how many, the newest first (default 100)',
    json: 'one JSON object a line',
  },
  settings: ['worker-database-url'],
  notes: 'The log is append-only. How long it is kept, audit_retention_days in storage.settings says.',
  examples: ['rowlock audit --since 1h --outcome refused', 'rowlock audit --bucket photos --subject alice --json'],
  async run(argv) {
    const own = {
      since: 'text',
      until: 'text',
      subject: 'text',
      bucket: 'text',
      operation: 'text',
      outcome: 'text',
    } as const;
    const read = readArguments(argv, { ...own, request: 'text', limit: 'text', json: 'switch' });
    const query = queryOf(read);
    const rows = await withWorkerDatabase(read.settings, { command: 'audit' }, (db) => listAudit(db, query));
    const lines = rows.map((row) => (read.flags['json'] === true ? JSON.stringify(row) : lineOf(row)));
    process.stdout.write(lines.map((line) => `${line}\n`).join(''));
    return 0;
  },
};
